"""CrossFit: routers that are each fitted on four folds in five, so that every query has one that has not seen it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset, column_means
from pointsman.data.splits import folds
from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import first_choice
from pointsman.evaluation.curve import ROUNDING
from pointsman.evaluation.informed import Predict
from pointsman.metrics import cheapest_setting
from pointsman.policies.utility import Utility

__all__ = ["CrossFit", "Fit", "Picks"]

_FOLDS = 5

Picks = NDArray[np.intp]
Fit = Callable[[RoutingDataset], Predict]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossFit:
    """The routers of k folds.

    Parameters:
        data: The n queries.
        routers: What each router expects of all queries, most of which it has seen.
        fold: The router of each query that has not seen it, shape (n,).
        best: The best single model of each router's training queries, shape (k,).
    """

    data: RoutingDataset
    routers: tuple[Estimates, ...]
    fold: Picks
    best: Picks

    @classmethod
    def of(cls, fit: Fit, data: RoutingDataset, random_state: int) -> CrossFit:
        """Fit on four folds in five, in turn."""
        routers, best, fold = [], [], np.empty(len(data), dtype=np.intp)
        for i, (train, held) in enumerate(folds(data, _FOLDS, random_state=random_state)):
            known = data.take(train)
            routers.append(fit(known)(data))
            best.append(data.models.index(known.best_single))
            fold[held] = i
        return cls(data=data, routers=tuple(routers), fold=fold, best=np.array(best))

    @property
    def estimates(self) -> Estimates:
        """What is expected of every query by the router that has not seen it."""
        quality, cost = (
            self.out_of_fold(np.stack([getattr(each, name) for each in self.routers]))
            for name in ("quality", "cost_usd")
        )
        return Estimates(models=self.data.models, quality=quality, cost_usd=cost)

    def out_of_fold(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return, of values (k, n, ...) by router, those of each query's own, shape (n, ...)."""
        found: NDArray[Any] = values[self.fold, np.arange(len(self.fold))]
        return found

    def choices(self, settings: Sequence[float | None]) -> Picks:
        """Return what every router chooses for all queries at its cost weight, shape (k, n); None is its best single model."""
        out = np.empty((len(self.routers), len(self.data)), dtype=np.intp)
        for row, router, best, point in zip(out, self.routers, self.best, settings, strict=True):
            row[:] = best if point is None else _picks(router, point)
        return out

    def frugal(self) -> tuple[float | None, ...] | None:
        """Return each router's setting: the cheapest that is as good on the other folds as the best single model.

        None where no setting is, and None for all of them where costs are unknown.
        """
        sweep = self._sweep()
        return None if sweep is None else tuple(_cheapest(*sweep, self.fold != i) for i in range(len(self.routers)))

    def thrifty(self) -> float | None:
        """Return the setting that a router fitted on all queries would take; None for the best single model."""
        sweep = self._sweep()
        return None if sweep is None else _cheapest(*sweep, np.ones(len(self.data), dtype=bool))

    def _sweep(self) -> tuple[tuple[float, ...], tuple[NDArray[np.float64], ...], NDArray[np.float64]] | None:
        """Return the settings, the cost and the quality of all choices at each, (settings, n), and the best single quality."""
        estimates, n = self.estimates, np.arange(len(self.data))
        points = Utility().points(estimates)
        if not points:
            return None
        choices = np.array([_picks(estimates, point) for point in points])
        values = (self.data.cost_usd[n, choices], self.data.quality[n, choices])
        return points, values, self.data.quality[n, self.best[self.fold]]


def _picks(estimates: Estimates, point: float) -> Picks:
    return first_choice(Utility().scores(estimates, point), estimates.cost_usd)


def _cheapest(
    points: tuple[float, ...],
    values: tuple[NDArray[np.float64], ...],
    best: NDArray[np.float64],
    rows: NDArray[np.bool_],
) -> float | None:
    """Return the cheapest setting that is as good on some rows as the best single model."""
    settings = np.column_stack([column_means(part[:, rows].T) for part in values])
    usable = np.flatnonzero(np.isfinite(settings).all(axis=1))
    taken = cheapest_setting(settings[usable], float(np.nanmean(best[rows])) - ROUNDING) if len(usable) else None
    return None if taken is None else points[int(usable[taken])]
