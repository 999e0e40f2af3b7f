"""Embedding: a LlamaIndex embedding model as what computes a router's vectors, offline and at call time alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding
from numpy.typing import NDArray

__all__ = ["Embedder"]


@dataclass(frozen=True, slots=True)
class Embedder:
    """Texts to vectors of shape (n, d), by a LlamaIndex embedding model.

    A RouterLLM that is given the model under `embedders` embeds questions in the same way, as texts and not as queries, so
    that a router decides on the vectors it was fitted on.

    Parameters:
        model: The embedding model.

    >>> from llama_index.core import MockEmbedding
    >>> Embedder(MockEmbedding(embed_dim=3))(["one", "two"]).shape
    (2, 3)
    """

    model: BaseEmbedding

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors of texts."""
        return _array(self.model.get_text_embedding_batch(list(texts)))

    async def aembed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors of texts."""
        return _array(await self.model.aget_text_embedding_batch(list(texts)))


def _array(rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    return np.asarray(rows, dtype=np.float64)
