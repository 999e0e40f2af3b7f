"""Crossed: a router that learnt from all examples, and others like it that have each not seen one part of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dspy_router.optimizing.journal import digest
from dspy_router.optimizing.outcomes import mean
from pointsman.data.dataset import RoutingDataset
from pointsman.routers.base import Router

__all__ = ["PARTS", "Crossed", "parts_of"]

Rows = NDArray[np.intp]
Names = NDArray[np.object_]

PARTS = 5
_AROUND = np.geomspace(1 / 3, 3, 401)  # weights that are tried around one, as multiples of it
_DISTANCE = np.abs(np.log(_AROUND)).tolist()


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
            for i, columns in enumerate(self._chosen(router, rows, weights)):
                found[i, rows] = columns
        return np.array(self.data.models, dtype=object)[found]

    def matched(self, weights: Sequence[float]) -> list[float]:
        """Return for each weight the one at which the router spends on what it has seen as much as the parts' routers at it.

        The more a router has learnt from the more it tells apart, so that the same weight spends differently.
        """
        spent = [self._spent(one, np.flatnonzero(self.part != k), weights) for k, one in enumerate(self.parts)]
        around = np.outer(weights, _AROUND)
        mine = self._spent(self.router, np.arange(len(self.data)), around.ravel().tolist()).reshape(around.shape)
        gaps = np.abs(mine - np.mean(spent, axis=0)[:, None])
        near = [min(zip(gap, _DISTANCE, range(len(_AROUND)), strict=True))[2] for gap in gaps.tolist()]
        return [float(row[i]) for row, i in zip(around, near, strict=True)]

    def _spent(self, router: Router, rows: Rows, weights: Sequence[float]) -> NDArray[np.float64]:
        """Return the mean cost of what a router chooses for some rows at each weight."""
        costs = self.data.cost_usd[rows]
        place = np.arange(len(rows))
        return np.array([mean(costs[place, columns]) for columns in self._chosen(router, rows, weights)])

    def _chosen(self, router: Router, rows: Rows, weights: Sequence[float]) -> Iterator[Rows]:
        """Yield the columns that a router chooses for some rows at each weight, shape (r,)."""
        if len(rows) and len(weights):
            for swept in router.sweep(self.data.queries.take(rows), list(weights)):
                yield np.array([self.data.models.index(name) for name in swept.models])[swept.model]
