"""SoftmaxRegression: class probabilities from a linear model, fitted by scikit-learn and kept as plain arrays."""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State

__all__ = ["SoftmaxRegression"]

Matrix = NDArray[np.float64]


class SoftmaxRegression(State):
    """Coefficients (classes, d) and intercepts (classes,) of a multinomial logistic regression."""

    weights: Matrix
    bias: Matrix

    @classmethod
    def fit(cls, rows: Matrix, codes: NDArray[np.intp], *, inverse_penalty: float) -> Self:
        """Fit on rows (n, d) with class codes 0, 1, ..., at least two of them."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=inverse_penalty, max_iter=100, tol=1e-3)
        with warnings.catch_warnings():
            # An optimum reached to a few digits serves as well: the probabilities only mix averages.
            warnings.simplefilter("ignore", ConvergenceWarning)
            # Domains met once or twice are classes all the same: the table behind them is drawn to the overall means.
            warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
            model.fit(rows.astype(np.float32), codes)  # half the memory to go through; the optimum is rough anyway
        weights, bias = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
        if len(weights) == 1:
            weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
        return cls(weights=weights, bias=bias)

    def probabilities(self, rows: Matrix) -> Matrix:
        """Return class probabilities, shape (n, classes)."""
        logits = rows @ self.weights.T + self.bias
        powers = np.exp(logits - np.maximum.reduce(logits, axis=1, keepdims=True))
        shares: Matrix = powers / np.add.reduce(powers, axis=1, keepdims=True)
        return shares
