"""Text statistics: length, digits, lines and symbols, which tell tasks apart when words do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["text_statistics"]


def text_statistics(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return six numbers per text, shape (n, 6).

    In order: log of characters, log of words, share of digits, and log counts of line breaks, of mathematical or code symbols,
    and of opening brackets. Runs of spaces count as one, and surrounding ones not at all.
    """
    rows = np.array([_counts(text) for text in texts], dtype=np.float64).reshape(-1, 6)
    rows[:, 2] /= rows[:, 0] + 1
    rows[:, [0, 1, 3, 4, 5]] = np.log1p(rows[:, [0, 1, 3, 4, 5]])
    return rows


def _counts(text: str) -> tuple[int, ...]:
    plain = " ".join(text.split())  # how a text is spaced says nothing of what it asks
    digits = sum(map(plain.count, "0123456789"))
    symbols = sum(map(plain.count, "$=\\{}<>^"))
    lines = text.strip().count("\n")
    return len(plain), plain.count(" ") + 1, digits, lines, symbols, plain.count("(") + plain.count("[")
