"""K-means as the estimators use it: in single precision, from cheap starts, on rows that may repeat."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

__all__ = ["k_means"]

_ITERATIONS = 50


def k_means(
    rows: NDArray[np.float64], clusters: int, *, starts: int = 1, random_state: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the centres (clusters, d) and the cluster of each of the rows (n, d), of the best of several runs."""
    from sklearn.cluster import KMeans, kmeans_plusplus
    from sklearn.exceptions import ConvergenceWarning

    single = rows.astype(np.float32)
    runs = []
    with warnings.catch_warnings():
        # Rows that differ by rounding only leave a cluster empty; its centre is as good as none.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for start in range(starts):
            seed = (random_state + start) % 2**32
            # One trial a centre: more of them cost as much as the iterations and gain nothing here.
            first, _ = kmeans_plusplus(single, clusters, random_state=seed, n_local_trials=1)
            runs.append(KMeans(clusters, init=first, n_init=1, max_iter=_ITERATIONS).fit(single))
    best = min(runs, key=lambda run: run.inertia_)
    return best.cluster_centers_.astype(np.float64), best.labels_.astype(np.intp)
