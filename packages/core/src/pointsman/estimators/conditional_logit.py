"""Conditional logit: which of several alternatives is the right one, from features of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["conditional_logit", "logit", "shares"]

Vector = NDArray[np.float64]

_ROUNDS, _HALVINGS, _ENOUGH = 40, 20, 1e-7
_EDGE = 0.03  # probabilities nearer to 0 or 1 than this are nobody's to claim


def logit(probability: Vector) -> Vector:
    """Return log-odds, of probabilities kept away from 0 and 1."""
    kept = np.clip(probability, _EDGE, 1 - _EDGE)
    odds: Vector = np.log(kept / (1 - kept))
    return odds


def shares(scores: Vector, starts: NDArray[np.intp], row: NDArray[np.intp]) -> tuple[Vector, Vector]:
    """Return each alternative's probability, and the logarithm of each group's sum; groups begin at `starts`."""
    top = np.maximum.reduceat(scores, starts)
    mass = np.exp(scores - top[row])
    total = np.add.reduceat(mass, starts)
    return mass / total[row], top + np.log(total)


def conditional_logit(
    features: NDArray[np.float64], group: NDArray[np.intp], target: Vector, penalty: Vector, prior: Vector
) -> Vector:
    """Return the weights (d,) of alternatives' features (a, d), shrunken to `prior`; McFadden (1974), by Newton's method.

    Args:
        features: One row per alternative; the alternatives of a group follow each other.
        group: Which group each alternative belongs to, shape (a,), ascending.
        target: Each alternative's share of being right, shape (a,), adding up to 1 in each group.
        penalty: Weights' penalties, shape (d,), positive.
        prior: What is returned where there are no groups, shape (d,).
    """
    weights = prior.copy()
    if not len(group):
        return weights
    new = np.r_[True, group[1:] != group[:-1]]
    starts, row = np.flatnonzero(new), np.cumsum(new) - 1

    def loss(at: Vector) -> tuple[float, Vector]:
        scores = features @ at
        share, total = shares(scores, starts, row)
        return float(total.sum() - (target * scores).sum() + 0.5 * (penalty * (at - prior) ** 2).sum()), share

    value, share = loss(weights)
    for _ in range(_ROUNDS):
        slope = features.T @ (share - target) + penalty * (weights - prior)
        means = np.add.reduceat(share[:, None] * features, starts)
        curve = (features * share[:, None]).T @ features - means.T @ means + np.diag(penalty)
        step, before = np.linalg.solve(curve, slope), value
        for _ in range(_HALVINGS):
            value, share = loss(weights - step)
            if value <= before:
                break
            step = step / 2
        else:
            return weights
        weights = weights - step
        if before - value <= _ENOUGH * (1 + abs(value)):
            break
    return weights
