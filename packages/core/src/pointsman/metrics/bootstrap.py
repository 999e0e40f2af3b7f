"""Bootstrap intervals of a mean: of one router's figure, or of the difference between two on the same queries.

Compare two routers on the same queries, row by row: their paired difference varies far less than either figure. Rows that
are not independent (one text asked twice, turns of one session) are resampled together, as groups.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from pointsman.errors import ConfigError
from pointsman.metrics.arrays import Floats, aligned, count, fraction, vector
from pointsman.metrics.clusters import cluster_sums
from pointsman.metrics.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["bootstrap_interval", "paired_bootstrap"]

Method = Literal["bca", "percentile"]

# Resampled indices held at once: a bound on memory, not on what is drawn.
_BLOCK = 1_000_000
_POLE = 1e-9


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    level: float = 0.95,
    draws: int = 2000,
    method: Method = "bca",
    random_state: int | np.random.Generator = 0,
) -> Interval:
    """Return a bootstrap interval of mean(a - b), rows paired.

    Args:
        a: (n,) one router's figure on each query.
        b: (n,) the other's on the same queries, in the same order.
        groups: (n,) labels of rows to resample together; None resamples rows.
        level: Coverage aimed at.
        draws: How many resamples.
        method: "bca" or "percentile"; see `bootstrap_interval`.
        random_state: Seed of `numpy.random.default_rng`, or a generator.

    Raises:
        ConfigError: As for `bootstrap_interval`.

    >>> interval = paired_bootstrap([0.9, 0.7, 0.8, 1.0], [0.5, 0.2, 0.5, 0.4])
    >>> round(interval.estimate, 2), interval.excludes(0)
    (0.45, True)
    """
    first, second = vector("a", a), vector("b", b)
    aligned(a=first, b=second)
    return bootstrap_interval(
        first - second, groups=groups, level=level, draws=draws, method=method, random_state=random_state
    )


def bootstrap_interval(
    values: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    level: float = 0.95,
    draws: int = 2000,
    method: Method = "bca",
    random_state: int | np.random.Generator = 0,
) -> Interval:
    """Return a bootstrap interval of a mean, resampling rows, or whole groups of rows.

    "percentile" takes the α/2 and 1 - α/2 quantiles of the resampled means. "bca" (Efron, 1987) moves those two levels
    for the bias and the skewness of the mean, the latter from leaving out one row or group at a time. Both come out
    too narrow with few groups (below about 20); `mean_interval` is the safer choice there. The result
    depends on the values, not on the order of the rows or the names of the groups.

    Args:
        values: (n,) values, such as paired differences.
        groups: (n,) labels of rows to resample together; None resamples rows.
        level: Coverage aimed at.
        draws: How many resamples, at least 100.
        method: "bca" or "percentile".
        random_state: Seed of `numpy.random.default_rng`, or a generator, which is then advanced.

    Raises:
        ConfigError: Fewer than two rows or groups, lengths differ, a number is missing, or an argument is out of range.

    >>> bootstrap_interval([1.0, 1.0, 1.0])
    Interval(estimate=1.0, low=1.0, high=1.0, level=0.95)
    """
    if method not in ("bca", "percentile"):
        raise ConfigError(f"method: expected 'bca' or 'percentile', got {method!r}")
    tail = (1 - fraction("level", level)) / 2
    sums, sizes = cluster_sums(values, groups)
    estimate = float(sums.sum() / sizes.sum())
    means = _resampled_means(sums, sizes, count("draws", draws, low=100), np.random.default_rng(random_state))
    levels = (tail, 1 - tail)
    if method == "bca":
        levels = _bca_levels(levels, means, estimate, sums, sizes)
    low, high = np.quantile(means, levels)
    return Interval(estimate=estimate, low=float(low), high=float(high), level=level)


def _resampled_means(sums: Floats, sizes: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Return the mean over `draws` resamples of the groups, each as many groups as there are."""
    clusters = len(sums)
    step = max(1, _BLOCK // clusters)
    means = np.empty(draws)
    for start in range(0, draws, step):
        stop = min(start + step, draws)
        drawn = rng.integers(clusters, size=(stop - start, clusters))
        means[start:stop] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    return means


def _bca_levels(
    levels: tuple[float, float], means: Floats, estimate: float, sums: Floats, sizes: Floats
) -> tuple[float, float]:
    """Return the quantile levels corrected for bias and acceleration."""
    normal = NormalDist()
    # Means of few distinct values tie with the estimate: half of those count as below it.
    below = float((means < estimate).mean() + (means == estimate).mean() / 2)
    edge = 1 / (2 * len(means))
    bias = normal.inv_cdf(min(max(below, edge), 1 - edge))
    left_out = (sums.sum() - sums) / (sizes.sum() - sizes)
    change = left_out.mean() - left_out
    change /= np.abs(change).max() or 1.0
    skew = float((change**3).sum()) / (6 * max(float((change**2).sum()), 1.0) ** 1.5)

    def corrected(level: float) -> float:
        shifted = bias + normal.inv_cdf(level)
        # Far in the tail of very skewed values the formula has a pole; beyond it lies the last quantile.
        return normal.cdf(bias + shifted / max(1 - skew * shifted, _POLE))

    return corrected(levels[0]), corrected(levels[1])
