"""Toys: three models, four kinds of question, and outcomes that a router can learn in milliseconds."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.types import Query

__all__ = ["QUERIES", "UNUSUAL", "embed", "toy", "toy_pool"]

Matrix = NDArray[np.float64]

_SIZE = 8
_NUMBERS = (2, 3, 7, 12, 25, 31, 48, 64, 77, 90)
_LABELLED = 8
_QUESTIONS = {
    "arithmetic": "What is {0} + {0}?",
    "translation": "Translate 'the {0} red houses' into French.",
    "code": "Write a Python function that returns the {0} largest items of a list.",
    "proof": "Prove that every group of order {0} has a subgroup of prime order.",
}
_SKILL = {"small": (1.0, 0.3, 0.0, 0.0), "medium": (1.0, 1.0, 0.6, 0.0), "large": (1.0, 0.9, 1.0, 0.8)}
_USD_PER_CHAR = {"small": 1e-6, "medium": 1e-5, "large": 1e-4}
_SECONDS = {"small": 0.2, "medium": 0.5, "large": 1.5}


def embed(text: str) -> tuple[float, ...]:
    """Return a vector of eight numbers that depends on the words of a text alone, the same in every process.

    >>> len(embed("two words")), embed("two words") == embed("words two")
    (8, True)
    """
    vector = np.zeros(_SIZE)
    for word in text.lower().split():
        digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=2).digest()
        vector[digest[0] % _SIZE] += 1 if digest[1] % 2 else -1
    return tuple((vector / max(1.0, float(np.linalg.norm(vector)))).tolist())


def toy_pool() -> ModelPool:
    """Return the three models "small", "medium" and "large", the dearer ones with more capabilities and longer windows."""
    rows = {
        "small": (0.1, 8_000, frozenset({"structured_output"})),
        "medium": (1.0, 16_000, frozenset({"structured_output", "tools"})),
        "large": (10.0, 200_000, frozenset({"structured_output", "tools", "image"})),
    }
    return ModelPool(
        ModelSpec(
            name=name,
            price=Price(input_per_mtok=rate, output_per_mtok=4 * rate),
            context_window=window,
            capabilities=capabilities,
        )
        for name, (rate, window, capabilities) in rows.items()
    )


def toy(rows: int = 40) -> RoutingDataset:
    """Return outcomes of three models on up to 40 questions of four kinds, with costs, latencies, domains and embeddings.

    The small model adds, the medium one translates as well, only the large one proves; each is ten times as dear as the one
    before. Two questions in ten carry no domain.

    >>> data = toy()
    >>> data, data.cheapest, data.best_single
    (RoutingDataset(40 queries × 3 models), 'small', 'large')
    """
    kinds = tuple(_QUESTIONS)
    cells = [(number, kind) for number, kind in product(range(len(_NUMBERS)), range(len(kinds)))][:rows]
    texts = [_QUESTIONS[kinds[kind]].format(_NUMBERS[number]) for number, kind in cells]
    data = RoutingDataset.from_arrays(
        texts,
        {model: [float(number < 10 * skill[kind]) for number, kind in cells] for model, skill in _SKILL.items()},
        {model: [rate * len(text) for text in texts] for model, rate in _USD_PER_CHAR.items()},
        domains=[kinds[kind] if number < _LABELLED else None for number, kind in cells],
        embeddings=np.array([embed(text) for text in texts]).reshape(len(texts), _SIZE),
        pool=toy_pool(),
    )
    seconds = [_SECONDS[model] for model in data.models]
    return replace(data, latency_s=np.tile(np.array(seconds), (len(data), 1)))


def _queries(texts: dict[str, str], domains: dict[str, str] | None = None) -> tuple[Query, ...]:
    known = domains or {}
    return tuple(
        Query(text=text, id=name, domain=known.get(name), embedding=_frozen(embed(text)))
        for name, text in texts.items()
    )


def _frozen(vector: tuple[float, ...]) -> Matrix:
    array = np.array(vector)
    array.flags.writeable = False
    return array


QUERIES: tuple[Query, ...] = _queries(
    {
        "sum": "What is 2 + 2?",
        "new sum": "What is 17 + 17?",
        "translation": "Translate 'the 5 red houses' into French.",
        "code": "Write a Python function that returns the 9 largest items of a list.",
        "proof": "Prove that every group of order 15 has a subgroup of prime order.",
        "other": "Who painted the ceiling of the Sistine Chapel, and in which years?",
    },
    {"sum": "arithmetic", "translation": "translation", "code": "cooking"},
)
"""Questions to decide on: seen and unseen in training, with a known, an unknown and no domain."""

UNUSUAL: tuple[Query, ...] = _queries(
    {
        "empty": "",
        "blank": " \n\t",
        "emoji": "🤔🧮 👩‍👩‍👧‍👦 = ❓",
        "chinese": "请证明每个素数阶群都是循环群。",
        "arabic": "ما هو مجموع ٢ و ٢؟",
        "accents": "Ç̈à" * 20,
        "null": "a\x00b",
        "half a pair": "\ud83e",
        "long": "words without end " * 5_556,
    }
)
"""Texts that no training set has: empty, other scripts, half a surrogate pair, a hundred thousand characters."""
