"""RouterEval's figures (Huang et al., 2503.10657): mean score, score over the best single model, classification bias."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import DataError
from pointsman.metrics.arrays import matrix, number, vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["classification_bias", "mean_score", "value_over_best"]

_ROUNDING = 1e-6


def mean_score(quality: ArrayLike) -> float:
    """Return μ, the mean quality of the answers chosen.

    Args:
        quality: (n,) quality of the answer to each query.

    >>> mean_score([1, 0, 1, 1])
    0.75
    """
    return float(vector("quality", quality).mean())


def value_over_best(quality: ArrayLike, best: float) -> float | None:
    """Return V_B = μ / μ_best: above 1, the router beats the best single model.

    Args:
        quality: (n,) quality of the answer to each query.
        best: Mean quality of the best single model.

    Returns:
        The ratio; None if the best single model scores 0.

    >>> value_over_best([1, 0, 1, 1], best=0.5)
    1.5
    """
    reference = number("best", best)
    return None if reference == 0 else mean_score(quality) / reference


def classification_bias(probabilities: ArrayLike) -> float:
    """Return E_p, the mean entropy in bits of the router's predicted distribution over the models.

    -(1/n) Σ_i Σ_m p_im log2 p_im, as RouterEval's baselines compute it: 0 where every prediction is certain, log2 m where
    all are uniform. A router that is always certain of the same model and one that is rightly certain of
    different models both get 0; `choice_entropy` tells those apart.

    Args:
        probabilities: (n, m) probabilities, each row summing to 1.

    Raises:
        DataError: A number is missing or outside [0, 1], or a row does not sum to 1.

    >>> classification_bias([[0.5, 0.5], [1.0, 0.0]])
    0.5
    """
    p = matrix("probabilities", probabilities, low=0, high=1)
    totals = p.sum(axis=1)
    off = np.abs(totals - 1) > _ROUNDING
    if off.any():
        raise DataError(f"probabilities: expected rows that sum to 1, row {np.argmax(off)} sums to {totals[off][0]:g}")
    bits = np.log2(p, out=np.zeros_like(p), where=p > 0)
    return float(-(p * bits).sum(axis=1).mean()) + 0.0
