"""Standings: how good and how dear each single model is, and how sure it is which one is best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval

__all__ = ["Standing", "chosen_interval", "clipped", "contenders", "near_tied", "standings"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One model among the others; None is unknown.

    Parameters:
        model: Its name.
        quality: Mean quality where it was observed; the intervals of the models that may be the best hold all at once.
        cost_usd: Mean cost in US dollars where it is known.
        chance_best: Share of bootstrap draws of the queries in which it is the best single model.
        alone: Share of the queries that every model answered on which it beats all the others.
        dominated_by: The best model that is at least as good and no dearer on average, and better or cheaper; None if none is.
        observed: Share of the queries that it was observed on.
    """

    model: str
    quality: Interval | None
    cost_usd: float | None
    chance_best: float
    alone: float | None
    dominated_by: str | None
    observed: float


def standings(dataset: RoutingDataset, resampling: Resampling, *, level: float) -> tuple[Standing, ...]:
    """Return every model's standing, the best first."""
    quality, cost = dataset.mean_quality, dataset.mean_cost_usd
    order = np.lexsort((np.arange(len(quality)), np.nan_to_num(cost, nan=np.inf), -np.nan_to_num(quality, nan=-1.0)))
    chance, alone = _chances(dataset.quality, resampling), _alone(dataset.quality)
    rows = tuple(
        Standing(
            model=dataset.models[j],
            quality=interval_of(dataset.quality[:, j], resampling, level=level),
            cost_usd=None if np.isnan(cost[j]) else float(cost[j]),
            chance_best=float(chance[j]),
            alone=None if alone is None else float(alone[j]),
            dominated_by=_dominator(j, dataset, order.tolist()),
            observed=float(np.isfinite(dataset.quality[:, j]).mean()),
        )
        for j in order.tolist()
    )
    tied = near_tied(rows, level=level)
    return tuple(
        replace(row, quality=clipped(chosen_interval(row.quality, len(tied)))) if row.model in tied else row
        for row in rows
    )


def clipped(found: Interval | None) -> Interval | None:
    """Keep an interval within what quality can be."""
    return None if found is None else replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))


def chosen_interval(found: Interval | None, among: int) -> Interval | None:
    """Widen the interval of a mean so that it holds even for the best of so many models.

    The best of several looks better than it is: its luck is part of why it was chosen. Intervals that hold for all of them
    at once (Bonferroni) hold for whichever comes first. Resampling has too few draws for tails that thin, so the ends move
    away as those of a normal distribution would.

    >>> found = chosen_interval(Interval(estimate=0.5, low=0.4, high=0.7, level=0.95), 5)
    >>> round(found.low, 3), round(found.high, 3), found.level
    (0.369, 0.763, 0.95)
    """
    if found is None:
        return None
    normal, tail = NormalDist(), (1 - found.level) / 2
    stretch = normal.inv_cdf(tail / among) / normal.inv_cdf(tail)
    low, high = (found.estimate + stretch * (end - found.estimate) for end in (found.low, found.high))
    return replace(found, low=low, high=high)


def near_tied(rows: tuple[Standing, ...], *, level: float) -> tuple[str, ...]:
    """Return the fewest models, the likeliest first, of which one is the best single model with probability `level`."""
    ordered = sorted(rows, key=lambda row: -row.chance_best)
    total = np.cumsum([row.chance_best for row in ordered])
    count = int(np.searchsorted(total, level - 1e-9)) + 1
    return tuple(row.model for row in ordered[:count])


def contenders(rows: tuple[Standing, ...], *, level: float) -> tuple[str, ...]:
    """Return the models that might have come first: as `near_tied`, missing the best ten times less often.

    What the luck of the first is measured by must not leave out a model just because that luck was great.
    """
    return near_tied(rows, level=1 - (1 - level) / 10)


def _chances(quality: Matrix, resampling: Resampling) -> Matrix:
    """Return how often each model has the highest resampled mean, shape (m,); ties are shared."""
    drawn = np.nan_to_num(resampling.means(quality), nan=-1.0)
    first = drawn >= drawn.max(axis=1, keepdims=True) - 1e-12
    shares: Matrix = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def _alone(quality: Matrix) -> Matrix | None:
    complete = quality[np.isfinite(quality).all(axis=1)]
    if not len(complete) or quality.shape[1] < 2:  # noqa: PLR2004 - one model is always alone
        return None
    top = complete == complete.max(axis=1, keepdims=True)
    shares: Matrix = (top & (top.sum(axis=1, keepdims=True) == 1)).mean(axis=0)
    return shares


def _dominator(j: int, dataset: RoutingDataset, order: list[int]) -> str | None:
    quality, cost = dataset.mean_quality, dataset.mean_cost_usd
    for i in order:
        if quality[i] >= quality[j] and cost[i] <= cost[j] and (quality[i] > quality[j] or cost[i] < cost[j]):
            return dataset.models[i]
    return None
