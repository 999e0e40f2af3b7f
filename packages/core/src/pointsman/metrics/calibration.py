"""Calibration: does a stated confidence of .8 come true 80 % of the time?

ECE depends on its bins: equal-width ones are the field's habit (Naeini et al., AAAI 2015), equal-mass ones keep every bin
populated (Nixon et al., 1904.01685). Say which you report. A low ECE means only that stated targets are met; whether
a threshold on the confidence can tell good answers from bad is a matter of rank: see `auroc`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import ConfigError
from pointsman.metrics.arrays import Floats, Indices, aligned, count, vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "ReliabilityTable",
    "adaptive_calibration_error",
    "ece",
    "ece_equal_mass",
    "equal_mass_edges",
    "equal_width_edges",
    "reliability_table",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityTable:
    """One row a bin that holds at least one answer, in order of confidence.

    Attributes:
        low: (b,) lower edge of each bin.
        high: (b,) upper edge of each bin.
        count: (b,) how many answers fall in it.
        confidence: (b,) their mean confidence.
        accuracy: (b,) their mean correctness.
    """

    low: Floats
    high: Floats
    count: Indices
    confidence: Floats
    accuracy: Floats

    @property
    def gap(self) -> Floats:
        """(b,) |accuracy - confidence| of each bin."""
        return np.abs(self.accuracy - self.confidence)


def equal_width_edges(bins: int) -> Floats:
    """Return bins + 1 edges that cut [0, 1] into bins of equal width.

    >>> equal_width_edges(2).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.linspace(0, 1, count("bins", bins, low=1) + 1)


def equal_mass_edges(confidence: ArrayLike, bins: int) -> Floats:
    """Return edges that cut the confidences into bins holding about as many answers each.

    Edges lie midway between two neighbouring confidences. Equal confidences always share a bin, so there may be fewer
    bins than asked for.

    >>> equal_mass_edges([0.1, 0.2, 0.2, 0.6, 1.0, 1.0], bins=2).tolist()
    [0.0, 0.4, 1.0]
    """
    stated = vector("confidence", confidence, low=0, high=1)
    targets = np.arange(1, count("bins", bins, low=1)) * len(stated) / bins
    distinct, size = np.unique(stated, return_counts=True)
    below = size.cumsum()[:-1]
    if below.size == 0:
        return np.array([0.0, 1.0])
    cuts = np.unique(np.abs(below - targets[:, None]).argmin(axis=1))
    middle = (distinct[cuts] + distinct[cuts + 1]) / 2
    return np.unique(np.concatenate([[0.0], middle, [1.0]]))


def reliability_table(confidence: ArrayLike, correct: ArrayLike, edges: ArrayLike) -> ReliabilityTable:
    """Return the mean confidence and the mean correctness of the answers in each bin.

    Args:
        confidence: (n,) stated confidences in [0, 1].
        correct: (n,) what came true, in [0, 1]: 0 or 1, or a graded quality.
        edges: (b + 1,) rising edges that cover all confidences. A bin holds its lower edge; the last also its upper.

    Raises:
        DataError: Lengths differ, a number is missing or outside [0, 1], or the edges do not rise or cover.

    >>> table = reliability_table([0.1, 0.9, 0.7], [0, 1, 0], edges=[0, 0.5, 1])
    >>> table.count.tolist(), table.confidence.round(2).tolist(), table.accuracy.tolist()
    ([1, 2], [0.1, 0.8], [0.0, 0.5])
    """
    stated, came = _pairs(confidence, correct)
    cuts = vector("edges", edges)
    if len(cuts) < 2 or (np.diff(cuts) <= 0).any():  # noqa: PLR2004 -- a bin has two edges
        raise ConfigError(f"edges: expected at least 2 strictly rising edges, got {cuts.tolist()}")
    if stated.min() < cuts[0] or stated.max() > cuts[-1]:
        raise ConfigError(
            f"edges: expected to cover {stated.min():g} to {stated.max():g}, got {cuts[0]:g} to {cuts[-1]:g}"
        )
    bin_of = np.searchsorted(cuts[1:-1], stated, side="right")
    held = np.bincount(bin_of, minlength=len(cuts) - 1)
    used = held > 0
    return ReliabilityTable(
        low=cuts[:-1][used],
        high=cuts[1:][used],
        count=held[used],
        confidence=np.bincount(bin_of, stated, len(held))[used] / held[used],
        accuracy=np.bincount(bin_of, came, len(held))[used] / held[used],
    )


def ece(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Return the expected calibration error over bins of equal width: Σ_b (n_b/n) |accuracy_b - confidence_b|.

    Args:
        confidence: (n,) stated confidences in [0, 1].
        correct: (n,) what came true, in [0, 1].
        bins: How many bins; empty ones count for nothing.

    Raises:
        DataError: Lengths differ, or a number is missing or outside [0, 1].

    >>> ece([0.75, 0.75, 0.75, 0.75], [1, 1, 0, 0])
    0.25
    """
    return _weighted_gap(reliability_table(confidence, correct, equal_width_edges(bins)))


def ece_equal_mass(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Return the expected calibration error over bins that hold about as many answers each.

    Σ_b (n_b/n) |accuracy_b - confidence_b|, bins cut at the quantiles of the confidence.

    Args:
        confidence: (n,) stated confidences in [0, 1].
        correct: (n,) what came true, in [0, 1].
        bins: How many bins at most.

    Raises:
        DataError: Lengths differ, or a number is missing or outside [0, 1].

    >>> ece_equal_mass([0.5, 0.5, 1.0, 1.0], [1, 0, 1, 0], bins=2)
    0.25
    """
    return _weighted_gap(reliability_table(confidence, correct, equal_mass_edges(confidence, bins)))


def adaptive_calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Return ACE: the plain mean over equal-mass bins of |accuracy_b - confidence_b| (Nixon et al., 1904.01685).

    Equals `ece_equal_mass` where the bins hold exactly as many answers each; tied confidences make them differ.

    Args:
        confidence: (n,) stated confidences in [0, 1].
        correct: (n,) what came true, in [0, 1].
        bins: How many bins at most.

    Raises:
        DataError: Lengths differ, or a number is missing or outside [0, 1].

    >>> adaptive_calibration_error([0.5, 0.5, 0.5, 1.0], [1, 1, 1, 0], bins=2)
    0.75
    """
    return float(reliability_table(confidence, correct, equal_mass_edges(confidence, bins)).gap.mean())


def _pairs(confidence: ArrayLike, correct: ArrayLike) -> tuple[Floats, Floats]:
    stated, came = vector("confidence", confidence, low=0, high=1), vector("correct", correct, low=0, high=1)
    aligned(confidence=stated, correct=came)
    return stated, came


def _weighted_gap(table: ReliabilityTable) -> float:
    return float(table.gap @ table.count / table.count.sum())
