"""Targets: everything that is averaged for a model, side by side in one matrix, with means that skip missing cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError, choices
from pointsman.estimators.base import Estimates

__all__ = ["Targets"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """Quality, cost and, where recorded, latency of m models on n queries, in canonical order.

    Parameters:
        data: The dataset in canonical order.
        models: The m names, sorted.
        values: Shape (n, 2m) or (n, 3m): quality, cost in US dollars, latency in seconds; NaN is missing.
        means: Mean of each column where known, shape (2m,) or (3m,); NaN for a cost or latency nobody recorded.
    """

    data: RoutingDataset
    models: tuple[str, ...]
    values: Matrix
    means: Matrix

    @classmethod
    def of(cls, dataset: RoutingDataset) -> Self:
        """Collect the targets of a dataset; a model without a single outcome raises DataError."""
        data = dataset.canonical()
        unseen = [name for name, mean in zip(data.models, data.mean_quality, strict=True) if np.isnan(mean)]
        if unseen:
            raise DataError(f"There is no outcome at all of model {choices(unseen)}; leave it out or probe it first.")
        parts = [data.quality, data.cost_usd] + ([] if data.latency_s is None else [data.latency_s])
        values = np.concatenate(parts, axis=1)
        known = np.isfinite(values)
        count = known.sum(0)
        total = np.where(known, values, 0.0).sum(0)
        means = np.divide(total, count, out=np.full(values.shape[1], np.nan), where=count > 0)
        return cls(data=data, models=data.models, values=values, means=means)

    @property
    def known(self) -> Matrix:
        """1 where a cell was observed, else 0; shape of `values`."""
        return np.isfinite(self.values).astype(np.float64)

    @property
    def residuals(self) -> Matrix:
        """Values minus column means, 0 where unobserved: averaging these shrinks a missing cell to its mean."""
        return np.where(np.isfinite(self.values), self.values - np.nan_to_num(self.means), 0.0)

    def shrunken(self, weights: Matrix, prior: float) -> Matrix:
        """Return weighted means of every column, shape (g, columns), pulled to the column mean by `prior` pseudo-rows.

        `weights` has shape (g, n): how much each row counts for each of g averages.
        """
        mass = weights @ self.known + prior
        pulled = np.divide(weights @ self.residuals, mass, out=np.zeros_like(mass), where=mass > 0)
        return self.means + pulled

    @staticmethod
    def estimates(models: tuple[str, ...], values: Matrix) -> Estimates:
        """Read a matrix of predicted targets, shape (n, 2m) or (n, 3m), as estimates."""
        m = len(models)
        latency = values[:, 2 * m :] if values.shape[1] > 2 * m else None
        return Estimates(models=models, quality=values[:, :m], cost_usd=values[:, m : 2 * m], latency_s=latency)
