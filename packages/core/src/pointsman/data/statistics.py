"""Text statistics: length, digits, lines and symbols, which tell tasks apart when words do not."""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p

import numpy as np
from numpy.typing import NDArray

__all__ = ["text_statistics"]


def text_statistics(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return six numbers per text, shape (n, 6).

    In order: log of characters, log of words, share of digits, and log counts of line breaks, of mathematical or code symbols,
    and of opening brackets. Runs of spaces count as one, and surrounding ones not at all.
    """
    return np.array([_statistics(text) for text in texts], dtype=np.float64).reshape(-1, 6)


def _statistics(text: str) -> tuple[float, ...]:
    plain = " ".join(text.split())  # how a text is spaced says nothing of what it asks
    count, length = plain.count, len(plain)
    digits = sum(map(count, "0123456789"))
    symbols = sum(map(count, "$=\\{}<>^"))
    lines = text.strip().count("\n") if "\n" in text else 0
    brackets = count("(") + count("[")
    return log1p(length), log1p(count(" ") + 1), digits / (length + 1), log1p(lines), log1p(symbols), log1p(brackets)
