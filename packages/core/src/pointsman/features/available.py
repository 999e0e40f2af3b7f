"""Available: everything the queries at hand can be told apart by."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.queries import Queries
from pointsman.features.base import Features
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.features.union import Union
from pointsman.types import Query

__all__ = ["Available"]


class AvailableState(State):
    """The features in use."""

    features: Features


class Available(Features):
    """Use the words of a query and, where the training queries come with vectors, those too.

    What was there in training is needed later: queries without a vector raise DataError when vectors were learnt from.

    Parameters:
        words: The features of the text; cloned by `fit`.
    """

    words: Features = Lexical()

    def fit(self, queries: Queries) -> Self:
        """Fit the parts and return self."""
        return self.with_state(AvailableState(features=self._parts(queries).fit(queries)))

    def fit_transform(self, queries: Queries) -> NDArray[np.float64]:
        """Fit, and return the features of the same queries, shape (n, d)."""
        features = self._parts(queries)
        rows = features.fit_transform(queries)
        self.with_state(AvailableState(features=features))
        return rows

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return the features, shape (n, d)."""
        return self.fitted(AvailableState).features.transform(queries)

    def effects(self, query: Query, direction: NDArray[np.float64]) -> dict[str, float]:
        """Return what the parts say."""
        return self.fitted(AvailableState).features.effects(query, direction)

    def _parts(self, queries: Queries) -> Features:
        words = self.words.clone()
        return words if queries.embeddings is None else Union(parts=(Embedding(), words))
