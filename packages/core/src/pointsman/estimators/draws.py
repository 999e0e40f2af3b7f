"""Draws: how sure the difference between two models is, which no model's own interval can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Contrast", "best_shares", "contrast", "expected_best"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contrast:
    """How m models compare with one of them on n queries, each of shape (n, m); the model's own column is 0, 0, 0.5.

    Parameters:
        mean: Expected quality less that of the reference.
        sd: Standard deviation of this difference; NaN where there is one draw.
        better: Probability that it is positive; a tie counts half, so that two models' probabilities add up to 1.
    """

    mean: Matrix
    sd: Matrix
    better: Matrix


def contrast(draws: Matrix, reference: int) -> Contrast:
    """Compare draws of quality (s, n, m), one by one, with the column of a reference model."""
    gap = draws - draws[:, :, reference, None]
    sd = gap.std(axis=0, ddof=1) if len(gap) > 1 else np.full(gap.shape[1:], np.nan)
    return Contrast(mean=gap.mean(axis=0), sd=sd, better=((np.sign(gap) + 1) / 2).mean(axis=0))


def best_shares(draws: Matrix) -> Matrix:
    """Return how often each model is the best one in draws (s, n, m), shape (n, m), rows adding up to 1; ties are shared."""
    top = draws == draws.max(axis=2, keepdims=True)
    shares: Matrix = (top / top.sum(axis=2, keepdims=True)).mean(axis=0)
    return shares


def expected_best(draws: Matrix) -> NDArray[np.float64]:
    """Return the expected quality of the best of all models in draws (s, n, m), shape (n,): at least the best expectation."""
    best: NDArray[np.float64] = draws.max(axis=2).mean(axis=0)
    return best
