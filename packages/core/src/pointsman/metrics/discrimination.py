"""Discrimination: does a score rank right answers above wrong ones? It bounds what any threshold on it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import DataError
from pointsman.metrics.arrays import aligned, vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["auroc"]


def auroc(score: ArrayLike, correct: ArrayLike) -> float | None:
    """Return the area under the ROC curve: how often a right answer outscores a wrong one, a tie counting half.

    (R₊ - n₊(n₊ + 1)/2) / (n₊ n₋) with R₊ the sum of the right answers' mid-ranks (Mann and Whitney, 1947).

    Args:
        score: (n,) scores; only their order matters.
        correct: (n,) 1 (or True) for right, 0 for wrong.

    Returns:
        The area, .5 for a score that says nothing; None if all answers are right or all are wrong.

    Raises:
        DataError: Lengths differ, a number is missing, or `correct` holds anything but 0 and 1.

    >>> auroc([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0])
    0.875
    """
    scores, right = vector("score", score), vector("correct", correct)
    aligned(score=scores, correct=right)
    if not np.isin(right, (0, 1)).all():
        raise DataError("correct: expected only 0 and 1; cut a graded quality at a threshold first")
    positive = right.sum()
    negative = len(right) - positive
    if positive == 0 or negative == 0:
        return None
    _, block, size = np.unique(scores, return_inverse=True, return_counts=True)
    mid_rank = size.cumsum() - (size - 1) / 2
    return float((mid_rank[block] @ right - positive * (positive + 1) / 2) / (positive * negative))
