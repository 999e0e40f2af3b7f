"""Embedding: a `dspy.Embedder`, or any function of texts, as the embedder of a router."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pointsman.errors import ConfigError
from pointsman.flow import Vectors

__all__ = ["Embedder", "avectors", "embedded", "vectors"]

Embedder: TypeAlias = Callable[[list[str]], Any]
"""Texts to vectors, such as a `dspy.Embedder`."""


def vectors(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Return the vectors of texts, as a plan wants them."""
    return _rows(embedder(list(texts)))


async def avectors(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Return the vectors of texts; an embedder without an `acall` of its own works in a thread."""
    acall = getattr(embedder, "acall", None)
    if acall is not None:
        return _rows(await acall(list(texts)))
    return _rows(await asyncio.to_thread(embedder, list(texts)))


def embedded(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the vectors of n texts as a dataset carries them, shape (n, d).

    Raises:
        ConfigError: If they are not one row a text.
    """
    found = np.asarray(embedder(list(texts)), dtype=np.float64)
    if found.ndim != 2 or len(found) != len(texts):  # noqa: PLR2004 - a matrix
        raise ConfigError(
            f"The embedder made an array of shape {found.shape} of {len(texts)} texts, not a row of each."
        )
    return found


def _rows(rows: Any) -> Vectors:
    return tuple(tuple(map(float, row)) for row in rows)
