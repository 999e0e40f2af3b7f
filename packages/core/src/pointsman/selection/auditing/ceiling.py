"""Ceiling: the most that any router, vote or cascade over these models can gain, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval, mean_interval, proportion_interval
from pointsman.selection.auditing.standings import chosen_interval, clipped

__all__ = ["Ceiling", "ceiling"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What choosing the best answer of every query would reach; whoever outputs a member's answer cannot do better.

    Measured on the queries that every model answered, with each outcome as it came: luck in single runs makes it too
    high, never too low.

    Parameters:
        queries: How many those are.
        oracle: Mean of the best quality.
        headroom: That minus the best single model's; its interval allows for the luck of being chosen as the best.
        cofailure: β, what even the oracle misses: the share of queries with no right answer where quality is 0 or 1
            (Clopper-Pearson), 1 − the mean of the best quality otherwise. Nobody's quality exceeds 1 − β.
        binary: Whether quality is only ever 0 or 1.
    """

    queries: int
    oracle: Interval
    headroom: Interval
    cofailure: Interval
    binary: bool


def ceiling(
    dataset: RoutingDataset, best: int, resampling: Resampling, *, level: float, among: int = 1
) -> Ceiling | None:
    """Return the ceiling over column `best`, chosen as the best of so many models that may be.

    None when fewer than two groups of queries were answered by every model.
    """
    complete = np.isfinite(dataset.quality).sum(axis=1) == len(dataset.models)
    if not complete.any():
        return None
    top = np.where(complete, np.where(complete[:, None], dataset.quality, 0.0).max(axis=1), np.nan)
    oracle = interval_of(top, resampling, level=level)
    headroom = clipped(chosen_interval(interval_of(top - dataset.quality[:, best], resampling, level=level), among))
    if oracle is None or headroom is None:
        return None
    binary = bool(np.isin(dataset.quality[complete], (0.0, 1.0)).all())
    missed = Interval(estimate=1 - oracle.estimate, low=1 - oracle.high, high=1 - oracle.low, level=level)
    return Ceiling(
        queries=int(complete.sum()),
        oracle=oracle,
        headroom=headroom,
        cofailure=_proportion(1 - top[complete], resampling.group[complete], level) if binary else missed,
        binary=binary,
    )


def _proportion(failed: Matrix, group: NDArray[np.int64], level: float) -> Interval:
    """Return the Clopper-Pearson interval of a share of rows, on as many rows as the groups are worth.

    Rows of one group that fail together tell less than as many independent ones: their number is divided by the design
    effect (Korn and Graubard, 1998), and halves are rounded to the wider side.
    """
    share, n = float(failed.mean()), len(failed)
    groups = len(np.unique(group))
    worth = min(n, groups)
    if 0 < share < 1 and groups < n:
        clustered, plain = mean_interval(failed, groups=group, level=level), mean_interval(failed, level=level)
        effect = ((clustered.high - clustered.low) / (plain.high - plain.low)) ** 2
        worth = max(1, min(n, floor(n / effect)))
    low = proportion_interval(floor(share * worth), worth, level).low
    high = proportion_interval(min(worth, ceil(share * worth - 1e-9)), worth, level).high
    return Interval(estimate=share, low=low, high=high, level=level)
