"""Trust: how far out-of-fold predictions of differences may be believed, above all where a choice hangs on them."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.metrics.clusters import mean_error

__all__ = ["ERRORS", "Trust", "slope_of"]

Matrix = NDArray[np.float64]

_SPREAD = 0.3  # standard deviation, beforehand, of a member's share around an equal one
ERRORS = 2.0  # standard errors by which a slope is lowered
_ROUNDS = 200
_PARTS = 4  # that take turns at having no say in the shares by which their slope is measured


class Trust(State):
    """The members' shares (k,), and the slope of what really differed on what they say differs, with its standard error."""

    shares: Matrix
    slope: float
    error: float

    @property
    def factor(self) -> float:
        """What predicted differences are multiplied by: the slope less two standard errors, in [0, 1]."""
        return min(max(self.slope - ERRORS * self.error, 0.0), 1.0)

    @classmethod
    def nothing(cls, members: int) -> Self:
        """Return equal shares and no trust at all."""
        return cls(shares=np.full(members, 1 / members), slope=0.0, error=0.0)

    @classmethod
    def fit(cls, said: Matrix, real: Matrix, gap: Matrix, group: NDArray[np.int64]) -> Self:
        """Fit on differences to one model, the incumbent.

        Args:
            said: Out-of-fold predictions by k members of m differences on n queries, beyond their means, shape (k, n, m).
            real: The differences themselves, beyond their means, shape (n, m); NaN where unknown.
            gap: How much better the incumbent is on average, and the variance of that mean, shape (2, m); the incumbent's own
                column is 0.
            group: Queries of one group do not count as independent, shape (n,).
        """
        known = np.isfinite(real)
        real = np.where(known, real, 0.0)
        said = np.where(known, said, 0.0)
        weight = _competing(said.mean(axis=0), gap)
        slope, error = slope_of(_mixed_by_others(said, real, weight, group), real, weight, group)
        return cls(shares=_shares(said, real, weight, group), slope=slope, error=error)


def _competing(said: Matrix, gap: Matrix) -> Matrix:
    """Return how much each of the m differences counts: by the chance that it turns a choice, summing to 1 (or all 0).

    A model far behind the incumbent is easily told from it, which says nothing about those that are close.
    """
    from scipy.special import ndtr

    spread = said.var(axis=0) + gap[1]
    movable = spread > 0
    distance = np.divide(-gap[0], np.sqrt(spread), out=np.full(len(spread), -np.inf), where=movable)
    chance: Matrix = np.where(movable, ndtr(distance), 0.0)
    total = chance.sum()
    weights: Matrix = chance / total if total > 0 else movable / max(1, movable.sum())
    return weights


def _shares(said: Matrix, real: Matrix, weight: Matrix, group: NDArray[np.int64]) -> Matrix:
    """Return non-negative shares of the members: least squares, drawn towards equal shares as far as the noise asks for."""
    k = len(said)
    equal = np.full(k, 1 / k)
    moments = np.einsum("inm,jnm,m->ij", said, said, weight)
    rest = real - np.tensordot(equal, said, axes=1)
    scores = np.einsum("knm,nm,m->nk", said, rest, weight)
    size = float(np.trace(moments)) / k
    if size <= 0:
        return equal
    # By group, not by cell, so that neither rows that belong together nor correlated models count more than once.
    noise = float(sum(np.square(np.bincount(group, column)).sum() for column in scores.T)) / k / size
    penalty = noise / _SPREAD**2
    target = np.einsum("knm,nm,m->k", said, real, weight) + penalty * equal
    return _non_negative(moments + penalty * np.eye(k), target)


def _mixed_by_others(said: Matrix, real: Matrix, weight: Matrix, group: NDArray[np.int64]) -> Matrix:
    """Return the averaged predictions (n, m), each part's by shares fitted on the others: their own would flatter the slope."""
    part = np.unique(group, return_inverse=True)[1] % _PARTS
    mixed = np.zeros_like(real)
    for i in np.unique(part):
        held = part == i
        shares = _shares(said[:, ~held], real[~held], weight, group[~held])
        mixed[held] = np.tensordot(shares, said[:, held], axes=1)
    return mixed


def _non_negative(matrix: Matrix, target: Matrix) -> Matrix:
    """Return the non-negative minimiser of x·Ax/2 − b·x, by coordinate descent: A is small and positive definite."""
    x = np.zeros(len(target))
    for _ in range(_ROUNDS):
        for i in range(len(x)):
            x[i] = max(0.0, x[i] + (target[i] - matrix[i] @ x) / matrix[i, i])
    return x


def slope_of(said: Matrix, real: Matrix, weight: Matrix, group: NDArray[np.int64]) -> tuple[float, float]:
    """Return the weighted slope of `real` on `said`, both (n, m), and its standard error, infinite for a single group."""
    cross, square = (said * real) @ weight, np.square(said) @ weight
    total = float(square.sum())
    if total <= 0:
        return 0.0, 0.0
    slope = float(cross.sum()) / total
    error = mean_error(cross - slope * square, group) * len(group) / total
    return slope, error
