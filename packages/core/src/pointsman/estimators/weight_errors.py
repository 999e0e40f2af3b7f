"""Weight errors: how far ridge weights along a few axes may be off, and the models' means with them."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.estimators.axes import Axes
from pointsman.estimators.ridge import RidgeSolver

__all__ = ["WeightErrors"]

Matrix = NDArray[np.float64]


class WeightErrors(State):
    """The posterior of Bayesian linear regression: of the weights along k axes, and of the m models' mean contrasts.

    Along axis j the weights' covariance is noise_j² (XᵀX + penalty_j)⁻¹, with X the centred features (n, d), whose covariance
    has eigenvectors (d, d) and eigenvalues (d,); `means` is a root (m, m) of the covariance of the means. A model of which a
    share of the cells is known errs by 1/√share as much, `widths` (m,).
    """

    vectors: NDArray[np.float32]
    spreads: Matrix
    means: Matrix
    widths: Matrix

    @classmethod
    def fit(cls, solver: RidgeSolver, axes: Axes, contrasts: Matrix) -> Self:
        """Fit on the solver and the contrasts (n, m), NaN where unknown, that the axes were found from."""
        values, vectors = solver.eigen
        seen = np.isfinite(contrasts)
        rest = np.where(seen, contrasts - axes.predict(solver.rows), 0.0)
        shrunken = values[:, None] + axes.own
        used = (values[:, None] / shrunken).sum(axis=0)  # the effective number of weights along each axis
        free = np.maximum(len(rest) - 1 - used, 1.0)
        # An unknown cell counts as one that errs as the others of its model do.
        share = np.maximum(seen.mean(axis=0), 1 / len(seen))
        noise = np.sqrt(np.square(rest / np.sqrt(share) @ axes.axes).sum(axis=0) / free)
        count = np.maximum(seen.sum(axis=0), 1)
        spread, basis = np.linalg.eigh(rest.T @ rest / np.sqrt(np.outer(count, count)))
        root = basis * np.sqrt(np.maximum(spread, 0)) / np.sqrt(count)[:, None]
        return cls(
            vectors=vectors.astype(np.float32), spreads=noise / np.sqrt(shrunken), means=root, widths=1 / np.sqrt(share)
        )

    def draws(self, centred: Matrix, axes: Matrix, size: int) -> Matrix:
        """Return draws of the errors for n queries with centred features (n, d) on axes (m, k), shape (size, n, m)."""
        rng = np.random.default_rng(0)
        along = centred @ self.vectors
        drawn = rng.standard_normal((size, len(axes))) @ self.means.T
        weights = rng.standard_normal((size, *self.spreads.shape)) * self.spreads
        return np.stack(
            [mean + (along @ weight) @ axes.T * self.widths for mean, weight in zip(drawn, weights, strict=True)]
        )
