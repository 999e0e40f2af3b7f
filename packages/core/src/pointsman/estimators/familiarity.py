"""Familiarity: how likely a query is of the kinds that were learnt from, and not of a kind never met."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State

__all__ = ["Familiarity", "Kinds"]

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]

_SHRINKAGE = 0.1  # of the covariance within kinds, towards its mean eigenvalue
_FOLDS, _OUTINGS = 4, 16
_FEWEST_KINDS = 3


class Kinds(State):
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

    def signs(self, rows: Matrix) -> Matrix:
        """Return six numbers per row, larger where it fits the kinds better, shape (n, 6).

        The likeliest kind's probability; minus the entropy; the likelihood under all kinds over that under none, in logs; minus
        the squared distances to the nearest kind and to the middle; how much nearer the nearest kind is than the middle.
        """
        white = rows @ self.table
        square = np.square(white).sum(axis=1)[:, None]
        near = np.maximum(square - 2 * white @ self.means.T + np.square(self.means).sum(axis=1), 0)
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


class Familiarity(State):
    """The kinds, and a logistic regression on their signs that tells known kinds from one that was left out.

    What an unknown kind looks like is learnt by leaving each kind out in turn and looking at its queries with the eyes of the
    others; what a known one looks like, from held-out queries of all kinds. Both count the same, whatever their numbers. The
    signs are those of out-of-distribution detection by class-conditional Gaussians (Lee et al., 2018, arXiv 1807.03888; Ren
    et al., 2021, arXiv 2106.09022).
    """

    known: Kinds
    location: Matrix
    scale: Matrix
    weights: Matrix
    bias: float

    @classmethod
    def fit(cls, rows: Matrix, codes: Codes) -> Self | None:
        """Fit on rows (n, d) of the kinds 0, 1, ..., -1 where unknown; None for fewer than three kinds of two rows each."""
        rows, codes = _of_kinds_met_twice(rows.astype(np.float32), codes)
        if len(np.unique(codes)) < _FEWEST_KINDS:
            return None
        from sklearn.linear_model import LogisticRegression

        inside, outside = _looked_at_from_inside(rows, codes), _looked_at_from_outside(rows, codes)
        signs = np.vstack([inside, outside])
        location, scale = signs.mean(axis=0), signs.std(axis=0) + 1e-9
        target = np.repeat([1, 0], len(rows))
        weight = 1 / np.bincount(codes)[codes]
        weight = np.tile(weight * len(weight) / weight.sum(), 2)
        model = LogisticRegression(max_iter=1000).fit((signs - location) / scale, target, sample_weight=weight)
        return cls(
            known=Kinds.fit(rows, codes),
            location=location,
            scale=scale,
            weights=model.coef_[0].astype(np.float64),
            bias=float(model.intercept_[0]),
        )

    def probability(self, rows: Matrix) -> Matrix:
        """Return how likely each of the rows (n, d) is of a known kind, if both were as likely beforehand, shape (n,)."""
        logit = (self.known.signs(rows) - self.location) / self.scale @ self.weights + self.bias
        probability: Matrix = 1 / (1 + np.exp(-np.clip(logit, -50, 50)))
        return probability


def _of_kinds_met_twice(rows: Matrix, codes: Codes) -> tuple[Matrix, Codes]:
    """Leave out rows of no kind, and of a kind that occurs once; number the kinds that are left."""
    count = np.bincount(codes[codes >= 0], minlength=1)
    kept = (codes >= 0) & (count[codes] > 1)
    return rows[kept], np.unique(codes[kept], return_inverse=True)[1].astype(np.intp)


def _looked_at_from_inside(rows: Matrix, codes: Codes) -> Matrix:
    """Return the signs of every row by discriminants fitted on other rows of all kinds, shape (n, 6)."""
    place = np.empty(len(codes), dtype=np.intp)  # of a row within its kind, so that every fold has some of each
    place[np.argsort(codes, kind="stable")] = np.arange(len(codes))
    fold = np.random.default_rng(0).permuted(np.arange(-(-len(codes) // _FOLDS) * _FOLDS).reshape(-1, _FOLDS), axis=1)
    fold_of = (fold % _FOLDS).ravel()[place]
    signs = np.empty((len(rows), 6))
    for i in range(_FOLDS):
        held = fold_of == i
        if held.any():
            signs[held] = Kinds.fit(rows[~held], np.unique(codes[~held], return_inverse=True)[1]).signs(rows[held])
    return signs


def _looked_at_from_outside(rows: Matrix, codes: Codes) -> Matrix:
    """Return the signs of every row by discriminants that know all kinds but its own (or a few with it), shape (n, 6)."""
    size = np.bincount(codes)
    outing_of = np.empty(len(size), dtype=np.intp)
    outings = min(_OUTINGS, len(size))
    outing_of[np.argsort(-size, kind="stable")] = np.arange(len(size)) % outings
    signs = np.empty((len(rows), 6))
    for i in range(outings):
        out = outing_of[codes] == i
        signs[out] = Kinds.fit(rows[~out], np.unique(codes[~out], return_inverse=True)[1]).signs(rows[out])
    return signs
