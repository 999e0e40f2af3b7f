"""Constant: every query gets each model's average; what the Zero router and "always one model" rest on."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset, column_means
from pointsman.data.queries import Queries
from pointsman.estimators.averages import training_data
from pointsman.estimators.base import Estimates, Estimator

__all__ = ["Constant"]


class ConstantState(State):
    """Each model's mean quality, cost and latency, shape (m,); latency None where nobody recorded it."""

    models: tuple[str, ...]
    quality: NDArray[np.float64]
    cost_usd: NDArray[np.float64]
    latency_s: NDArray[np.float64] | None


class Constant(Estimator):
    """Predict each model's mean quality, cost and latency, whatever the query."""

    def fit(self, dataset: RoutingDataset) -> Self:
        """Average every model's outcomes and return self."""
        data = training_data(dataset)
        return self.with_state(
            ConstantState(
                models=data.models,
                quality=data.mean_quality,
                cost_usd=data.mean_cost_usd,
                latency_s=None if data.latency_s is None else column_means(data.latency_s),
            )
        )

    def predict(self, queries: Queries) -> Estimates:
        """Return the averages for each of n queries."""
        state, shape = self.fitted(ConstantState), (len(queries), 1)
        return Estimates(
            models=state.models,
            quality=np.tile(state.quality, shape),
            cost_usd=np.tile(state.cost_usd, shape),
            latency_s=None if state.latency_s is None else np.tile(state.latency_s, shape),
        )
