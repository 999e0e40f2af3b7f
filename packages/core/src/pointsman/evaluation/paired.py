"""Paired comparison: one way of answering beside another on the same queries, in quality and in dollars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.evaluation.outcomes import known_mean
from pointsman.evaluation.resampling import Resampling, percentile_interval
from pointsman.metrics import Interval, bootstrap_interval, mean_interval, proportion_interval

__all__ = ["Comparison", "compare", "interval_of"]

Vector = NDArray[np.float64]
_FEW = 20  # groups below which a bootstrap comes out too narrow


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One setting beside the best single model.

    Parameters:
        operating_point: The setting: a number, or the model that answers everything; None is the router's own.
        quality: Its mean quality where known.
        cost_usd: Its mean cost in US dollars where known.
        difference: Its quality minus the best single model's, over the queries where both are known.
        relative_cost: Its cost divided by the best single model's, over the queries where both are known.
    """

    operating_point: float | str | None = None
    quality: float | None
    cost_usd: float | None
    difference: Interval | None
    relative_cost: Interval | None

    @property
    def saving(self) -> Interval | None:
        """The share of the best single model's cost that is saved; negative where more is spent."""
        cost = self.relative_cost
        if cost is None:
            return None
        return Interval(estimate=1 - cost.estimate, low=1 - cost.high, high=1 - cost.low, level=cost.level)


def compare(
    mine: tuple[Vector, Vector],
    theirs: tuple[Vector, Vector],
    resampling: Resampling,
    *,
    level: float,
    operating_point: float | str | None = None,
) -> Comparison:
    """Compare (quality, cost_usd), each (n,), with another's on the same n queries."""
    return Comparison(
        operating_point=operating_point,
        quality=known_mean(mine[0]),
        cost_usd=known_mean(mine[1]),
        difference=interval_of(mine[0] - theirs[0], resampling, level=level, low=-1),
        relative_cost=_ratio(mine[1], theirs[1], resampling, level),
    )


def interval_of(
    values: Vector, resampling: Resampling, *, level: float, low: float = 0, high: float = 1
) -> Interval | None:
    """Return the interval of a mean of figures within [low, high], shape (n,), NaN left out; None for under two groups.

    With few groups Student's t takes the place of the bootstrap. Figures that are all the same say nothing of their
    spread: there the share of other ones that would not have been surprising, were they at the far ends, is the interval.
    """
    known = np.isfinite(values)
    groups = len(np.unique(resampling.group[known]))
    if groups < 2:  # noqa: PLR2004 - one group has no spread
        return None
    some, labels = values[known], resampling.group[known]
    if np.ptp(some) == 0:
        return _unvaried(float(some[0]), groups, level, (low, high))
    if groups < _FEW:
        found = mean_interval(some, groups=labels, level=level)
    else:
        found = bootstrap_interval(
            some, groups=labels, level=level, draws=resampling.draws, random_state=resampling.random_state
        )
    return Interval(estimate=found.estimate, low=max(found.low, low), high=min(found.high, high), level=level)


def _unvaried(value: float, groups: int, level: float, bounds: tuple[float, float]) -> Interval:
    share = proportion_interval(0, groups, level).high
    low, high = (value + share * (bound - value) for bound in bounds)
    return Interval(estimate=value, low=low, high=high, level=level)


def _ratio(mine: Vector, theirs: Vector, resampling: Resampling, level: float) -> Interval | None:
    """Return the interval of mean(mine) / mean(theirs) over the rows where both are known."""
    both = np.isfinite(mine) & np.isfinite(theirs)
    if not both.any() or not theirs[both].any():
        return None
    columns = np.where(both[:, None], np.column_stack([mine, theirs]), np.nan)
    drawn = resampling.means(columns)
    ratio = np.divide(drawn[:, 0], drawn[:, 1], out=np.full(len(drawn), np.nan), where=drawn[:, 1] > 0)
    return percentile_interval(float(mine[both].mean() / theirs[both].mean()), ratio, level)
