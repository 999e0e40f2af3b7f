"""Performance gap recovered between a weak and a strong model: PGR, APGR and CPT (RouteLLM, Ong et al., 2406.18665).

The horizontal axis is the share of calls that go to the strong model, not money. Between two thresholds the curve is the
straight line that mixing them at random would give; queries with equal scores go over in random order, of which this
is the expectation. A router that scores every query alike therefore gets exactly .5. RouteLLM's own code uses about ten
thresholds, and reads CPT off the accuracy as though it rose all the way; neither is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.metrics.arrays import Floats, aligned, number, vector
from pointsman.metrics.curves import area

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["apgr", "call_share_curve", "cpt", "pgr"]

# Below this difference of means two models are equally good, and the gap between them is rounding.
_NO_GAP = 1e-12


def call_share_curve(score: ArrayLike, weak: ArrayLike, strong: ArrayLike) -> Floats:
    """Return the expected quality at every share of calls to the strong model, as the knots of a line.

    Args:
        score: (n,) how much a query deserves the strong model: the highest go first.
        weak: (n,) the weak model's quality.
        strong: (n,) the strong model's quality.

    Returns:
        (b + 1, 2) points (share, quality) from (0, mean of `weak`) to (1, mean of `strong`), b distinct scores.

    Raises:
        DataError: Lengths differ, an array is empty, or a number is missing.

    >>> call_share_curve([0.9, 0.1, 0.1], weak=[0, 0, 1], strong=[1, 1, 1]).round(3).tolist()
    [[0.0, 0.333], [0.333, 0.667], [1.0, 1.0]]
    """
    scores, w, s = vector("score", score), vector("weak", weak), vector("strong", strong)
    aligned(score=scores, weak=w, strong=s)
    _, block, size = np.unique(-scores, return_inverse=True, return_counts=True)
    gain = np.bincount(block, weights=s - w).cumsum() / len(scores)
    quality = w.mean() + np.concatenate([[0.0], gain])
    quality[-1] = s.mean()
    share = np.concatenate([[0.0], size.cumsum() / len(scores)])
    return np.column_stack([share, quality])


def pgr(quality: float, weak: float, strong: float) -> float | None:
    """Return the share of the gap between weak and strong that a quality recovers.

    (Q - Q_weak) / (Q_strong - Q_weak): 0 at the weak model's mean quality, 1 at the strong one's; it may leave [0, 1].

    Returns:
        The share; None if the two models are equally good, where there is no gap.

    >>> pgr(0.75, weak=0.5, strong=1.0)
    0.5
    """
    gap = number("strong", strong) - number("weak", weak)
    return None if abs(gap) <= _NO_GAP else (number("quality", quality) - weak) / gap


def apgr(score: ArrayLike, weak: ArrayLike, strong: ArrayLike) -> float | None:
    """Return the average performance gap recovered: the integral of PGR over the share of strong calls.

    ∫ PGR(r) dr over r in [0, 1], exactly. Random routing gives .5 in expectation; it may exceed 1. If the "strong"
    model is the worse one the formula still holds, and more is then worse.

    Args:
        score: (n,) how much a query deserves the strong model.
        weak: (n,) the weak model's quality.
        strong: (n,) the strong model's quality.

    Returns:
        APGR; None if the two models are equally good.

    Raises:
        DataError: As for `call_share_curve`.

    >>> apgr([1, 1, 1, 1], weak=[0, 0, 0, 1], strong=[1, 1, 0, 1])
    0.5
    """
    curve = call_share_curve(score, weak, strong)
    height = area(curve[:, 0], curve[:, 1], 0, 1)
    return None if height is None else pgr(height, weak=float(curve[0, 1]), strong=float(curve[-1, 1]))


def cpt(score: ArrayLike, weak: ArrayLike, strong: ArrayLike, recovered: float) -> float | None:
    """Return the call-performance threshold: the smallest share of strong calls that recovers so much of the gap.

    CPT(p) = min {r : PGR(r) >= p}, on the line between thresholds, which need not rise.

    Args:
        score: (n,) how much a query deserves the strong model.
        weak: (n,) the weak model's quality.
        strong: (n,) the strong model's quality.
        recovered: p, the share of the gap to recover; RouteLLM reports .5 and .8.

    Returns:
        The share of calls; None if it is never reached, or if the two models are equally good.

    Raises:
        DataError: As for `call_share_curve`.

    >>> cpt([0.9, 0.8, 0.2, 0.1], weak=[0, 1, 0, 1], strong=[1, 1, 1, 1], recovered=0.5)
    0.25
    """
    target = number("recovered", recovered)
    curve = call_share_curve(score, weak, strong)
    share, quality = curve.T
    gap = quality[-1] - quality[0]
    if abs(gap) <= _NO_GAP:
        return None
    gained = (quality - quality[0]) / gap
    reached = np.flatnonzero(gained >= target - _NO_GAP)
    if reached.size == 0:
        return None
    first = int(reached[0])
    if first == 0:
        return 0.0
    before, after = gained[first - 1], gained[first]
    part = min((target - before) / (after - before), 1.0)
    return float(share[first - 1] + part * (share[first] - share[first - 1]))
