"""Toys: three models, four kinds of question, and outcomes that a router can learn in milliseconds."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.types import Query, Response

__all__ = ["QUERIES", "UNUSUAL", "embed", "looks_finished", "toy", "toy_pool"]

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
_ANSWERS = {
    "arithmetic": "{1}",
    "translation": "les {0} maisons rouges",
    "code": "def largest(items): return sorted(items)[-{0}:]",
    "proof": "By Cauchy's theorem, as some prime divides {0}.",
}
_SAMPLES = 3
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

    Answers are there too, and three samples of each: models that are right say the same, those that are wrong are at odds.

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
    answers = [[_answer(cell, kinds, column, q, 0) for column, q in enumerate(row)] for cell, row in _rows(cells, data)]
    samples, scores = _sampled(cells, kinds, data)
    return replace(
        data,
        latency_s=np.tile(np.array(seconds), (len(data), 1)),
        answers=np.array(answers, dtype=object).reshape(data.quality.shape),
        samples=samples,
        sample_quality=scores,
    )


def _rows(cells: list[tuple[int, int]], data: RoutingDataset) -> list[tuple[tuple[int, int], list[float]]]:
    return list(zip(cells, data.quality.tolist(), strict=True))


def _answer(cell: tuple[int, int], kinds: tuple[str, ...], column: int, quality: float, draw: int) -> str:
    """Return what is right, or something that no other model and no other draw says."""
    number = _NUMBERS[cell[0]]
    if quality:
        return _ANSWERS[kinds[cell[1]]].format(number, 2 * number)
    return f"perhaps {number + 1 + column + 10 * draw}"


def _sampled(cells: list[tuple[int, int]], kinds: tuple[str, ...], data: RoutingDataset) -> tuple[np.ndarray, Matrix]:
    """Return three samples of each cell and their scores: one in four of the right ones goes wrong."""
    row, column, draw = np.indices((*data.quality.shape, _SAMPLES))
    scores = np.where((row + column + draw) % 4 == 0, 0.0, data.quality[..., None])
    samples = np.full(scores.shape, None, dtype=object)
    for i, j, k in np.ndindex(*scores.shape):
        samples[i, j, k] = _answer(cells[i], kinds, j, float(scores[i, j, k]), k)
    return samples, scores


def looks_finished(query: Query, response: Response) -> float | None:
    """Return whether a text ends as sentences do, and None for an empty one: a verifier of one's own.

    >>> looks_finished(Query(text="2+2?"), Response(model="small", text="It is 4."))
    1.0
    """
    del query
    return float(response.text.rstrip().endswith((".", "!", "?", ")"))) if response.text.strip() else None


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
