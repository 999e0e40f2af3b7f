"""Constant: every query gets each model's average; what the Zero router and "always one model" rest on."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import Targets
from pointsman.estimators.base import Estimates, Estimator

__all__ = ["Constant"]


class ConstantState(State):
    """The averages of each target."""

    models: tuple[str, ...]
    means: NDArray[np.float64]


class Constant(Estimator):
    """Predict each model's mean quality, cost and latency, whatever the query."""

    def fit(self, dataset: RoutingDataset) -> Self:
        """Average every model's outcomes and return self."""
        targets = Targets.of(dataset)
        return self.with_state(ConstantState(models=targets.models, means=targets.means))

    def predict(self, queries: Queries) -> Estimates:
        """Return the averages for each of n queries."""
        state = self.fitted(ConstantState)
        return Targets.estimates(state.models, np.tile(state.means, (len(queries), 1)))
