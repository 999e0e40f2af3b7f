"""Hashed words, word pairs and beginnings of words as bucket numbers, in any script, with no vocabulary.

A polynomial hash over code points gives every substring's hash from two prefix sums, so a text is hashed by a handful of array
operations instead of a loop over its words.
"""

from __future__ import annotations

from functools import cache
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

__all__ = ["code_points", "word_buckets"]

Hashes = NDArray[np.uint64]
Codes = NDArray[np.uint8] | NDArray[np.uint32]
Kinds = NDArray[np.uint8]

_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
_INVERSE = pow(_BASE, -1, 2**64)
(
    _FIRST,
    _SECOND,
    _BEGINNING,
) = (  # odd factors, so that a word, its pairs and its beginning share no bucket but by chance
    np.uint64(factor) for factor in (3, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F)
)
_SPREAD = np.uint64(0xBF58476D1CE4E5B9)
_BLOCK = 4096
_PLANE = 0x10000
_BETWEEN, _SPACED, _UNSPACED = (
    np.uint8(0),
    np.uint8(1),
    np.uint8(2),
)  # what a code point is: in between words, or of words
_SCRIPTS = (  # Thai and Lao, Burmese, Khmer, kana, Han: words are written without spaces between them
    range(0x0E00, 0x0F00),
    range(0x1000, 0x10A0),
    range(0x1780, 0x1800),
    range(0x3040, 0x3100),
    range(0x3400, 0xA000),
)


def code_points(text: str) -> Codes:
    """Return the code points of a text after compatibility normalisation and case folding; a byte each where that will do."""
    if text.isascii():
        return np.frombuffer(text.lower().encode("ascii"), dtype=np.uint8)
    folded = normalize("NFKC", text).casefold()
    return np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def word_buckets(text: str, *, bits: int, beginning: int | None = None) -> NDArray[np.int64]:
    """Return the bucket, in [0, 2**bits), of every word, word pair and beginning of a word, with repetitions.

    The beginning of a word is its first `beginning` code points and, when it is shorter, what follows it; None leaves them
    out. In scripts without spaces every character begins a word.
    """
    codes = code_points(f" {text} ")
    n = len(codes)
    powers, inverses = _powers(-(-n // _BLOCK) * _BLOCK)
    sums = np.zeros(n + 1, dtype=np.uint64)
    np.multiply(codes, powers[:n], out=sums[1:])
    np.add.accumulate(sums, out=sums)
    kinds = _kinds().take(codes, mode="clip")
    edges = _edges(kinds)
    starts, until = edges[::2], sums.take(edges)
    before, shifts = until[::2], inverses.take(starts)
    words = (until[1::2] - before) * shifts
    found = [words, words[:-1] * _FIRST + words[1:] * _SECOND]
    if beginning is not None:
        if _UNSPACED in kinds.tobytes():
            starts = np.union1d(starts, (kinds == _UNSPACED).nonzero()[0])
            before, shifts = sums.take(starts), inverses.take(starts)
        whole = starts.searchsorted(n - 1 - beginning, side="right")  # not cut short by the end of the text
        first = sums.take(starts[:whole] + beginning) - before[:whole]
        found.append(first * shifts[:whole] * _BEGINNING)
    return _mixed(np.concatenate(found), bits)


def _mixed(hashes: Hashes, bits: int) -> NDArray[np.int64]:
    """Spread the lower bits over the leading ones, in place, and keep those."""
    hashes ^= hashes >> np.uint64(31)
    hashes *= _SPREAD
    hashes >>= np.uint64(64 - bits)
    return hashes.view(np.int64)


def _edges(kinds: Kinds) -> NDArray[np.intp]:
    """Return where words begin and end, by turns, in a text that neither begins nor ends with one."""
    inside = kinds != _BETWEEN
    edges: NDArray[np.intp] = (inside[1:] != inside[:-1]).nonzero()[0]
    edges += 1
    return edges


@cache
def _powers(size: int) -> tuple[Hashes, Hashes]:
    """Return the powers of the base and of its inverse, 0 to `size`, modulo 2**64."""
    made = []
    for factor in (_BASE, _INVERSE):
        powers = np.full(size + 1, factor, dtype=np.uint64)
        powers[0] = 1
        made.append(np.multiply.accumulate(powers))
    return made[0], made[1]


@cache
def _kinds() -> Kinds:
    """Return the kind of each code point of the basic plane; the last stands for all beyond it, which are written unspaced."""
    table = np.array([_SPACED if chr(code).isalnum() else _BETWEEN for code in range(_PLANE)], dtype=np.uint8)
    for script in _SCRIPTS:
        table[script] = np.where(table[script] == _SPACED, _UNSPACED, _BETWEEN)
    table[-1] = _UNSPACED
    return table
