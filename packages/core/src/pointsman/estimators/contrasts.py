"""Contrasts: what tells models apart on a query, once how hard the query is has been taken out."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset

__all__ = ["centred", "row_means", "split_quality"]

Matrix = NDArray[np.float64]


def split_quality(data: RoutingDataset) -> tuple[Matrix, Matrix]:
    """Return the level of each query, shape (n, 1), and the contrasts (n, m), NaN where a cell was not observed.

    The level is the mean of the observed models' deviations from their own means, so that it does not depend on which models
    were observed; contrasts are quality less level.
    """
    level = _known_row_means(data.quality - data.mean_quality)
    return level, data.quality - level


def _known_row_means(matrix: Matrix) -> Matrix:
    """Return the mean of what is known in each row of (n, m), shape (n, 1); 0 where nothing is."""
    seen = np.isfinite(matrix)
    total = np.where(seen, matrix, 0.0).sum(axis=1, keepdims=True)
    means: Matrix = total / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    return means


def row_means(matrix: Matrix) -> Matrix:
    """Return the means along the last axis: as a product, many times faster than `mean` for one query."""
    means: Matrix = matrix @ _averaging(matrix.shape[-1])
    return means


def centred(quality: Matrix) -> Matrix:
    """Return the contrasts of quality (n, m) that is known everywhere: what is beyond the mean of its row."""
    return quality - row_means(quality)[:, None]


@cache
def _averaging(m: int) -> Matrix:
    return np.full(m, 1 / m)
