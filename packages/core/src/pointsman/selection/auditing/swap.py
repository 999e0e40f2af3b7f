"""Swap: a cheaper single model that is as good as the best one saves without any router."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.baselines import always
from pointsman.evaluation.paired import Comparison, compare
from pointsman.evaluation.resampling import Resampling

__all__ = ["Swap", "swap"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """A single model, and how it does beside the best one."""

    model: str
    beside: Comparison


def swap(dataset: RoutingDataset, best: int, resampling: Resampling, *, level: float, margin: float) -> Swap | None:
    """Return the cheapest model that is shown to lose less than the margin to column `best`, and to cost less; or None."""
    quality, cost = dataset.mean_quality, dataset.mean_cost_usd
    incumbent = always(dataset.models[best], dataset)
    for j in np.argsort(cost, kind="stable").tolist():
        if not (cost[j] < cost[best] and quality[j] > quality[best] - margin):
            continue
        mine = always(dataset.models[j], dataset)
        found = compare((mine.quality, mine.cost_usd), (incumbent.quality, incumbent.cost_usd), resampling, level=level)
        saves = found.saving is not None and found.saving.low > 0
        if saves and found.difference is not None and found.difference.low > -margin:
            return Swap(model=dataset.models[j], beside=found)
    return None
