"""The Brier score, and its split into calibration, discrimination and the difficulty of the questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointsman.metrics.arrays import aligned, vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["BrierParts", "brier", "brier_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrierParts:
    """`score == reliability - resolution + uncertainty + within`.

    Attributes:
        score: The Brier score itself.
        reliability: Mean squared gap between stated confidence and frequency; 0 is perfectly calibrated.
        resolution: Variance of the frequencies between groups; more is better.
        uncertainty: Variance of the outcomes, which no forecast changes.
        within: What the grouping hides: the spread of confidences inside groups less twice their covariance with
            the outcomes. 0 where groups are distinct confidences.
    """

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def brier(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Return the mean squared error of the stated confidence: (1/n) Σ (f_i - o_i)² (Brier, 1950).

    Args:
        confidence: (n,) stated confidences f in [0, 1].
        correct: (n,) what came true, o in [0, 1].

    Raises:
        DataError: Lengths differ, or a number is missing or outside [0, 1].

    >>> brier([1.0, 0.5], [1, 0])
    0.125
    """
    stated, came = vector("confidence", confidence, low=0, high=1), vector("correct", correct, low=0, high=1)
    aligned(confidence=stated, correct=came)
    return float(((stated - came) ** 2).mean())


def brier_parts(confidence: ArrayLike, correct: ArrayLike, edges: ArrayLike | None = None) -> BrierParts:
    """Return Murphy's (1973) decomposition of the Brier score: reliability - resolution + uncertainty.

    Groups are the distinct confidences, for which the identity is exact. Where nearly every confidence is distinct the
    groups are too small to mean anything: give `edges` (see `equal_mass_edges`), and what binning hides is
    reported as `within` (Stephenson et al., 2008), so that the identity still holds.

    Args:
        confidence: (n,) stated confidences in [0, 1].
        correct: (n,) what came true, in [0, 1].
        edges: (b + 1,) rising edges of bins, a bin holding its lower edge; None groups by distinct confidence.

    Raises:
        DataError: Lengths differ, or a number is missing or outside [0, 1].

    >>> brier_parts([0.75, 0.75, 0.25, 0.25], [1, 1, 0, 1])
    BrierParts(score=0.1875, reliability=0.0625, resolution=0.0625, uncertainty=0.1875, within=0.0)
    """
    score = brier(confidence, correct)
    stated, came = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    keys = stated if edges is None else np.searchsorted(vector("edges", edges)[1:-1], stated, side="right")
    _, group, count = np.unique(keys, return_inverse=True, return_counts=True)
    forecast = np.bincount(group, stated) / count
    frequency = np.bincount(group, came) / count
    share = count / count.sum()
    spread = stated - forecast[group]
    return BrierParts(
        score=score,
        reliability=float(share @ (forecast - frequency) ** 2),
        resolution=float(share @ (frequency - came.mean()) ** 2),
        uncertainty=float(came.var()),
        within=float((spread**2 - 2 * spread * (came - frequency[group])).mean()),
    )
