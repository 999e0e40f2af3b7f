"""Kind errors: how far what was learnt of a kind of queries may be off, for all models together."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State

__all__ = ["KindErrors"]

Matrix = NDArray[np.float64]


class KindErrors(State):
    """For each of c kinds the covariance of the m models' mean errors on it, shape (c, m, m).

    What is said of a query rests on what like queries scored; dozens of them leave their means uncertain by several points, for
    models alike (hard questions happened to be met) and against each other. Errors of one group of queries are taken together.
    """

    covariance: Matrix

    @classmethod
    def fit(cls, shares: Matrix, residual: Matrix, group: NDArray[np.int64]) -> Self:
        """Fit on how much n queries are of each kind, (n, c), and on their held-out errors, (n, m), NaN where unknown."""
        codes = np.unique(group, return_inverse=True)[1]
        known = np.isfinite(residual)
        covariance = np.empty((shares.shape[1], residual.shape[1], residual.shape[1]))
        for kind, share in enumerate(shares.T):
            weight = share[:, None] * known
            mass = np.maximum(weight.sum(axis=0), 1e-9)
            error = np.where(known, residual, 0.0)
            error = (error - (weight * error).sum(axis=0) / mass) * weight
            sums = np.zeros((int(codes.max()) + 1, residual.shape[1]))
            np.add.at(sums, codes, error)
            covariance[kind] = sums.T @ sums / np.outer(mass, mass)
        return cls(covariance=covariance)

    def draws(self, shares: Matrix, size: int) -> Matrix:
        """Return draws of the errors of n queries that are of each kind by these shares (n, c), shape (size, n, m)."""
        values, vectors = np.linalg.eigh(self.covariance)
        roots = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
        normal = np.random.default_rng(1).standard_normal((size, *values.shape))
        errors = np.einsum("cij,scj->sci", roots, normal)
        drawn: Matrix = np.einsum("nc,sci->sni", shares, errors, optimize=True)
        return drawn
