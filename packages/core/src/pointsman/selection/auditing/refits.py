"""Refits: how far a router fitted on all queries may be from those fitted on some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset, column_means
from pointsman.evaluation.paired import Comparison
from pointsman.metrics import Interval

__all__ = ["Refits", "refitted", "widened"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refits:
    """The standard deviation, over the routers of k folds asked about the same queries, of what they come to.

    An interval of cross-validation is right for the routers of its folds (Bayle et al., 2020); the one that is fitted on
    everything may be as far from them as they are from each other. Few queries make routers that choose differently, and spend
    differently: leaving that out is why cross-validated intervals are too narrow (Bengio and Grandvalet, 2004).

    Parameters:
        routers: k.
        difference: Of the mean difference in quality.
        relative_cost: Of the cost divided by the best single model's.
        variance: Of the variance of the differences.
    """

    routers: int
    difference: float
    relative_cost: float
    variance: float

    @classmethod
    def of(cls, data: RoutingDataset, picks: NDArray[np.intp], other: NDArray[np.intp], single: int) -> Refits:
        """Compare the choices (k, n) of routers with others', in quality, and with column `single`, in cost."""
        n = np.arange(len(data))
        differences = (data.quality[n, picks] - data.quality[n, other]).T
        spent, best = data.cost_usd[n, picks].T, data.cost_usd[:, [single]]
        both = np.isfinite(spent) & np.isfinite(best)
        mine, theirs = (column_means(np.where(both, each, np.nan)) for each in (spent, best))
        ratio = np.divide(mine, theirs, out=np.full(len(mine), np.nan), where=theirs > 0)
        mean = column_means(differences)
        return cls(
            routers=len(picks),
            difference=_deviation(mean),
            relative_cost=_deviation(ratio),
            variance=_deviation(column_means((differences - mean) ** 2)),
        )

    def another(self, level: float) -> float:
        """Return the standard deviation of the difference, by which a normal interval holds one more router like these.

        From few routers the spread is uncertain itself: their mean and deviation predict another of them with the quantile of
        Student's t, sqrt(1 + 1/k) deviations wide, where the normal quantile stands in an interval of known deviation.

        >>> refits = Refits(routers=5, difference=1.0, relative_cost=0.0, variance=0.0)
        >>> [round(refits.another(level), 2) for level in (0.8, 0.95, 0.99)]
        [1.31, 1.55, 1.96]
        """
        from scipy.special import stdtrit

        if self.routers < 2:  # noqa: PLR2004 - one router has no spread
            return 0.0
        quantile = float(stdtrit(self.routers - 1, (1 + level) / 2))
        return self.difference * sqrt(1 + 1 / self.routers) * quantile / NormalDist().inv_cdf((1 + level) / 2)


def refitted(found: Comparison, refits: Refits, *, excess: float = 0.0) -> Comparison:
    """Widen what was found out of fold to what a router fitted on all queries may come to.

    `excess` is a further standard deviation of the difference, independent of the routers'.
    """
    difference, cost = found.difference, found.relative_cost
    if difference is not None:
        difference = widened(difference, hypot(refits.another(difference.level), excess), low=-1, high=1)
    return replace(
        found, difference=difference, relative_cost=None if cost is None else widened(cost, refits.relative_cost, low=0)
    )


def widened(interval: Interval, deviation: float, *, low: float = -np.inf, high: float = np.inf) -> Interval:
    """Add an independent error of this standard deviation to an interval, within [low, high].

    >>> found = widened(Interval(estimate=0, low=-3, high=3, level=0.95), 4 / 1.96)
    >>> round(found.low, 3), round(found.high, 3)
    (-5.0, 5.0)
    """
    more = NormalDist().inv_cdf((1 + interval.level) / 2) * deviation
    down, up = (float(np.hypot(end - interval.estimate, more)) for end in (interval.low, interval.high))
    return replace(interval, low=max(interval.estimate - down, low), high=min(interval.estimate + up, high))


def _deviation(values: Matrix) -> float:
    """Return the standard deviation of what is known; 0 for under two."""
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else 0.0
