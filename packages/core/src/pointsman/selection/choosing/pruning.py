"""Pruning: models that another one beats in quality and cost at once, whatever is asked."""

from __future__ import annotations

from collections import Counter

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.metrics.clusters import mean_error

__all__ = ["dominated"]

_ERRORS = 3.0  # standard errors by which the other one has to be better
_SEEN = 20  # queries of a domain by which it has a say
_CHEAPER = 0.99  # share of the queries on which the other one must not be dearer


def dominated(data: RoutingDataset) -> dict[str, str]:
    """Return the models that a better one which stays is clearly better than and hardly ever dearer, each with the best such.

    Clearly is by three standard errors over the queries that both answered, and by no domain of at least 20 of them to the
    contrary: a model that is the better one in a single domain stays, since a router may want it there. Only models of a
    higher mean quality count, and none that is dearer on average, so the best and the cheapest model always stay.
    """
    quality, cost = np.nan_to_num(data.mean_quality, nan=-1), np.nan_to_num(data.mean_cost_usd, nan=np.inf)
    order = sorted(range(len(data.models)), key=lambda j: (-quality[j], cost[j], data.models[j]))
    kept: list[int] = []
    found: dict[str, str] = {}
    for j in order:
        by = next((k for k in kept if _beats(data, k, j)), None)
        if by is None:
            kept.append(j)
        else:
            found[data.models[j]] = data.models[by]
    return dict(sorted(found.items()))


def _beats(data: RoutingDataset, k: int, j: int) -> bool:
    """Return whether model k dominates model j."""
    return _cheaper(data, k, j) and _better(data, k, j)


def _cheaper(data: RoutingDataset, k: int, j: int) -> bool:
    """Return whether model k is hardly ever dearer than model j, and not on average."""
    dearer = data.cost_usd[:, k] - data.cost_usd[:, j]
    dearer = dearer[np.isfinite(dearer)]
    if not len(dearer) or data.mean_cost_usd[k] > data.mean_cost_usd[j]:
        return False
    return bool((dearer <= 0).mean() >= _CHEAPER)


def _better(data: RoutingDataset, k: int, j: int) -> bool:
    """Return whether model k is clearly better than model j, and in no large domain worse."""
    ahead = data.quality[:, k] - data.quality[:, j]
    both = np.isfinite(ahead)
    if both.sum() < _SEEN:
        return False
    values = ahead[both]
    if not values.mean() > _ERRORS * mean_error(values, data.group_of[both]):
        return False
    domains = np.array([domain or "" for domain in data.queries.domains])[both]
    large = [name for name, count in Counter(domains.tolist()).items() if name and count >= _SEEN]
    return all(values[domains == name].mean() >= 0 for name in large)
