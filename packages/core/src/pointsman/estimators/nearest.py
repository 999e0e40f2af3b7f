"""Nearest: what models scored on the most similar training queries."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import training_data
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.spending import Spending
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical

__all__ = ["Nearest"]

Matrix = NDArray[np.float64]
_BLOCK = 256


class NearestState(State):
    """The training queries' unit-length features (n, d), their quality (n, m), and each model's mean."""

    features: Features
    models: tuple[str, ...]
    rows: NDArray[np.float32]
    quality: NDArray[np.float32]
    means: Matrix
    spending: Spending


class Nearest(Estimator):
    """Predict each model's quality from the k most similar training queries (cosine similarity).

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

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one on words, and one on vectors that weighs neighbours by how near they are."""
        from pointsman.features.embedding import Embedding

        words = cls(features=Lexical(bits=10, components=8), k=5)
        return words, cls(features=Embedding(), k=3, weights="similarity", prior=1.0)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Store the features and outcomes of every training query, and return self."""
        data = training_data(dataset)
        features = self.features.clone()
        rows = features.fit_transform(data.queries)
        return self.with_state(
            NearestState(
                features=features,
                models=data.models,
                rows=_unit(rows).astype(np.float32),
                quality=data.quality.astype(np.float32),
                means=data.mean_quality,
                spending=Spending.fit(rows, data),
            )
        )

    def predict(self, queries: Queries) -> Estimates:
        """Return the neighbours' averages for n queries."""
        state = self.fitted(NearestState)
        rows = state.features.transform(queries)
        points = _unit(rows).astype(np.float32)
        quality = np.empty((len(queries), len(state.models)))
        for start in range(0, len(points), _BLOCK):
            quality[start : start + _BLOCK] = self._averages(points[start : start + _BLOCK], state)
        cost, latency = state.spending.predict(rows, queries)
        return Estimates(models=state.models, quality=quality, cost_usd=cost, latency_s=latency)

    def _averages(self, points: NDArray[np.float32], state: NearestState) -> Matrix:
        """Average the neighbours' quality for one block of queries, shape (block, m)."""
        similarity = points @ state.rows.T
        k = min(self.k, len(state.rows))
        found = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
        weight = np.ones(found.shape)
        if self.weights == "similarity":
            weight = np.maximum(np.take_along_axis(similarity, found, axis=1).astype(np.float64), 0) + 1e-9
        quality = state.quality[found].astype(np.float64)
        known = np.isfinite(quality)
        total = np.einsum("nk,nkm->nm", weight, np.where(known, quality - state.means, 0.0))
        mass = np.einsum("nk,nkm->nm", weight, known.astype(np.float64)) + self.prior
        averages: Matrix = state.means + np.divide(total, mass, out=np.zeros_like(total), where=mass > 0)
        return averages


def _unit(rows: Matrix) -> Matrix:
    unit: Matrix = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit
