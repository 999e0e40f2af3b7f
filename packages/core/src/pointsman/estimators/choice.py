"""Ties: which models are as good as the best, and which of them to take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["TIE", "first_choice", "ranked"]

TIE = 1e-9
"""Scores closer than this are equal, so that the order of a floating-point sum never decides."""

Matrix = NDArray[np.float64]


def first_choice(scores: Matrix, cost_usd: Matrix, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.intp]:
    """Return the column of the highest score in each row, shape (n,).

    Scores within `TIE` of the best are ties: the cheapest of them wins (unknown cost last), then the first column. Columns are
    in alphabetical order everywhere, so the order in which models were given cannot matter.
    """
    if allowed is not None:
        scores = np.where(allowed, scores, -np.inf)
    tied = scores >= np.maximum.reduce(scores, axis=1, keepdims=True) - TIE
    first: NDArray[np.intp]
    if np.count_nonzero(tied) == len(tied):
        first = tied.argmax(axis=1)
        return first
    price = np.where(np.isnan(cost_usd), np.inf, cost_usd)
    price = np.where(tied, price, np.inf)
    cheapest = tied & (price <= price.min(axis=1, keepdims=True) * (1 + TIE))
    first = cheapest.argmax(axis=1)
    return first


def ranked(scores: Matrix, cost_usd: Matrix) -> list[int]:
    """Return the columns of one row, shape (m,), by score, then cost, then position; scores within `TIE` are ties."""
    order: list[int] = np.lexsort((cost_usd, np.ceil(scores / -TIE - 0.5))).tolist()  # NaN, unknown, comes last
    return order
