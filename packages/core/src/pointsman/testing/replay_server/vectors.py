"""Embeddings without a model: counts of hashed character trigrams, as unit vectors."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["embed"]


def embed(text: str, dimensions: int) -> NDArray[np.float32]:
    """Return a (dimensions,) float32 unit vector, the same for the same text in every process.

    Texts that share trigrams point in similar directions (the hashing trick of Weinberger et al., 2009).

    >>> near, far = (float(embed("red wine", 64) @ embed(text, 64)) for text in ("white wine", "integrals"))
    >>> near > far
    True
    """
    padded = f"  {text.lower()}  "
    counts = np.zeros(dimensions)
    for start in range(len(padded) - 2):
        code = zlib.crc32(padded[start : start + 3].encode("utf-8", "surrogatepass"))
        counts[(code >> 1) % dimensions] += 1.0 if code & 1 else -1.0
    length = float(np.linalg.norm(counts))
    if length == 0:  # every trigram met one of the opposite sign
        counts[0] = length = 1.0
    return (counts / length).astype(np.float32)
