"""Text statistics: length, digits, lines and symbols, which tell tasks apart when words do not."""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p

import numpy as np
from numpy.typing import NDArray

__all__ = ["plain_text", "text_statistics"]

_KINDS = bytes.maketrans(b"0123456789$=\\{}<>^([", b"0000000000========((")  # digits, symbols, opening brackets


def plain_text(text: str) -> str:
    """Return a text with single spaces and none around it: how it is spaced says nothing of what it asks."""
    if text.isprintable() and "  " not in text:  # of all that separates words, only the space is printable
        return text.strip(" ")
    return " ".join(text.split())


def text_statistics(texts: Sequence[str], plain: Sequence[str] | None = None) -> NDArray[np.float64]:
    """Return six numbers per text, shape (n, 6).

    In order: log of characters, log of words, share of digits, and log counts of line breaks, of mathematical or code symbols,
    and of opening brackets. Runs of spaces count as one, and surrounding ones not at all; `plain` is the texts' `plain_text`
    where it is at hand.
    """
    spaced = map(plain_text, texts) if plain is None else plain
    return np.array(list(map(_statistics, texts, spaced)), dtype=np.float64).reshape(-1, 6)


def _statistics(text: str, plain: str) -> tuple[float, ...]:
    length = len(plain)
    kinds = plain.encode("utf-8", "surrogatepass").translate(_KINDS)
    lines = text.strip().count("\n") if "\n" in text else 0
    return (
        log1p(length),
        log1p(kinds.count(b" ") + 1),
        kinds.count(b"0") / (length + 1),
        log1p(lines),
        log1p(kinds.count(b"=")),
        log1p(kinds.count(b"(")),
    )
