"""Actions: whom to ask next, one model or several at the same time, and what that takes."""

from __future__ import annotations

from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.estimators.answer_posterior import members

__all__ = ["Actions"]

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]

_MOST = 3  # models at a time: each more multiplies what has to be learnt


class Actions(State):
    """Which of k models each action asks, shape (a, k): first each model alone, in order, then those asked together."""

    asks: Mask

    @classmethod
    def of(cls, k: int, *, together: bool) -> Self:
        """Return the actions on k models; up to three of them at a time where that is wanted.

        >>> Actions.of(2, together=True).asks.astype(int).tolist()
        [[1, 0], [0, 1], [1, 1]]
        """
        sizes = range(1, min(k, _MOST if together else 1) + 1)
        groups = [group for size in sizes for group in combinations(range(k), size)]
        return cls(asks=np.array([[j in group for j in range(k)] for group in groups], dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.asks)

    def most(self, values: Matrix) -> Matrix:
        """Return the largest value of the models that each action asks, shape (n, a), of values (n, k)."""
        if len(self.asks) == values.shape[1]:
            return values
        largest: Matrix = np.where(self.asks, values[:, None, :], -np.inf).max(axis=2)
        return largest

    def total(self, values: Matrix) -> Matrix:
        """Return the sum of the values of the models that each action asks, shape (n, a), of values (n, k)."""
        if len(self.asks) == values.shape[1]:
            return values
        sums: Matrix = np.where(self.asks, values[:, None, :], 0.0).sum(axis=2)
        return sums

    def open(self, subset: int, allowed: Mask) -> Mask:
        """Return which actions ask nobody of a subset and only models that are allowed (n, k), shape (n, a)."""
        free = allowed.copy()
        free[:, members(subset)] = False
        return np.asarray((free[:, None, :] | ~self.asks).all(axis=2))

    def bits(self, action: int) -> int:
        """Return the subset that an action asks."""
        return sum(1 << j for j in np.flatnonzero(self.asks[action]).tolist())
