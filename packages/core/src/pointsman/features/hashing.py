"""Hashed n-grams: the words, word pairs and character n-grams of a text as bucket numbers, in any script, with no vocabulary.

A polynomial hash over code points gives every substring's hash from two prefix sums, so a text is hashed by a handful of array
operations instead of a loop over its n-grams.
"""

from __future__ import annotations

from functools import cache
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

__all__ = ["code_points", "ngram_buckets"]

Hashes = NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
_INVERSE = pow(_BASE, -1, 2**64)
_BLOCK = 4096
_PLANE = 0x10000


def code_points(text: str) -> NDArray[np.uint8] | NDArray[np.uint32]:
    """Return the code points of a text after compatibility normalisation and case folding; a byte each where that will do."""
    if text.isascii():
        return np.frombuffer(text.lower().encode("ascii"), dtype=np.uint8)
    folded = normalize("NFKC", text).casefold()
    return np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


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
def _word_table() -> NDArray[np.bool_]:
    """Tell for each code point of the basic plane whether it belongs to a word."""
    return np.array([chr(code).isalnum() for code in range(_PLANE)])


def _in_word(codes: NDArray[np.uint8] | NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Tell which code points belong to words; those beyond the basic plane always do."""
    if codes.dtype == np.uint8:
        return _word_table()[codes]
    return _word_table()[np.minimum(codes, _PLANE - 1)] | (codes >= _PLANE)


def ngram_buckets(text: str, *, bits: int, chars: tuple[int, ...] = ()) -> NDArray[np.int64]:
    """Return the bucket, in [0, 2**bits), of every word, word pair and character n-gram of a text, with repetitions.

    `chars` names the lengths of character n-grams; they run over spaces and punctuation too.
    """
    codes = code_points(text)
    n = len(codes)
    if not n:
        return np.empty(0, dtype=np.int64)
    powers, inverses = _powers(-(-n // _BLOCK) * _BLOCK)
    sums = np.zeros(n + 1, dtype=np.uint64)
    places = codes.astype(np.uint64)
    places += np.uint64(1)
    places *= powers[:n]
    np.cumsum(places, out=sums[1:])
    inside = np.zeros(n + 2, dtype=np.bool_)
    inside[1:-1] = _in_word(codes)
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = edges[::2], edges[1::2]
    words = (sums[ends] - sums[starts]) * inverses[starts]
    pairs = words[:-1] * np.uint64(3) + words[1:] * np.uint64(_BASE)
    found = [_mixed(words, 1), _mixed(pairs, 2)]
    found += [_mixed((sums[k:] - sums[:-k]) * inverses[: n + 1 - k], k + 2) for k in chars if k <= n]
    hashes = np.concatenate(found)
    hashes >>= np.uint64(64 - bits)
    return hashes.view(np.int64)


def _mixed(hashes: Hashes, salt: int) -> Hashes:
    """Spread the bits in place, differently for each kind of n-gram."""
    hashes ^= hashes >> np.uint64(31)
    hashes *= np.uint64(0xBF58476D1CE4E5B9 + 2 * salt)
    hashes ^= hashes >> np.uint64(29)
    return hashes
