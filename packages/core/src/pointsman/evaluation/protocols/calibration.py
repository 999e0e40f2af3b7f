"""Calibration: whether what was expected comes true, over all and among queries of like expectation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval, brier, ece_equal_mass, equal_mass_edges

__all__ = ["Bin", "Calibration", "calibration"]

Matrix = NDArray[np.float64]
_FEWEST, _MOST_BINS = 10, 10
_PER_BIN, _PER_CONTRAST = 15, 60  # pairs that a bin should have; differences of two outcomes are noisier than outcomes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Queries of about the same expectation: how many, the mean of what was expected, and of what came true."""

    count: int
    expected: float
    realised: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Whether what was expected came true, over all pairs of a query and a model that were observed.

    Parameters:
        pairs: How many there are.
        bias: Mean of expected minus observed: above 0 too much is hoped for.
        error: Mean over bins of equal mass of |mean expected − mean observed|.
        slope: Of observed on expected: 1 is right, below 1 is overconfident; None where all expectations are alike.
        brier: Mean squared error of the expectation; None for differences, of which it says nothing.
        bins: The bins in order of expectation; () where each query has several pairs.
    """

    pairs: int
    bias: Interval | None
    error: float
    slope: float | None
    brier: float | None
    bins: tuple[Bin, ...]


def calibration(
    expected: Matrix, observed: Matrix, *, low: float, resampling: Resampling, level: float
) -> Calibration | None:
    """Hold expectations (n, k), clipped to [low, 1], against outcomes; None for under ten pairs that have both.

    `low` is 0 for quality, −1 for differences.
    """
    known = np.isfinite(expected) & np.isfinite(observed)
    if known.sum() < _FEWEST:
        return None
    expected, width = np.clip(expected, low, 1), 1 - low
    x, y = expected[known], observed[known]
    stated, came = ((values - low) / width for values in (x, y))  # the metrics are of figures in [0, 1]
    count = max(2, min(_MOST_BINS, len(x) // (_PER_BIN if low == 0 else _PER_CONTRAST)))
    gaps = np.where(known, expected - observed, 0.0).sum(axis=1)
    per_query = np.divide(gaps, known.sum(axis=1), out=np.full(len(known), np.nan), where=known.any(axis=1))
    spread = float(((x - x.mean()) ** 2).sum())
    single = expected.shape[1] == 1
    return Calibration(
        pairs=len(x),
        bias=interval_of(per_query, resampling, level=level, low=-width, high=width),
        error=width * ece_equal_mass(stated, came, count),
        slope=float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 1e-12 else None,  # noqa: PLR2004 - rounding
        brier=brier(stated, came) if low == 0 else None,
        bins=_bins(expected[:, 0], observed[:, 0], count, low, resampling, level) if single else (),
    )


def _bins(
    expected: Matrix, observed: Matrix, count: int, low: float, resampling: Resampling, level: float
) -> tuple[Bin, ...]:
    """Return bins that hold about as many queries each; expectations and outcomes have shape (n,)."""
    known = np.isfinite(expected) & np.isfinite(observed)
    stated = (expected[known] - low) / (1 - low)
    bin_of = np.full(len(expected), -1)
    bin_of[known] = np.searchsorted(equal_mass_edges(stated, count)[1:-1], stated, side="right")
    found = []
    for i in np.unique(bin_of[known]):
        held = bin_of == i
        realised = interval_of(np.where(held, observed, np.nan), resampling, level=level, low=low)
        found.append(Bin(count=int(held.sum()), expected=float(expected[held].mean()), realised=realised))
    return tuple(found)
