"""Pruning: models that another one beats in quality and cost at once, whatever is asked."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset, column_means

__all__ = ["dominated"]

Matrix = NDArray[np.float64]

_ERRORS = 3.0  # standard errors by which the other one has to be better
_SEEN = 20  # queries of a domain by which it has a say
_CHEAPER = 0.99  # share of the queries on which the other one must not be dearer


def dominated(data: RoutingDataset) -> dict[str, str]:
    """Return the models that another model is clearly better than and hardly ever dearer, each with the best such model.

    Clearly is by three standard errors over the queries that both answered, and by no domain of at least 20 of them to the
    contrary. A model that is the better one in a single domain stays: there a router may want it.
    """
    cost = np.where(np.isfinite(data.cost_usd), data.cost_usd, np.nan)
    order = sorted(
        range(len(data.models)), key=lambda j: (-np.nan_to_num(data.mean_quality[j], nan=-1), data.models[j])
    )
    found: dict[str, str] = {}
    for j in range(len(data.models)):
        for k in order:
            if k != j and data.models[k] not in found and _beats(data, cost, k, j):
                found[data.models[j]] = data.models[k]
                break
    return found


def _beats(data: RoutingDataset, cost: Matrix, k: int, j: int) -> bool:
    """Return whether model k dominates model j."""
    priced = np.isfinite(cost[:, k]) & np.isfinite(cost[:, j])
    if not priced.any() or (cost[priced, k] <= cost[priced, j]).mean() < _CHEAPER:
        return False
    ahead = data.quality[:, k] - data.quality[:, j]
    both = np.isfinite(ahead)
    if both.sum() < _SEEN:
        return False
    values, groups = ahead[both], np.unique(data.group_of[both], return_inverse=True)[1]
    mean = float(values.mean())
    error = float(np.sqrt(np.square(np.bincount(groups, values - mean)).sum())) / len(values)
    if not mean > _ERRORS * error:
        return False
    domains = np.array([domain or "" for domain in data.queries.domains])[both]
    large = [name for name, count in Counter(domains.tolist()).items() if name and count >= _SEEN]
    return all(float(column_means(values[domains == name, None])[0]) >= 0 for name in large)
