"""Ridge regression of many targets at once, with the penalty chosen by exact leave-one-out error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ridge", "ridge"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ridge:
    """Weights (d, t) and intercepts (t,) of t targets, and the penalty they share."""

    weights: Matrix
    bias: Matrix
    penalty: float


def ridge(rows: Matrix, targets: Matrix, penalties: Sequence[float], *, observed: NDArray[np.bool_] | None = None) -> Ridge:
    """Fit targets (n, t) on rows (n, d); of several penalties the one of least leave-one-out error serves all targets.

    `observed` (n, t) marks the cells to fit; targets that share a pattern of observed rows are solved together. The intercept
    is not penalised. A penalty is the λ of |y − Xw|² + λ|w|².
    """
    if observed is None or observed.all():
        groups = [(np.arange(len(rows)), np.arange(targets.shape[1]))]
    else:
        patterns, of = np.unique(observed.T, axis=0, return_inverse=True)
        groups = [(np.flatnonzero(p), np.flatnonzero(of.ravel() == i)) for i, p in enumerate(patterns)]
    parts = [_Decomposed(rows[seen], targets[np.ix_(seen, some)]) for seen, some in groups]
    errors = [sum(part.leave_one_out_error(penalty) for part in parts) for penalty in penalties]
    best = penalties[int(np.argmin(errors))]
    weights, bias = np.zeros((rows.shape[1], targets.shape[1])), np.zeros(targets.shape[1])
    for part, (_, some) in zip(parts, groups, strict=True):
        weights[:, some] = part.weights(best)
        bias[some] = part.target_mean - part.row_mean @ weights[:, some]
    return Ridge(weights=weights, bias=bias, penalty=float(best))


class _Decomposed:
    """Centred rows and targets in the eigenbasis of the rows' covariance, where every penalty is cheap."""

    def __init__(self, rows: Matrix, targets: Matrix) -> None:
        n = len(rows)
        self.row_mean = rows.mean(axis=0) if n else np.zeros(rows.shape[1])
        self.target_mean = targets.mean(axis=0) if n else np.zeros(targets.shape[1])
        self.targets = targets - self.target_mean
        centred = rows - self.row_mean
        values, self.vectors = np.linalg.eigh(centred.T @ centred)
        self.values = np.maximum(values, 0.0)
        self.scores = centred @ self.vectors
        self.cross = self.scores.T @ self.targets

    def weights(self, penalty: float) -> Matrix:
        """Return the solution, shape (d, t)."""
        weights: Matrix = self.vectors @ (self.cross / (self.values + penalty)[:, None])
        return weights

    def leave_one_out_error(self, penalty: float) -> float:
        """Return the sum of squared errors of each row by a fit on the others, exactly (Allen's PRESS)."""
        n = len(self.scores)
        if n < 2:  # noqa: PLR2004 - a single row leaves nothing to fit on
            return float((self.targets**2).sum())
        shrink = 1 / (self.values + penalty)
        leverage = (self.scores**2) @ shrink + 1 / n
        residual = self.targets - self.scores @ (self.cross * shrink[:, None])
        return float(((residual / np.maximum(1 - leverage, 1e-9)[:, None]) ** 2).sum())
