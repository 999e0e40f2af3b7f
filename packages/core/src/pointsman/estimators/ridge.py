"""Ridge regression of many targets at once, with the penalty chosen by exact leave-one-out error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ridge", "RidgeSolver"]

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ridge:
    """Weights (d, t) and intercepts (t,) of t targets, and the penalty they share."""

    weights: Matrix
    bias: Matrix
    penalty: float


class RidgeSolver:
    """Solves regressions on the same rows (n, d), each set of rows decomposed once.

    A penalty is the λ of |y − Xw|² + λ|w|²; the intercept is not penalised.
    """

    def __init__(self, rows: Matrix) -> None:
        self._rows = rows
        self._bases: dict[bytes, _Basis] = {}

    def fit(self, targets: Matrix, penalties: Sequence[float], *, observed: Mask | None = None) -> Ridge:
        """Fit targets (n, t); of several penalties, the one of least leave-one-out error serves all of them.

        `observed` (n, t) marks the cells to fit on; targets observed on the same rows are solved together.
        """
        mask = np.ones(targets.shape, dtype=np.bool_) if observed is None else observed
        patterns, of = np.unique(mask.T, axis=0, return_inverse=True)
        parts = []
        for i, pattern in enumerate(patterns):
            some = np.flatnonzero(of.ravel() == i)
            parts.append((some, _Centred(self._basis(pattern), targets[np.ix_(np.flatnonzero(pattern), some)])))
        errors = [sum(part.leave_one_out_error(penalty) for _, part in parts) for penalty in penalties]
        best = float(penalties[int(np.argmin(errors))])
        weights, bias = np.zeros((self._rows.shape[1], targets.shape[1])), np.zeros(targets.shape[1])
        for some, part in parts:
            weights[:, some], bias[some] = part.solution(best)
        return Ridge(weights=weights, bias=bias, penalty=best)

    def _basis(self, pattern: Mask) -> _Basis:
        key = pattern.tobytes()
        if key not in self._bases:
            self._bases[key] = _Basis.of(self._rows[pattern])
        return self._bases[key]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Basis:
    """Centred rows in the eigenbasis of their covariance, where every penalty is cheap."""

    mean: Matrix
    values: Matrix
    vectors: Matrix
    scores: Matrix

    @classmethod
    def of(cls, rows: Matrix) -> _Basis:
        mean = rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1])
        centred = rows - mean
        values, vectors = np.linalg.eigh(centred.T @ centred)
        return cls(mean=mean, values=np.maximum(values, 0.0), vectors=vectors, scores=centred @ vectors)


class _Centred:
    """Targets on a basis."""

    def __init__(self, basis: _Basis, targets: Matrix) -> None:
        self._basis = basis
        self._mean = targets.mean(axis=0) if len(targets) else np.zeros(targets.shape[1])
        self._targets = targets - self._mean
        self._cross = basis.scores.T @ self._targets

    def solution(self, penalty: float) -> tuple[Matrix, Matrix]:
        """Return weights (d, t) and intercepts (t,)."""
        basis = self._basis
        weights = basis.vectors @ (self._cross / (basis.values + penalty)[:, None])
        return weights, self._mean - basis.mean @ weights

    def leave_one_out_error(self, penalty: float) -> float:
        """Return the summed squared error of each row under the fit on all others, exactly (Allen's PRESS)."""
        basis, n = self._basis, len(self._targets)
        shrink = 1 / (basis.values + penalty)
        leverage = np.square(basis.scores) @ shrink + 1 / max(n, 1)
        residual = self._targets - basis.scores @ (self._cross * shrink[:, None])
        return float(np.square(residual / np.maximum(1 - leverage, 1e-9)[:, None]).sum())
