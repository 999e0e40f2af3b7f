"""Lexical: what a text is about from its words and letters alone; no download, no vocabulary file, any script."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, cached_property
from math import sqrt
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.queries import Queries
from pointsman.data.statistics import plain_text
from pointsman.errors import DataError
from pointsman.features.base import Features
from pointsman.features.hashing import word_buckets
from pointsman.types import Query

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Lexical"]

Matrix = NDArray[np.float64]
_SAMPLE = 8000  # texts, evenly spaced, that settle weights and directions; more cost time and change little
_OVERSAMPLING, _ITERATIONS = 10, 3
_TINY = 1e-9
_STEPS = 127
_MANY = 1024  # buckets of a text, with repetitions, from which on it pays to find the distinct ones
_WORD = re.compile(r"[^\W_]+")
Row = tuple[NDArray[np.int64], NDArray[np.float32]]


class LexicalState(State):
    """The projection of each bucket, shape (2**bits, components), and location and scale of the text statistics.

    Each bucket's row is kept in steps of its own size (2**bits,): a byte a number loses nothing that matters.
    """

    projection: NDArray[np.int8]
    steps: NDArray[np.float32]
    center: Matrix
    scale: Matrix

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """The projection in the precision it is used in."""
        return self.projection * self.steps[:, None]


class Lexical(Features):
    """Latent semantic analysis of hashed words, word pairs and beginnings of words, with a few statistics of the text.

    Counts are damped (1 + log) and weighted by inverse document frequency; a truncated singular value decomposition turns them
    into `components` numbers per text, scaled to unit length (Deerwester et al., 1990; Weinberger et al., 2009).

    Parameters:
        bits: 2**bits buckets.
        beginning: Code points that make the beginning of a word, which inflected and misspelt forms share; None for words only.
        components: Output dimensions of the decomposition; fewer when there are fewer training texts.
        min_texts: Training texts a bucket must occur in to count.
        max_chars: Longer texts are read at both ends, half of this each.
        statistics_weight: Scale of the text statistics beside the unit-length part.
    """

    tags = Tags(how=frozenset({"supervised"}))

    bits: Annotated[int, Ge(8), Le(20)] = 13
    beginning: Annotated[int, Ge(1), Le(16)] | None = 4
    components: Annotated[int, Ge(1)] = 128
    min_texts: Annotated[int, Ge(1)] = 3
    max_chars: Annotated[int, Ge(16)] = 20_000
    statistics_weight: Annotated[float, Ge(0)] = 0.1

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the defaults, and words alone in few dimensions."""
        return cls(), cls(bits=10, beginning=None, components=8, max_chars=64)

    def fit(self, queries: Queries) -> Self:
        """Learn bucket weights and the projection from texts, and return self."""
        self._fit(queries)
        return self

    def fit_transform(self, queries: Queries) -> Matrix:
        """Fit, and return the features of the same queries, hashing each text once."""
        return self._project(self._fit(queries), queries)

    def transform(self, queries: Queries) -> Matrix:
        """Return the features, shape (n, components + 6)."""
        return self._project(list(map(self._row, queries.plain)), queries)

    def effects(self, query: Query, direction: Matrix) -> dict[str, float]:
        """Return each word's share in the text's position along a direction, its parts of pairs and beginnings left out."""
        table = self.fitted(LexicalState).table
        buckets, shares = self._row(plain_text(query.text))
        count_of = dict.fromkeys(buckets.tolist(), 0.0)
        for bucket, share in zip(buckets.tolist(), shares.tolist(), strict=True):
            count_of[bucket] += share
        length = float(np.linalg.norm(shares @ table[buckets])) + _TINY
        found = {}
        for word in dict.fromkeys(_WORD.findall(query.text.casefold())):
            (bucket, *_) = word_buckets(word, bits=self.bits).tolist() or [None]
            if bucket in count_of:
                found[word] = count_of[bucket] * float(table[bucket] @ direction[: table.shape[1]]) / length
        return found

    def _fit(self, queries: Queries) -> list[Row]:
        """Learn the state; return the hashed rows."""
        if not len(queries):
            raise DataError("Lexical.fit needs at least one text.")
        rows = list(map(self._row, queries.plain))
        counts = self._sparse(rows[:: -(-len(rows) // _SAMPLE)])
        n = counts.shape[0]
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        weight = np.log((1 + n) / (1 + frequency)) + 1
        weight[frequency < min(self.min_texts, n)] = 0
        statistics = queries.statistics
        scale = statistics.std(axis=0)
        directions = weight[:, None] * self._directions(counts, weight)
        steps = (np.abs(directions).max(axis=1, initial=0.0) / _STEPS).astype(np.float32)
        self.with_state(
            LexicalState(
                projection=np.rint(directions / np.maximum(steps, _TINY)[:, None]).astype(np.int8),
                steps=steps,
                center=statistics.mean(axis=0),
                scale=np.where(scale > 0, scale, 1.0),
            )
        )
        return rows

    def _project(self, rows: Sequence[Row], queries: Queries) -> Matrix:
        state = self.fitted(LexicalState)
        width = state.projection.shape[1]
        out = np.empty((len(queries), width + len(state.center)))
        words = out[:, :width]
        for i, (buckets, shares) in enumerate(rows):
            # A byte a number until it is needed: a quarter of the memory to fetch at random, which is what takes the time.
            numbers = state.projection.take(buckets, axis=0, mode="clip").astype(np.float32)
            directed = (shares * state.steps.take(buckets, mode="clip")) @ numbers
            words[i] = directed / (sqrt(directed @ directed) + _TINY)
        np.multiply(queries.statistics - state.center, self.statistics_weight / state.scale, out=out[:, width:])
        return out

    def _row(self, text: str) -> Row:
        """Return the buckets of a plain text, and what each adds to its damped count: all of it where each is there once."""
        if len(text) > self.max_chars:
            half = self.max_chars // 2
            text = f"{text[:half]} {text[-half:]}"
        buckets = word_buckets(text, bits=self.bits, beginning=self.beginning)
        counts, shares = _damped()
        tally = np.bincount(buckets, minlength=1)
        if len(buckets) < _MANY:  # few are repeated, and finding them takes longer than fetching them again
            return buckets, shares.take(tally.take(buckets), mode="clip")
        distinct = tally.nonzero()[0]
        return distinct, counts.take(tally.take(distinct), mode="clip")

    def _sparse(self, rows: Sequence[Row]) -> csr_matrix:
        from scipy.sparse import csr_matrix

        ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
        buckets = np.concatenate([buckets for buckets, _ in rows])
        shares = np.concatenate([shares for _, shares in rows])
        counts = csr_matrix((shares, buckets, ends), shape=(len(rows), 1 << self.bits))
        counts.sum_duplicates()
        return counts

    def _directions(self, counts: csr_matrix, weight: Matrix) -> NDArray[np.float32]:
        """Return the leading right singular vectors of the weighted, unit-length rows, shape (2**bits, components).

        Subspace iteration from random directions (Halko, Martinsson and Tropp, 2011), ended by a small eigenproblem.
        """
        from scipy.sparse import diags_array

        weighted = counts @ diags_array(weight.astype(np.float32))
        norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        unit = (diags_array((1 / np.maximum(norms, _TINY)).astype(np.float32)) @ weighted).tocsr()
        size = max(1, min(self.components, min(unit.shape) - 1))
        width = min(size + _OVERSAMPLING, *unit.shape)
        basis = np.random.default_rng(0).standard_normal((unit.shape[1], width), dtype=np.float32)
        for _ in range(_ITERATIONS):
            basis = np.linalg.qr(unit.T @ (unit @ basis))[0]
        image = unit @ basis
        _, vectors = np.linalg.eigh(image.T @ image)
        leading: NDArray[np.float32] = basis @ vectors[:, ::-1][:, :size]
        return leading


@cache
def _damped() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return 1 + log c of the counts c from 1, after a 0 for none, and its c-th part; beyond the last, what that one has."""
    counts = np.arange(1.0, 4096.0)
    damped = 1 + np.log(counts)
    return np.r_[0.0, damped].astype(np.float32), np.r_[0.0, damped / counts].astype(np.float32)
