"""Embedding: vectors that were computed elsewhere, taken from the queries as they come."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.queries import Queries
from pointsman.errors import DataError
from pointsman.features.base import Features

__all__ = ["Embedding"]


class EmbeddingState(State):
    """The size of the vectors seen in training."""

    size: int


class Embedding(Features):
    """Use each query's own `embedding`, scaled to unit length unless asked otherwise.

    Whoever makes the queries computes the vectors: a dataset carries them as an array, `EstimatedRouter(embedder=...)` has its
    plan ask for them.

    Parameters:
        length: "unit" scales every vector to length 1; "given" takes them as they are.

    Raises:
        DataError: When queries have no embeddings, or ones of another size than in training.
    """

    length: Literal["unit", "given"] = "unit"

    def fit(self, queries: Queries) -> Self:
        """Remember the size of the vectors and return self."""
        return self.with_state(EmbeddingState(size=_vectors(queries).shape[1]))

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return the vectors, shape (n, d); a zero vector stays zero."""
        size, vectors = self.fitted(EmbeddingState).size, _vectors(queries)
        if vectors.shape[1] != size:
            raise DataError(f"Embeddings have {vectors.shape[1]} dimensions; the ones fitted on have {size}.")
        if self.length == "given":
            return vectors
        norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
        unit: NDArray[np.float64] = vectors * (1 / np.maximum(norms, 1e-12))[:, None]
        return unit


def _vectors(queries: Queries) -> NDArray[np.float64]:
    if queries.embeddings is None:
        raise DataError("Queries have no embeddings; set Query.embedding, or use Lexical features, which need none.")
    return queries.embeddings
