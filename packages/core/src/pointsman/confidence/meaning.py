"""EmbeddingMatch: answers whose vectors point in nearly the same direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Le

from pointsman.confidence.equivalence import Equivalence
from pointsman.confidence.reading import normalised
from pointsman.flow import Plan, embed
from pointsman.types import CallError, Embed, Query

__all__ = ["EmbeddingMatch"]


class EmbeddingMatch(Equivalence):
    """Answers are the same when the cosine of their vectors with that of the group's first answer reaches a threshold.

    Equal texts, but for spelling, are the same without a vector; when the embedder fails, only they are.

    Parameters:
        embedder: Name of the embedder.
        threshold: The cosine, in [-1, 1].
    """

    embedder: str
    threshold: Annotated[float, Ge(-1), Le(1)] = 0.9

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that asks the toy embedder."""
        return (cls(embedder="words", threshold=0.8),)

    def groups(self, query: Query, answers: Sequence[str]) -> Plan[tuple[int | None, ...]]:
        """Embed the distinct answers and put each into the first group that is near enough."""
        texts = [normalised(answer) for answer in answers]
        distinct = tuple(dict.fromkeys(text for text in texts if text))
        group_of = {text: i for i, text in enumerate(distinct)}
        if len(distinct) > 1:
            try:
                vectors = yield from embed(Embed(embedder=self.embedder, texts=distinct))
            except CallError:
                vectors = ()
            if vectors:
                group_of = dict(zip(distinct, _near(np.array(vectors), self.threshold), strict=True))
        return tuple(group_of.get(text) for text in texts)


def _near(vectors: np.ndarray, threshold: float) -> list[int]:
    """Return each vector's group: that of the first representative near enough, else a new one."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    firsts: list[int] = []
    groups = []
    for i, vector in enumerate(unit):
        near = [g for g, first in enumerate(firsts) if float(unit[first] @ vector) >= threshold]
        groups.append(near[0] if near else len(firsts))
        if not near:
            firsts.append(i)
    return groups
