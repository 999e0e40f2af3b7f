"""Codes: what recorded answers say, as numbers that can be compared all at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pointsman.confidence.equivalence import KeyedEquivalence
from pointsman.data.dataset import RoutingDataset

__all__ = ["ABSENT", "MUTE", "keys_of", "sample_keys_of", "texts_of"]

Codes = NDArray[np.int64]

ABSENT = -2
"""The code of an answer that was not kept."""
MUTE = -1
"""The code of an answer that cannot be compared with any other."""


def keys_of(dataset: RoutingDataset, model: str, equivalence: KeyedEquivalence) -> Codes:
    """Return a code for each of a model's answers, shape (n,): equal where answers of any models say the same."""
    answers, responses = _column(dataset.answers, dataset, model), _column(dataset.responses, dataset, model)
    texts = (response if answer is None else answer for answer, response in zip(answers, responses, strict=True))
    return _coded(texts, equivalence, len(dataset))


def texts_of(dataset: RoutingDataset, model: str) -> list[str]:
    """Return all that a model wrote, as far as it was kept, else its final answers; "" where nothing was kept."""
    answers, responses = _column(dataset.answers, dataset, model), _column(dataset.responses, dataset, model)
    kept = (answer if response is None else response for answer, response in zip(answers, responses, strict=True))
    return ["" if text is None else text for text in kept]


def _column(texts: NDArray[np.object_] | None, dataset: RoutingDataset, model: str) -> list[str | None]:
    return [None] * len(dataset) if texts is None else list(texts[:, dataset.models.index(model)])


def sample_keys_of(dataset: RoutingDataset, model: str, equivalence: KeyedEquivalence, count: int) -> Codes:
    """Return codes of the first samples of each cell, shape (n, count); a sample that is not on record is absent."""
    codes = np.full((len(dataset), count), ABSENT, dtype=np.int64)
    if dataset.samples is None:
        return codes
    column = dataset.models.index(model)
    for number in range(min(count, dataset.samples.shape[2])):
        kept = dataset.samples[:, column, number]
        if dataset.sample_quality is not None:  # a run that was scored happened, even if it gave no answer
            scored = np.isfinite(dataset.sample_quality[:, column, number])
            kept = np.where(scored & (kept == None), "", kept)  # noqa: E711 - elementwise on objects
        codes[:, number] = _coded(kept.tolist(), equivalence, len(dataset))
    return codes


def _coded(texts: Iterable[str | None], equivalence: KeyedEquivalence, count: int) -> Codes:
    cache: dict[str, int] = {}

    def code(text: str | None) -> int:
        if text is None:
            return ABSENT
        if text not in cache:
            cache[text] = _number(equivalence.key(text))
        return cache[text]

    return np.fromiter(map(code, texts), dtype=np.int64, count=count)


def _number(key: Hashable | None) -> int:
    """Return a number of a key, the same in every process, as good as unique."""
    if key is None:
        return MUTE
    return int.from_bytes(blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 2
