"""Union: several feature maps side by side."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Len
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.queries import Queries
from pointsman.errors import ConfigError
from pointsman.features.base import Features
from pointsman.types import Query

__all__ = ["Union"]


class UnionState(State):
    """The fitted parts."""

    parts: tuple[Features, ...]


class Union(Features):
    """Put the columns of several feature maps next to each other.

    Parameters:
        parts: The maps; cloned by `fit`.
        weights: A factor for each part; None means 1.
    """

    parts: Annotated[tuple[Features, ...], Len(1)]
    weights: tuple[Annotated[float, Ge(0)], ...] | None = None

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return words and vectors side by side."""
        from pointsman.features.embedding import Embedding
        from pointsman.features.lexical import Lexical

        return (cls(parts=(Lexical(components=4), Embedding()), weights=(1.0, 0.5)),)

    def __post_init__(self) -> None:
        """Validate the parameters, and that there is a weight for each part."""
        super().__post_init__()
        if self.weights is not None and len(self.weights) != len(self.parts):
            raise ConfigError(f"Union.weights has {len(self.weights)} factors for {len(self.parts)} parts.")

    def fit(self, queries: Queries) -> Self:
        """Fit a clone of every part and return self."""
        return self.with_state(UnionState(parts=tuple(part.clone().fit(queries) for part in self.parts)))

    def fit_transform(self, queries: Queries) -> NDArray[np.float64]:
        """Fit a clone of every part, and return the weighted columns for the same queries, shape (n, sum of theirs)."""
        parts = tuple(part.clone() for part in self.parts)
        rows = [part.fit_transform(queries) for part in parts]
        self.with_state(UnionState(parts=parts))
        return np.hstack([weight * row for weight, row in zip(self._factors, rows, strict=True)])

    @property
    def _factors(self) -> tuple[float, ...]:
        return self.weights or (1.0,) * len(self.parts)

    def effects(self, query: Query, direction: NDArray[np.float64]) -> dict[str, float]:
        """Return what pulls in any part, each along its own columns."""
        parts = self.fitted(UnionState).parts
        found: dict[str, float] = {}
        start = 0
        for weight, part in zip(self._factors, parts, strict=True):
            width = part.transform(Queries.of(query)).shape[1]
            found |= part.effects(query, weight * direction[start : start + width])
            start += width
        return found

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return the weighted columns of all parts, shape (n, sum of theirs)."""
        parts = self.fitted(UnionState).parts
        return np.hstack([weight * part.transform(queries) for weight, part in zip(self._factors, parts, strict=True)])
