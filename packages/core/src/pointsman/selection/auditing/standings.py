"""Standings: how good and how dear each single model is, and how sure it is which one is best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval

__all__ = ["Standing", "near_tied", "standings"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One model among the others; None is unknown.

    Parameters:
        model: Its name.
        quality: Mean quality where it was observed.
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
    return tuple(
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


def near_tied(rows: tuple[Standing, ...], *, level: float) -> tuple[str, ...]:
    """Return the fewest models, the likeliest first, of which one is the best single model with probability `level`."""
    ordered = sorted(rows, key=lambda row: -row.chance_best)
    total = np.cumsum([row.chance_best for row in ordered])
    count = int(np.searchsorted(total, level - 1e-9)) + 1
    return tuple(row.model for row in ordered[:count])


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
