"""Sample size: how many queries it takes to see a difference of a given size."""

from __future__ import annotations

from math import ceil, log
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval, bootstrap_interval

__all__ = ["queries_needed"]

Vector = NDArray[np.float64]


def queries_needed(
    differences: Vector, resampling: Resampling, *, effect: float, power: float = 0.8, level: float = 0.95
) -> Interval | None:
    """Return how many queries show a mean difference of `effect` with probability `power`; None for under two groups.

    n = (z_{(1 + level)/2} + z_power)² σ² / effect², with σ² the variance of the paired differences (n,), NaN left out; rows of
    one group vary together, and count for less. The interval is that of σ², whose own uncertainty is what n inherits. Where
    no query differed at all there is no σ²; then n is how many must not differ for the exact interval to exclude the effect.
    """
    known = np.isfinite(differences)
    values, groups = differences[known], np.unique(resampling.group[known], return_inverse=True)[1]
    count = int(groups.max(initial=-1)) + 1
    if count < 2:  # noqa: PLR2004 - one group has no spread
        return None
    if not values.any():
        none = float(ceil(log((1 - level) / 2) / log(1 - effect)))
        return Interval(estimate=none, low=none, high=none, level=level)
    # A group's summed deviation, squared, is the variance that its rows contribute together.
    sums = np.bincount(groups, values - values.mean())
    normal = NormalDist()
    scale = ((normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(power)) / effect) ** 2 * count / len(values)
    variance = bootstrap_interval(
        sums**2, level=level, draws=resampling.draws, random_state=resampling.random_state, method="percentile"
    )
    estimate, low, high = (float(ceil(end * scale)) for end in (variance.estimate, variance.low, variance.high))
    return Interval(estimate=estimate, low=low, high=high, level=level)
