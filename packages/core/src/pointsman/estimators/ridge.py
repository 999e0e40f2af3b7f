"""Ridge regression of many targets at once, with the penalty chosen by exact leave-one-out error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

import numpy as np
from annotated_types import Gt, Len
from numpy.typing import NDArray

__all__ = ["PENALTIES", "Penalties", "Ridge", "RidgeSolver"]

Penalties: TypeAlias = Annotated[tuple[Annotated[float, Gt(0)], ...], Len(1)]
PENALTIES: Penalties = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


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
        self.rows = rows
        self._bases: dict[bytes, _Basis] = {}

    def fit(self, targets: Matrix, penalties: Sequence[float], *, observed: Mask | None = None) -> Ridge:
        """Fit targets (n, t); of several penalties, the one of least leave-one-out error serves all of them.

        `observed` (n, t) marks the cells to fit on; targets observed on the same rows are solved together.
        """
        parts = [(some, part) for _, some, part in self._parts(targets, observed)]
        errors = [sum(np.square(part.left_out(penalty, penalties)).sum() for _, part in parts) for penalty in penalties]
        best = float(penalties[int(np.argmin(errors))])
        weights, bias = np.zeros((self.rows.shape[1], targets.shape[1])), np.zeros(targets.shape[1])
        for some, part in parts:
            weights[:, some], bias[some] = part.solution(best)
        return Ridge(weights=weights, bias=bias, penalty=best)

    @property
    def eigen(self) -> tuple[Matrix, Matrix]:
        """The eigenvalues (d,) of the centred rows' sums of squares and products, and their eigenvectors (d, d)."""
        basis = self._basis(np.ones(len(self.rows), dtype=np.bool_))
        return basis.values, basis.vectors

    def own_penalties(self, targets: Matrix, penalties: Sequence[float]) -> Matrix:
        """Return, for each of the targets (n, t) by itself, the penalty of least leave-one-out error, shape (t,)."""
        part = self._complete(targets)
        errors = [np.square(part.left_out(penalty, penalties)).sum(axis=0) for penalty in penalties]
        best: Matrix = np.asarray(penalties, dtype=np.float64)[np.argmin(errors, axis=0)]
        return best

    def solve(self, targets: Matrix, penalties: float | Matrix) -> Matrix:
        """Return the weights (d, t) of targets (n, t) under one penalty or one of each target, shape (t,)."""
        return self._complete(targets).solution(penalties)[0]

    def left_out(self, targets: Matrix, penalty: float, *, observed: Mask | None = None) -> Matrix:
        """Return what the fit on all other rows predicts for each row, shape (n, t); NaN where a cell is not observed."""
        predicted = np.full(targets.shape, np.nan)
        for rows, some, part in self._parts(targets, observed):
            cells = np.ix_(rows, some)
            predicted[cells] = targets[cells] - part.left_out(penalty)
        return predicted

    def _parts(self, targets: Matrix, observed: Mask | None) -> Iterator[tuple[Rows, Rows, _Centred]]:
        """Yield the targets that are observed on the same rows: those rows, the targets' columns, and the two together."""
        if observed is None or observed.all():
            rows, some = np.arange(len(targets)), np.arange(targets.shape[1])
            yield rows, some, self._complete(targets)
            return
        patterns, of = np.unique(observed.T, axis=0, return_inverse=True)
        for i, pattern in enumerate(patterns):
            rows, some = np.flatnonzero(pattern), np.flatnonzero(of.ravel() == i)
            yield rows, some, _Centred(self._basis(pattern), targets[np.ix_(rows, some)])

    def _complete(self, targets: Matrix) -> _Centred:
        return _Centred(self._basis(np.ones(len(targets), dtype=np.bool_)), targets)

    def _basis(self, pattern: Mask) -> _Basis:
        key = pattern.tobytes()
        if key not in self._bases:
            self._bases[key] = _Basis.of(self.rows if pattern.all() else self.rows[pattern])
        return self._bases[key]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Basis:
    """Rows, and the eigenbasis of their covariance, where every penalty is cheap."""

    rows: Matrix
    mean: Matrix
    values: Matrix
    vectors: Matrix
    leverages: dict[float, Matrix] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Matrix) -> _Basis:
        mean = rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1])
        centred = rows - mean
        values, vectors = np.linalg.eigh(centred.T @ centred)
        return cls(rows=rows, mean=mean, values=np.maximum(values, 0.0), vectors=vectors)

    def leverage(self, penalty: float, others: Sequence[float]) -> Matrix:
        """Return how much each row's own target weighs in its fitted value, (n,); those of the `others` are kept for later."""
        if penalty not in self.leverages:
            wanted = [penalty, *others]
            # Single precision serves: leverages only weigh the errors that penalties are compared by.
            rows, vectors = (self.rows - self.mean).astype(np.float32), self.vectors.astype(np.float32)
            squares = np.square(rows @ vectors).astype(np.float64)
            found = squares @ (1 / np.add.outer(self.values, wanted)) + 1 / max(len(self.rows), 1)
            self.leverages.update(zip(wanted, found.T, strict=True))
        return self.leverages[penalty]


class _Centred:
    """Targets on a basis."""

    def __init__(self, basis: _Basis, targets: Matrix) -> None:
        self._basis = basis
        self._mean = targets.mean(axis=0) if len(targets) else np.zeros(targets.shape[1])
        self._targets = targets - self._mean
        self._cross = basis.vectors.T @ (basis.rows.T @ self._targets)

    def solution(self, penalty: float | Matrix) -> tuple[Matrix, Matrix]:
        """Return weights (d, t) and intercepts (t,), for one penalty or one of each target."""
        basis = self._basis
        weights = basis.vectors @ (self._cross / np.add.outer(basis.values, penalty).reshape(len(basis.values), -1))
        return weights, self._mean - basis.mean @ weights

    def left_out(self, penalty: float, others: Sequence[float] = ()) -> Matrix:
        """Return the error of each row under the fit on all others, shape (n, t), exactly (Allen's PRESS).

        The `others` are penalties that will be asked for too: their leverages come in the same pass.
        """
        weights, bias = self.solution(penalty)
        residual = self._targets + self._mean - self._basis.rows @ weights - bias
        errors: Matrix = residual / np.maximum(1 - self._basis.leverage(penalty, others), 1e-9)[:, None]
        return errors
