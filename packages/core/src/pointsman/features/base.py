"""Feature maps: queries in, a matrix out."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import Component
from pointsman.data.queries import Queries
from pointsman.types import Query

__all__ = ["Features"]


class Features(Component):
    """Turns n queries into a matrix of shape (n, d), float64; the same query always gives the same row."""

    @abstractmethod
    def fit(self, queries: Queries) -> Self:
        """Learn whatever the map needs (vocabulary weights, a projection, scales) and return self."""

    def fit_transform(self, queries: Queries) -> NDArray[np.float64]:
        """Fit, and return the features of the same queries, shape (n, d)."""
        return self.fit(queries).transform(queries)

    def effects(self, query: Query, direction: NDArray[np.float64]) -> dict[str, float]:
        """Return what pulls a query along a direction (d,) of the features, by name; {} where features have no names."""
        return {}

    @abstractmethod
    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return the features, shape (n, d); raise NotFittedError before `fit`."""
