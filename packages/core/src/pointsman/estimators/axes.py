"""Axes: the few directions in which models differ predictably, and how well a query's features tell where it lies on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.estimators.ridge import RidgeSolver

__all__ = ["Axes"]

Matrix = NDArray[np.float64]
_ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Axes:
    """Unit axes (m, k) in the space of models, strongest first, and the ridge weights (d, k) of queries' places on them.

    Predictions are means (m,) + (features − center) · weights · axesᵀ; the first few axes alone are a prediction of lower rank.
    """

    axes: Matrix
    weights: Matrix
    center: Matrix
    means: Matrix
    shared: float
    own: Matrix

    @classmethod
    def fit(cls, solver: RidgeSolver, contrasts: Matrix, penalties: Sequence[float]) -> Self:
        """Fit on a solver of features (n, d) and contrasts (n, m), NaN where a cell was not observed.

        Penalties are chosen with unobserved cells at their means, which makes them too large by the share that is observed.
        """
        seen = np.isfinite(contrasts)
        filled = np.where(seen, contrasts, _means(contrasts))
        shared = solver.fit(filled, penalties).penalty
        # The axes come from the same rows, so the leave-one-out error along each asks for too little penalty: meet half way.
        own = np.sqrt(solver.own_penalties(filled @ _principal(solver, filled, shared), penalties) * shared)
        return cls.given(solver, contrasts, shared * float(seen.mean()), own * float(seen.mean()))

    @classmethod
    def given(cls, solver: RidgeSolver, contrasts: Matrix, shared: float, own: Matrix) -> Self:
        """Fit under given penalties, one for finding the axes and one along each, shape (m,).

        Unobserved cells are filled with predictions, in rounds (the EM algorithm of a least-squares fit).
        """
        seen, center = np.isfinite(contrasts), solver.rows.mean(axis=0)
        filled = np.where(seen, contrasts, _means(contrasts))
        for _ in range(1 if seen.all() else _ROUNDS):
            axes = _principal(solver, filled, shared)
            weights, means = solver.solve(filled @ axes, own), filled.mean(axis=0)
            found = cls(axes=axes, weights=weights, center=center, means=means, shared=shared, own=own)
            filled = np.where(seen, contrasts, found.predict(solver.rows))
        return found

    def first(self, count: int) -> Self:
        """Return the strongest axes alone."""
        return replace(self, axes=self.axes[:, :count], weights=self.weights[:, :count], own=self.own[:count])

    def places(self, rows: Matrix) -> Matrix:
        """Return where queries with features (n, d) lie on the axes, shape (n, k); 0 is the average query."""
        places: Matrix = (rows - self.center) @ self.weights
        return places

    def predict(self, rows: Matrix) -> Matrix:
        """Return the expected contrasts for features (n, d), shape (n, m)."""
        return self.means + self.places(rows) @ self.axes.T

    def errors(self, rows: Matrix, contrasts: Matrix) -> Matrix:
        """Return the squared error on other rows with no axis, one, two ... all, shape (k + 1,), over observed cells."""
        rest, places = contrasts - self.means, self.places(rows)
        errors = [float(np.nansum(rest**2))]
        for k in range(places.shape[1]):
            rest = rest - np.outer(places[:, k], self.axes[:, k])
            errors.append(float(np.nansum(rest**2)))
        return np.array(errors)


def _principal(solver: RidgeSolver, contrasts: Matrix, penalty: float) -> Matrix:
    """Return the principal axes (m, m) of what a ridge regression predicts of contrasts (n, m), strongest first.

    Those of the contrasts themselves would be axes of noise, which is most of their variance. An eigenvector's sign is an
    accident, so each is turned until its largest entry is positive.
    """
    signal = (solver.rows - solver.rows.mean(axis=0)) @ solver.solve(contrasts, penalty)
    axes = np.linalg.eigh(signal.T @ signal)[1][:, ::-1]
    largest = np.abs(axes).round(9).argmax(axis=0)
    return axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)


def _means(contrasts: Matrix) -> Matrix:
    """Return the mean of what is known in each column of (n, m), shape (m,); 0 where nothing is."""
    seen = np.isfinite(contrasts)
    means: Matrix = np.where(seen, contrasts, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return means
