"""Spending: what a call will cost and how long it will take, log-linear in the query's features and length."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.ridge import RidgeSolver

__all__ = ["Spending"]

Matrix = NDArray[np.float64]
_TINY = 1e-9  # a free call still has a logarithm
_LARGEST = 50.0  # logarithm: beyond what anybody pays, and short of infinity
_PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)


class Spending(State):
    """Weights (d + 6, t) and intercepts of log cost, then of log latency where recorded; t = m or 2m.

    `smearing` (t,) undoes the bias of the exponential (Duan, 1983), so that means are met on the training data; it is NaN for
    a model whose cost nobody knows, and so are its predictions. Where nothing at all is known there are no weights.
    """

    weights: Matrix
    bias: Matrix
    smearing: Matrix
    models: int

    @classmethod
    def fit(cls, rows: Matrix, data: RoutingDataset) -> Self:
        """Fit on features (n, d) and a dataset whose queries are these rows."""
        amounts = data.cost_usd if data.latency_s is None else np.hstack([data.cost_usd, data.latency_s])
        seen = np.isfinite(amounts)
        if not seen.any():
            return cls(
                weights=np.zeros((0, amounts.shape[1])),
                bias=np.zeros(amounts.shape[1]),
                smearing=np.full(amounts.shape[1], np.nan),
                models=len(data.models),
            )
        logs = np.where(seen, np.log(np.where(seen, amounts, 0.0) + _TINY), 0.0)
        rows = np.hstack([rows, data.queries.statistics])
        solver, m = RidgeSolver(rows), len(data.models)
        # Each kind with a penalty of its own: how long calls happened to take is no evidence of what they cost.
        kinds = [
            solver.fit(logs[:, at : at + m], _PENALTIES, observed=seen[:, at : at + m])
            for at in range(0, logs.shape[1], m)
        ]
        weights, bias = np.hstack([kind.weights for kind in kinds]), np.hstack([kind.bias for kind in kinds])
        expected = np.where(seen, np.exp(rows @ weights + bias), 0.0).sum(axis=0)
        actual = np.where(seen, amounts, 0.0).sum(axis=0)
        smearing = np.divide(actual, expected, out=np.full(len(actual), np.nan), where=expected > 0)
        return cls(weights=weights, bias=bias, smearing=smearing, models=m)

    def predict(self, rows: Matrix, queries: Queries) -> tuple[Matrix, Matrix | None]:
        """Return the expected cost in US dollars (n, m), and latency in seconds (n, m) where it was recorded."""
        if not len(self.weights):
            return np.full((len(rows), self.models), np.nan), None
        d = rows.shape[1]
        logs = rows @ self.weights[:d] + queries.statistics @ self.weights[d:] + self.bias
        amounts = np.exp(np.minimum(logs, _LARGEST)) * self.smearing
        return amounts[:, : self.models], amounts[:, self.models :] if amounts.shape[1] > self.models else None
