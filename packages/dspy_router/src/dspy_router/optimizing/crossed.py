"""Crossed: a router that learnt from all examples, and others like it that have each not seen one part of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dspy_router.optimizing.journal import digest
from pointsman.data.dataset import RoutingDataset
from pointsman.routers.base import Router

__all__ = ["PARTS", "Crossed", "parts_of"]

Rows = NDArray[np.intp]
Names = NDArray[np.object_]

PARTS = 5
_AROUND = np.geomspace(1 / 3, 3, 401)  # weights that are tried around one, as multiples of it


def parts_of(examples: Sequence[Any]) -> Rows:
    """Return the part of each example, shape (n,): equal ones share it, and neither chance nor their order has a say."""
    told = [digest(dict(one.items()) if hasattr(one, "items") else one) for one in examples]
    place: Rows = np.unique(told, return_inverse=True)[1]
    return place % PARTS


@dataclass(frozen=True, kw_only=True, eq=False)
class Crossed:
    """Routers fitted alike on the outcomes of one predictor, or of several together.

    Parameters:
        data: The outcomes, n rows.
        part: Which part of the examples each row belongs to, shape (n,).
        router: Fitted on all of them.
        parts: The k-th is fitted on all but the k-th part.
    """

    data: RoutingDataset
    part: Rows
    router: Router
    parts: tuple[Router, ...]

    @classmethod
    def fit(cls, router: Any, data: RoutingDataset, part: Rows) -> Crossed:
        """Fit clones of a router; DataError where there is too little to learn from, be it without one part only."""
        parts = tuple(router.clone().fit(data.take(np.flatnonzero(part != k))) for k in range(PARTS))
        return cls(data=data, part=part, router=router.clone().fit(data), parts=parts)

    def unseen(self, weights: Sequence[float]) -> Names:
        """Return what is chosen at each weight of cost, shape (w, n), for every row by the router that has not seen it."""
        found = np.empty((len(weights), len(self.data)), dtype=np.intp)
        for k, router in enumerate(self.parts):
            rows = np.flatnonzero(self.part == k)
            found[:, rows] = self._chosen(router, rows, weights)
        return np.array(self.data.models, dtype=object)[found]

    def matched(self, weight: float) -> float:
        """Return the weight at which the router spends on what it has seen as much as the parts' routers do at this one.

        The more a router has learnt from the more it tells apart, so that the same weight spends differently.
        """
        if not weight:
            return weight
        target = np.mean([self._spent(one, self.part != k, [weight])[0] for k, one in enumerate(self.parts)])
        weights = weight * _AROUND
        gap = np.abs(self._spent(self.router, np.ones(len(self.data), dtype=np.bool_), weights.tolist()) - target)
        return float(min(zip(gap, np.abs(np.log(_AROUND)), weights, strict=True))[2])

    def _spent(self, router: Router, seen: NDArray[np.bool_], weights: Sequence[float]) -> NDArray[np.float64]:
        """Return the mean cost of what a router chooses for some rows at each weight."""
        rows = np.flatnonzero(seen)
        costs = self.data.cost_usd[rows, self._chosen(router, rows, weights)]
        mean: NDArray[np.float64] = np.nanmean(costs, axis=1)
        return mean

    def _chosen(self, router: Router, rows: Rows, weights: Sequence[float]) -> Rows:
        """Return the columns that a router chooses for some rows at each weight, shape (w, r)."""
        if not len(rows) or not len(weights):
            return np.empty((len(weights), len(rows)), dtype=np.intp)
        swept = router.sweep(self.data.queries.take(rows), list(weights))
        columns = {name: j for j, name in enumerate(self.data.models)}
        return np.array([[columns[name] for name in one.names] for one in swept], dtype=np.intp)
