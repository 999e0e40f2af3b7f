"""Calibration: does what the router expects come true, of the model it chooses and of the difference it counts on?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval, brier, ece_equal_mass, equal_mass_edges
from pointsman.report.decided import Decided

__all__ = ["Bin", "Calibration", "Reliability", "calibration"]

Vector = NDArray[np.float64]
_BINS, _FEWEST = 10, 10
_PER_BIN, _PER_CONTRAST = 15, 60  # differences of two outcomes are noisier than outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Queries of about the same expectation: how many, the mean of what was expected, and of what came true."""

    count: int
    expected: float
    realised: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Bins that hold about as many queries each, in order of expectation, and what they come to.

    Parameters:
        queries: How many have both an expectation and an outcome.
        bins: The bins.
        ece: Expected calibration error: the mean gap between expected and realised, over these bins.
        brier: Mean squared error of the expectation; None for differences, of which it says nothing.
        bias: Mean of expected minus realised: above 0 the router hopes for too much.
    """

    queries: int
    bins: tuple[Bin, ...]
    ece: float
    brier: float | None
    bias: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Expected beside realised quality of the chosen model, and its difference to the best single model; None is unknown."""

    quality: Reliability | None
    contrast: Reliability | None


def calibration(found: Decided, resampling: Resampling, *, level: float) -> Calibration:
    """Hold expectations against outcomes; contrasts are of the queries sent elsewhere than to the best single model."""
    contrast = np.where(found.elsewhere, found.expected.quality - found.expected_best.quality, np.nan)
    return Calibration(
        quality=_reliability(found.expected.quality, found.mine.quality, resampling, level, low=0.0),
        contrast=_reliability(contrast, found.gained, resampling, level, low=-1.0),
    )


def _reliability(
    expected: Vector, realised: Vector, resampling: Resampling, level: float, *, low: float
) -> Reliability | None:
    """Compare expectations in [low, 1] with outcomes; None for under ten queries that have both."""
    known = np.isfinite(expected) & np.isfinite(realised)
    count = int(known.sum())
    if count < _FEWEST:
        return None
    width = 1.0 - low  # the metrics are of figures in [0, 1]
    stated, came = (np.clip((values[known] - low) / width, 0.0, 1.0) for values in (expected, realised))
    bins = max(2, min(_BINS, count // (_PER_BIN if low == 0 else _PER_CONTRAST)))
    edges = equal_mass_edges(stated, bins)
    bin_of = np.full(len(expected), -1)
    bin_of[known] = np.searchsorted(edges[1:-1], stated, side="right")
    return Reliability(
        queries=count,
        bins=tuple(_bin(expected, realised, bin_of == i, resampling, level, low) for i in np.unique(bin_of[known])),
        ece=width * ece_equal_mass(stated, came, bins),
        brier=brier(stated, came) if low == 0 else None,
        bias=float((expected[known] - realised[known]).mean()),
    )


def _bin(
    expected: Vector, realised: Vector, held: NDArray[np.bool_], resampling: Resampling, level: float, low: float
) -> Bin:
    return Bin(
        count=int(held.sum()),
        expected=float(expected[held].mean()),
        realised=interval_of(np.where(held, realised, np.nan), resampling, level=level, low=low),
    )
