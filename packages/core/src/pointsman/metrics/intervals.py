"""Confidence intervals with a closed form: a proportion (Clopper-Pearson) and a mean (Student t, clusters allowed)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pointsman.metrics.arrays import count, fraction
from pointsman.metrics.clusters import cluster_sums, mean_error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Interval", "mean_interval", "proportion_interval"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and the interval that covers the truth with the stated probability, over repeated data.

    Attributes:
        estimate: The figure itself.
        low: Lower end.
        high: Upper end.
        level: Coverage aimed at, such as .95.
    """

    estimate: float
    low: float
    high: float
    level: float

    def excludes(self, value: float) -> bool:
        """Return whether `value` lies outside the interval: 0 for a difference, .5 for an APGR."""
        return not self.low <= value <= self.high


def proportion_interval(successes: int, trials: int, level: float = 0.95) -> Interval:
    """Return the exact (Clopper-Pearson, 1934) interval of a proportion.

    The ends are the beta quantiles B(α/2; k, n - k + 1) and B(1 - α/2; k + 1, n - k); coverage is never below `level`.

    Args:
        successes: k, in [0, n].
        trials: n, at least 1.
        level: 1 - α.

    Raises:
        ConfigError: n < 1, k outside [0, n], or a level outside (0, 1).

    >>> interval = proportion_interval(0, 10)
    >>> interval.low, round(interval.high, 4)
    (0.0, 0.3085)
    """
    from scipy.special import betaincinv

    n = count("trials", trials, low=1)
    k = count("successes", successes, low=0, high=n)
    tail = (1 - fraction("level", level)) / 2
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return Interval(estimate=k / n, low=low, high=high, level=level)


def mean_interval(values: ArrayLike, *, groups: ArrayLike | None = None, level: float = 0.95) -> Interval:
    """Return the Student t interval of a mean, with a cluster-robust standard error where groups are given.

    x̄ ± t_{G-1} sqrt(G/(G-1) Σ_g (S_g - n_g x̄)²) / n over G groups with sums S_g and sizes n_g; with single rows as groups
    this is the ordinary x̄ ± t s/√n.

    Args:
        values: (n,) values, such as paired differences between two routers.
        groups: (n,) labels of rows that belong together (repeats of one text, turns of one session); None: none do.
        level: Coverage aimed at.

    Raises:
        DataError: Fewer than two rows or groups, lengths differ, or a number is missing.

    >>> interval = mean_interval([1.0, 2.0, 3.0])
    >>> interval.estimate, round(interval.low, 3), round(interval.high, 3)
    (2.0, -0.484, 4.484)
    """
    from scipy.special import stdtrit

    sums, sizes = cluster_sums(values, groups)
    mean = float(sums.sum() / sizes.sum())
    half = float(stdtrit(len(sums) - 1, (1 + fraction("level", level)) / 2)) * mean_error(values, groups)
    return Interval(estimate=mean, low=mean - half, high=mean + half, level=level)
