"""Sample size: how many queries it takes to see a difference of a given size."""

from __future__ import annotations

from math import ceil, log
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval, bootstrap_interval, proportion_interval

__all__ = ["fewest_needed", "queries_needed", "queries_per_variance"]

Vector = NDArray[np.float64]


def queries_needed(
    differences: Vector, resampling: Resampling, *, effect: float, power: float = 0.8, level: float = 0.95
) -> Interval | None:
    """Return how many queries show a mean difference of `effect` with probability `power`; None for under two groups.

    n = (z_{(1 + level)/2} + z_power)² σ² / effect², with σ² the variance of the paired differences (n,), NaN left out; rows of
    one group vary together, and count for less. The interval is that of σ², whose own uncertainty is what n inherits.
    n is never below how many must not differ for the exact interval to exclude the effect; where no query differed at all it
    is just that, and at most what as many differences ask for as could have gone unseen.
    """
    known = np.isfinite(differences)
    values, groups = differences[known], np.unique(resampling.group[known], return_inverse=True)[1]
    count = int(groups.max(initial=-1)) + 1
    if count < 2:  # noqa: PLR2004 - one group has no spread
        return None
    per_variance, fewest = (
        queries_per_variance(effect=effect, power=power, level=level),
        fewest_needed(effect=effect, level=level),
    )
    if not values.any():
        unseen = proportion_interval(0, count, level).high
        return Interval(estimate=fewest, low=fewest, high=max(fewest, ceil(per_variance * unseen)), level=level)
    # A group's summed deviation, squared, is the variance that its rows contribute together.
    sums = np.bincount(groups, values - values.mean())
    variance = bootstrap_interval(sums**2, level=level, draws=resampling.draws, random_state=resampling.random_state)
    scale = per_variance * count / len(values)
    estimate, low, high = (
        float(max(fewest, ceil(end * scale))) for end in (variance.estimate, variance.low, variance.high)
    )
    return Interval(estimate=estimate, low=low, high=high, level=level)


def queries_per_variance(*, effect: float, power: float = 0.8, level: float = 0.95) -> float:
    """Return the n that shows `effect` with this power, for each unit of variance of the differences.

    >>> round(queries_per_variance(effect=0.1))
    785
    """
    normal = NormalDist()
    return ((normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(power)) / effect) ** 2


def fewest_needed(*, effect: float, level: float = 0.95) -> int:
    """Return how many queries without any difference exclude one of `effect`.

    >>> fewest_needed(effect=0.1)
    36
    """
    return ceil(log((1 - level) / 2) / log(1 - effect))
