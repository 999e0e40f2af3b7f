"""Out-of-fold estimates: what an estimator says of queries it was not fitted on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import folds
from pointsman.estimators.base import Estimates, Estimator

__all__ = ["out_of_fold"]


def out_of_fold(estimator: Estimator, dataset: RoutingDataset, *, k: int = 5, random_state: int = 0) -> Estimates:
    """Return the estimates of each row by a clone fitted on the other folds; the estimator itself stays as it is."""
    names = tuple(sorted(dataset.models))
    quality, cost = (np.full((len(dataset), len(names)), np.nan) for _ in range(2))
    latency = None if dataset.latency_s is None else np.full(quality.shape, np.nan)
    cautious: NDArray[np.float64] | None = None
    for train, held in folds(dataset, k, random_state=random_state):
        found = estimator.clone().fit(dataset.take(train)).predict(dataset.queries.take(held))
        quality[held], cost[held] = found.quality, found.cost_usd
        if found.cautious is not None:
            cautious = np.full(quality.shape, np.nan) if cautious is None else cautious
            cautious[held] = found.cautious()
        if latency is not None and found.latency_s is not None:
            latency[held] = found.latency_s
    return Estimates(
        models=names,
        quality=quality,
        cost_usd=cost,
        latency_s=latency,
        cautious=None if cautious is None else lambda: cautious,
    )
