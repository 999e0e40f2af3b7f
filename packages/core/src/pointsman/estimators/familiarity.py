"""Familiarity: how likely a query is of the kinds that were learnt from, and not of a kind never met."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.estimators.discriminant import Discriminant

__all__ = ["Familiarity"]

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]

_FOLDS, _OUTINGS = 4, 16
_FEWEST_KINDS = 3


class Familiarity(State):
    """The kinds, and a logistic regression on their signs that tells known kinds from one that was left out.

    What an unknown kind looks like is learnt by leaving each kind out in turn and looking at its queries with the eyes of the
    others; what a known one looks like, from held-out queries of all kinds. Both count the same, whatever their numbers. The
    signs are those of out-of-distribution detection by class-conditional Gaussians (Lee et al., 2018, arXiv 1807.03888; Ren
    et al., 2021, arXiv 2106.09022).
    """

    known: Discriminant
    location: Matrix
    scale: Matrix
    weights: Matrix
    bias: float

    @classmethod
    def fit(cls, rows: Matrix, codes: Codes) -> Self | None:
        """Fit on rows (n, d), in canonical order, of the kinds 0, 1, ..., -1 where unknown; None for fewer than three kinds.

        A kind has at least two rows. The order of the rows settles which of them are held out together.
        """
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
            known=Discriminant.fit(rows, codes),
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
    place = np.empty(len(codes), dtype=np.intp)  # by kind, so that the folds share each of them out
    place[np.argsort(codes, kind="stable")] = np.arange(len(codes))
    fold = np.random.default_rng(0).permuted(np.arange(-(-len(codes) // _FOLDS) * _FOLDS).reshape(-1, _FOLDS), axis=1)
    fold_of = (fold % _FOLDS).ravel()[place]
    signs = np.empty((len(rows), 6))
    for i in range(_FOLDS):
        held = fold_of == i
        if held.any():
            signs[held] = Discriminant.fit(rows[~held], np.unique(codes[~held], return_inverse=True)[1]).signs(
                rows[held]
            )
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
        signs[out] = Discriminant.fit(rows[~out], np.unique(codes[~out], return_inverse=True)[1]).signs(rows[out])
    return signs
