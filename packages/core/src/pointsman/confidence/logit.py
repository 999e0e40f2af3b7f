"""Logistic regression with soft labels and a ridge penalty, for confidences that learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_logistic", "sigmoid"]

Array = NDArray[np.float64]


def sigmoid(logits: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without overflow."""
    result: Array = np.exp(-np.logaddexp(0, -logits))
    return result


def fit_logistic(
    rows: Array,
    labels: Array,
    *,
    penalty: Array | float = 0.0,
    towards: Array | float = 0.0,
    bounds: Sequence[tuple[float | None, float | None]] | None = None,
) -> Array:
    """Return weights (d,) that minimise cross-entropy plus penalty / 2 · |w - towards|².

    Rows are (n, d), with a column of ones where an intercept is wanted; labels (n,) may be anything in [0, 1].
    """
    from scipy.optimize import minimize

    d = rows.shape[1]
    strength, centre = np.broadcast_to(penalty, (d,)), np.broadcast_to(towards, (d,))

    def loss(weights: Array) -> tuple[float, Array]:
        logits, off = rows @ weights, weights - centre
        value = float((np.logaddexp(0, logits) - labels * logits).sum() + (strength * off * off).sum() / 2)
        return value, rows.T @ (sigmoid(logits) - labels) + strength * off

    start = np.array(centre, dtype=np.float64)
    found: Array = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200, "ftol": 1e-7}
    ).x
    return found
