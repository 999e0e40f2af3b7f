"""Resampling: the same bootstrap draws of groups of queries for every figure that is compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.metrics import Interval

__all__ = ["Resampling", "percentile_interval"]

Matrix = NDArray[np.float64]
_BLOCK = 2_000_000  # group weights held at once
_DEFINED = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resampling:
    """Draws of whole groups with replacement; asking twice gives the same draws, so that differences stay paired.

    Parameters:
        group: The group of each of n rows, numbered from 0, shape (n,).
        draws: How many resamples.
        random_state: Seed.
    """

    group: NDArray[np.int64]
    draws: int
    random_state: int

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.group.max(initial=-1)) + 1

    def means(self, values: Matrix) -> Matrix:
        """Return the resampled means of each column of (n, k) over its known rows, shape (draws, k); NaN where none is."""
        known = np.isfinite(values)
        total, count = np.hsplit(self.sums(np.hstack([np.where(known, values, 0.0), known])), 2)
        means: Matrix = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
        return means

    def sums(self, values: Matrix) -> Matrix:
        """Return the resampled sums of each column of (n, k), all of them known, shape (draws, k)."""
        by_group = self._by_group(values)
        return np.vstack([weights @ by_group for weights in self._weights()])

    def _by_group(self, values: Matrix) -> Matrix:
        totals = np.zeros((self.groups, values.shape[1]))
        np.add.at(totals, self.group, values)
        return totals

    def _weights(self) -> Iterator[Matrix]:
        """Yield how often each group was drawn, shape (some draws, groups)."""
        rng, groups = np.random.default_rng(self.random_state), self.groups
        step = max(1, _BLOCK // groups)
        for start in range(0, self.draws, step):
            size = min(step, self.draws - start)
            drawn = rng.integers(groups, size=(size, groups)) + np.arange(size)[:, None] * groups
            yield np.bincount(drawn.ravel(), minlength=size * groups).reshape(size, groups).astype(np.float64)


def percentile_interval(estimate: float, drawn: Matrix, level: float) -> Interval | None:
    """Return the interval between the outer quantiles of resampled figures; None when one in twenty is undefined."""
    known = drawn[np.isfinite(drawn)]
    if len(known) < _DEFINED * len(drawn):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(estimate=estimate, low=float(low), high=float(high), level=level)
