"""Logistic regression of many models at once, split into what they share and where they differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["contrast_logistic"]

Matrix = NDArray[np.float64]


def contrast_logistic(
    rows: Matrix, quality: Matrix, *, level_penalty: float, contrast_penalty: float
) -> tuple[Matrix, Matrix]:
    """Return weights (d, m) and intercepts (m,) of logit P(model j is right on x) = b_j + x·(u + v_j).

    The shared part u is the query's difficulty, the deviations v_j are what tells models apart; each has a ridge penalty of its
    own. Rows are (n, d); quality (n, m) may be any number in [0, 1] (cross-entropy with soft labels), NaN is unobserved.
    """
    from scipy.optimize import minimize

    (_, d), m = rows.shape, quality.shape[1]
    seen = np.isfinite(quality)
    labels = np.where(seen, quality, 0.0)
    mean = np.clip(labels.sum(axis=0) / np.maximum(seen.sum(axis=0), 1), 1e-3, 1 - 1e-3)
    start = np.concatenate([np.zeros(d * (m + 1)), np.log(mean / (1 - mean))])

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        shared, own, bias = flat[:d], flat[d : d + d * m].reshape(d, m), flat[d + d * m :]
        logits = rows @ (own + shared[:, None]) + bias
        error = np.where(seen, 1 / (1 + np.exp(-logits)) - labels, 0.0)
        fit = np.where(seen, np.logaddexp(0, logits) - labels * logits, 0.0).sum()
        penalty = level_penalty * (shared @ shared) + contrast_penalty * (own**2).sum()
        slope = rows.T @ error
        gradient = np.concatenate(
            [
                slope.sum(axis=1) + level_penalty * shared,
                (slope + contrast_penalty * own).ravel(),
                error.sum(axis=0),
            ]
        )
        return float(fit + penalty / 2), gradient

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200, "ftol": 1e-9}).x
    return found[d : d + d * m].reshape(d, m) + found[:d, None], found[d + d * m :]
