"""Replayed: what a router that calls several models would have come to on recorded outcomes, all rows at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.routers.base import Decisions
from pointsman.types import Context

__all__ = ["Replayed", "Replays"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replayed:
    """How n recorded queries would have ended; NaN is unknown.

    Parameters:
        model: Whose answer was given, as columns of the dataset, shape (n,); -1 where nobody knows.
        quality: Its score, shape (n,).
        cost_usd: Dollars of all calls, checks included, shape (n,).
        calls: How many calls that took, shape (n,).
        confidence: The probability that the answer is right, shape (n,); None from a router that tells none.
    """

    model: NDArray[np.intp]
    quality: NDArray[np.float64]
    cost_usd: NDArray[np.float64]
    calls: NDArray[np.intp]
    confidence: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, dataset: RoutingDataset, decisions: Decisions) -> Replayed:
        """Return how queries end whose first choice answers."""
        column = {name: j for j, name in enumerate(dataset.models)}
        model = np.array([column.get(name, -1) for name in decisions.models], dtype=np.intp)[decisions.model]
        rows, known = np.arange(len(dataset)), model >= 0
        return cls(
            model=model,
            quality=np.where(known, dataset.quality[rows, model], np.nan),
            cost_usd=np.where(known, dataset.cost_usd[rows, model], np.nan),
            calls=np.ones(len(dataset), dtype=np.intp),
        )


@runtime_checkable
class Replays(Protocol):
    """A router that knows what its plans would have come to, faster than by driving them one by one."""

    def replay(
        self, dataset: RoutingDataset, points: Sequence[float | None], context: Context = ...
    ) -> Iterator[Replayed]:
        """Yield, for each operating point (None: the fitted one), what driving every query's plan would come to."""
        ...
