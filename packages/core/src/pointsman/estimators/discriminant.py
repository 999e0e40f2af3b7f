"""Discriminant: kinds of rows as Gaussians of one covariance, and how well a row fits them."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State

__all__ = ["Discriminant"]

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]

_SHRINKAGE = 0.1  # of the covariance within kinds, towards its mean eigenvalue


class Discriminant(State):
    """A linear discriminant: kinds' means (k, d) and the overall mean (d,) where the covariance within kinds is one."""

    whitening: NDArray[np.float32]
    means: Matrix
    center: Matrix
    log_shares: Matrix

    @cached_property
    def table(self) -> Matrix:
        """The whitening in the precision it is used in, in which a row alone gives what it gives among others."""
        return self.whitening.astype(np.float64)

    @classmethod
    def fit(cls, rows: Matrix, codes: Codes) -> Self:
        """Fit on rows (n, d) of the kinds 0, 1, ..., each of which occurs."""
        count = np.bincount(codes).astype(np.float64)
        members = np.zeros((len(count), len(rows)), dtype=rows.dtype)
        members[codes, np.arange(len(rows))] = 1
        means = (members @ rows) / count[:, None].astype(rows.dtype)
        rest = rows - means[codes]
        values, vectors = np.linalg.eigh((rest.T @ rest / len(rows)).astype(np.float64))
        floor = _SHRINKAGE * float(values.mean()) + 1e-12
        whitening = (vectors / np.sqrt(np.maximum(values, 0) + floor)).astype(np.float32)
        return cls(
            whitening=whitening,
            means=(means @ whitening).astype(np.float64),
            center=(rows.mean(axis=0) @ whitening).astype(np.float64),
            log_shares=np.log(count / len(rows)),
        )

    def probabilities(self, rows: Matrix) -> Matrix:
        """Return how likely each row is of each kind, were it of one of them, shape (n, k), rows adding up to 1."""
        white = rows @ self.table
        logits = self.log_shares - self._distances(white) / 2
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Matrix = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def _distances(self, white: Matrix) -> Matrix:
        """Return the squared distances of whitened rows to the kinds' means, shape (n, k)."""
        square = np.square(white).sum(axis=1)[:, None]
        distances: Matrix = np.maximum(square - 2 * white @ self.means.T + np.square(self.means).sum(axis=1), 0)
        return distances

    def signs(self, rows: Matrix) -> Matrix:
        """Return six numbers per row, larger where it fits the kinds better, shape (n, 6).

        The likeliest kind's probability; minus the entropy; the likelihood under all kinds over that under none, in logs; minus
        the squared distances to the nearest kind and to the middle; how much nearer the nearest kind is than the middle.
        """
        white = rows @ self.table
        near = self._distances(white)
        middle = np.square(white - self.center).sum(axis=1)
        logits = self.log_shares - near / 2
        top = logits.max(axis=1, keepdims=True)
        powers = np.exp(logits - top)
        total = powers.sum(axis=1, keepdims=True)
        share = powers / total
        evidence = (top + np.log(total))[:, 0] + middle / 2
        nearest = near.min(axis=1)
        certainty = (share * np.log(share + 1e-12)).sum(axis=1)
        closer = np.sqrt(middle) - np.sqrt(nearest)
        return np.column_stack([share.max(axis=1), certainty, evidence, -nearest, -middle, closer])
