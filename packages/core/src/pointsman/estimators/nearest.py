"""Nearest: what models scored on the most similar training queries."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import Targets
from pointsman.estimators.base import Estimates, Estimator
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical

__all__ = ["Nearest"]

Matrix = NDArray[np.float64]
_BLOCK = 256


class NearestState(State):
    """The training queries' features (n, d), their targets, and each target's mean."""

    features: Features
    rows: NDArray[np.float32]
    models: tuple[str, ...]
    values: NDArray[np.float32]
    means: Matrix


class Nearest(Estimator):
    """Predict each model's quality and cost from the k most similar training queries (cosine similarity).

    A model unobserved among the neighbours gets its overall mean. A tuned k is hard to beat among learned routers
    ("Rethinking Predictive LLM Routing", Li, 2025, arXiv 2505.12601).

    Parameters:
        features: The map whose rows are compared; cloned by `fit`.
        k: Neighbours to average; all rows when there are fewer.
        weights: "uniform", or "similarity" to weigh neighbours by their cosine.
        prior: Pseudo-neighbours that score the model's overall mean.
    """

    tags = Tags(how=frozenset({"supervised"}))

    features: Features = Lexical()
    k: Annotated[int, Ge(1)] = 100
    weights: Literal["uniform", "similarity"] = "uniform"
    prior: Annotated[float, Ge(0)] = 0.0

    def fit(self, dataset: RoutingDataset) -> Self:
        """Store the features and outcomes of every training query, and return self."""
        targets = Targets.of(dataset)
        features = self.features.clone().fit(targets.data.queries)
        return self.with_state(
            NearestState(
                features=features,
                rows=_unit(features.transform(targets.data.queries)).astype(np.float32),
                models=targets.models,
                values=targets.values.astype(np.float32),
                means=targets.means,
            )
        )

    def predict(self, queries: Queries) -> Estimates:
        """Return the neighbours' averages for n queries."""
        state = self.fitted(NearestState)
        points = _unit(state.features.transform(queries))
        blocks = [self._averages(points[i : i + _BLOCK], state) for i in range(0, len(points), _BLOCK)]
        values = np.concatenate(blocks) if blocks else np.empty((0, len(state.means)))
        return Targets.estimates(state.models, values)

    def _averages(self, points: Matrix, state: NearestState) -> Matrix:
        """Average the neighbours' outcomes of one block of queries, shape (block, targets)."""
        similarity = points.astype(np.float32) @ state.rows.T
        k = min(self.k, len(state.rows))
        found = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        weight = np.ones(found.shape)
        if self.weights == "similarity":
            weight = np.maximum(np.take_along_axis(similarity, found, axis=1).astype(np.float64), 0) + 1e-9
        values = state.values[found].astype(np.float64)
        known = np.isfinite(values)
        total = np.einsum("nk,nkt->nt", weight, np.where(known, values - state.means, 0.0))
        mass = np.einsum("nk,nkt->nt", weight, known.astype(np.float64)) + self.prior
        return state.means + np.divide(total, mass, out=np.zeros_like(total), where=mass > 0)


def _unit(rows: Matrix) -> Matrix:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
