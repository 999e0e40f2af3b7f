"""Kinds of queries: the domains they are given, or clusters of their features where they are given none."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from pointsman.data.queries import Queries
from pointsman.estimators.k_means import k_means

__all__ = ["distinct_rows", "kinds_of"]

_FEWEST = 4  # domains, of two queries each, below which clusters tell more
_CLUSTERS = 12
_OF_EACH = 8  # queries that a cluster should have on average
_SAME = 5  # decimals in which the rows of texts that are the same to the features agree


def kinds_of(queries: Queries, rows: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the kind of each query, numbered from 0, -1 where unknown, shape (n,); rows are their features (n, d)."""
    count = Counter(domain for domain in queries.domains if domain is not None)
    names = sorted(name for name, times in count.items() if times > 1)
    if len(names) >= _FEWEST:
        index = {name: i for i, name in enumerate(names)}
        return np.array([index.get(domain or "", -1) for domain in queries.domains], dtype=np.intp)
    clusters = min(_CLUSTERS, len(rows) // _OF_EACH)
    if clusters < _FEWEST or distinct_rows(rows) < clusters:
        return np.full(len(rows), -1, dtype=np.intp)
    return k_means(rows, clusters)[1]


def distinct_rows(rows: NDArray[np.float64]) -> int:
    """Return how many rows (n, d) differ by more than rounding: no more clusters can be told apart."""
    return len(np.unique(rows.round(_SAME), axis=0))
