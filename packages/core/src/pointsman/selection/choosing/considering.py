"""Considering a cascade: whether reading answers before asking on is worth more than choosing once, on held-out queries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import folds
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.choice import first_choice
from pointsman.metrics.clusters import mean_error
from pointsman.policies.utility import Utility
from pointsman.routers.cascade_router import CascadeRouter
from pointsman.selection.choosing.findings import Considered

__all__ = ["considered"]

Matrix = NDArray[np.float64]

_PARTS = 4
_PRICES = 9
_SURE = 2.0  # standard errors by which the gain has to be above 0
_UTILITY = Utility()


def considered(
    cascade: CascadeRouter, estimator: Estimator, held: Estimates, data: RoutingDataset
) -> tuple[CascadeRouter | None, Considered]:
    """Return the cascade, learnt on all the data, if it pays, and how it compares with choosing once.

    Both go by the same estimates, of each query by parts that had not seen it, and are compared at the same prices on cost:
    utility is quality − λ·cost, averaged over λ from 0 to where the best single model is worth no more than the cheapest. Each
    part of the queries is answered by a cascade that learnt from the others.

    Args:
        cascade: What to learn; it is cloned.
        estimator: The fitted estimator that it will use.
        held: Held-out estimates of the rows of the data.
        data: Outcomes with answers, in canonical order.
    """
    models = cascade.clone().learn(data, held, estimator)
    if len(np.unique(data.group_of)) < _PARTS:
        return None, Considered(models=models.models.names, gain=None, error=None, cost_ratio=None)
    weights = _prices(data)
    gains, spent = np.full(len(data), np.nan), np.full((2, len(data)), np.nan)
    for train, rest in folds(data, _PARTS):
        learnt = cascade.clone().learn(data.take(train), held.take(train), estimator)
        gains[rest], spent[:, rest] = _gains(learnt, held.take(rest), data.take(rest), weights)
    known = np.isfinite(gains)
    if not known.any():
        return None, Considered(models=models.models.names, gain=None, error=None, cost_ratio=None)
    gain, error = float(gains[known].mean()), mean_error(gains[known], data.group_of[known])
    paid = spent[:, known].mean(axis=1)
    ratio = float(paid[0] / paid[1]) if paid[1] > 0 else None
    found = Considered(models=models.models.names, gain=gain, error=error, cost_ratio=ratio)
    return (models if gain - _SURE * error > 0 else None), found


def _prices(data: RoutingDataset) -> Matrix:
    """Return the λ to compare at, in quality per US dollar; 0 alone where the best model is cheapest, or costs are unknown."""
    best, cheapest = data.models.index(data.best_single), data.models.index(data.cheapest)
    quality, cost = data.mean_quality, data.mean_cost_usd
    if not cost[best] > cost[cheapest] or not np.isfinite(cost).all():
        return np.zeros(1)
    prices: Matrix = np.linspace(0, (quality[best] - quality[cheapest]) / (cost[best] - cost[cheapest]), _PRICES)
    return prices


def _gains(learnt: CascadeRouter, held: Estimates, data: RoutingDataset, weights: Matrix) -> tuple[Matrix, Matrix]:
    """Return each query's mean gain in utility, shape (n,), and mean dollars of the cascade and of choosing once, (2, n)."""
    rows = np.arange(len(data))
    gains, spent = np.zeros((len(weights), len(data))), np.zeros((2, len(weights), len(data)))
    for i, (weight, ended) in enumerate(
        zip(weights.tolist(), learnt.replay_estimated(data, held, weights), strict=True)
    ):
        once = first_choice(_UTILITY.scores(replace(held, cautious=None), weight), held.cost_usd)
        spent[:, i] = ended.cost_usd, data.cost_usd[rows, once]
        gains[i] = ended.quality - data.quality[rows, once]
        if weight:
            gains[i] -= weight * (spent[0, i] - spent[1, i])
    return gains.mean(axis=0), spent.mean(axis=1)
