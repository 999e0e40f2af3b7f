"""Honesty: what became of the answers that were accepted, and what their probabilities should have been."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.estimators.conditional_logit import conditional_logit

__all__ = ["Honesty"]

Matrix = NDArray[np.float64]

_PENALTY = 3.0
_EDGE = 1e-4


class Honesty(State):
    """A line on log-odds for each learnt cost weight: the answers a plan stops at are those whose probability looks good.

    A posterior that is right on average is too sure of the answers that were chosen for it. How much so depends on the price on
    cost, and is seen on the training queries' own ends (Platt, 1999).
    """

    grid: Matrix
    line: Matrix

    @classmethod
    def fit(cls, grid: Matrix, ends: Iterable[tuple[Matrix, Matrix]]) -> Self:
        """Learn from what was held right with which probability, and whether it was, each (n,), for every weight of `grid`."""
        return cls(grid=grid, line=np.stack([_line(sure, right) for sure, right in ends]))

    def told(self, probability: Matrix, weight: float) -> Matrix:
        """Return honest probabilities at a cost weight, interpolated between those learnt; 0 stays 0."""
        shift, slope = (float(np.interp(weight, self.grid, column)) for column in self.line.T)
        honest: Matrix = np.where(probability > 0, 1 / (1 + np.exp(-shift - slope * _odds(probability))), 0.0)
        return honest


def _odds(probability: Matrix) -> Matrix:
    kept = np.clip(probability, _EDGE, 1 - _EDGE)
    odds: Matrix = np.log(kept / (1 - kept))
    return odds


def _line(sure: Matrix, right: Matrix) -> Matrix:
    given = sure > 0
    n = int(given.sum())
    both, target = np.zeros((2 * n, 2)), np.zeros(2 * n)
    both[::2] = np.stack([np.ones(n), _odds(sure[given])], axis=1)
    target[::2], target[1::2] = right[given], 1 - right[given]
    return conditional_logit(both, np.repeat(np.arange(n), 2), target, np.full(2, _PENALTY), np.array([0.0, 1.0]))
