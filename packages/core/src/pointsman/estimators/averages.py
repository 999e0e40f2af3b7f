"""Averages: means of model quality that skip missing cells and lean on the model's overall mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError, choices

__all__ = ["shrunken_means", "training_data"]

Matrix = NDArray[np.float64]


def training_data(dataset: RoutingDataset) -> RoutingDataset:
    """Return a dataset in canonical order; DataError when it is empty or a model has no outcome at all."""
    if not len(dataset):
        raise DataError("There is nothing to fit on: the dataset has no rows.")
    data = dataset.canonical()
    unseen = [name for name, mean in zip(data.models, data.mean_quality.tolist(), strict=True) if np.isnan(mean)]
    if unseen:
        raise DataError(f"There is no outcome at all of model {choices(unseen)}; leave it out or probe it first.")
    return data


def shrunken_means(weights: Matrix, values: Matrix, means: Matrix, prior: float) -> Matrix:
    """Return weighted means of each column, shape (g, m), pulled to `means` (m,) by `prior` pseudo-rows.

    `weights` (g, n) says how much each row counts for each of g averages; values (n, m) may hold NaN. Without a prior, an
    average over nothing is the column's mean.
    """
    known = np.isfinite(values)
    total = weights @ np.where(known, values - means, 0.0)
    mass = weights @ known.astype(np.float64) + prior
    return means + np.divide(total, mass, out=np.zeros_like(total), where=mass > 0)
