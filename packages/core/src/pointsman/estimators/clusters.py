"""Clusters: a model is the vector of its average outcomes on each cluster of queries."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import shrunken_means, training_data
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.k_means import k_means
from pointsman.estimators.kinds import distinct_rows
from pointsman.estimators.spending import Spending
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical

__all__ = ["Clusters"]

Matrix = NDArray[np.float64]


class ClustersState(State):
    """Cluster centres (c, d), and every model's shrunken quality per cluster, shape (c, m)."""

    features: Features
    models: tuple[str, ...]
    centers: Matrix
    table: Matrix
    spending: Spending

    @cached_property
    def doubled(self) -> Matrix:
        """Twice the centres, shape (d, c)."""
        doubled: Matrix = 2 * self.centers.T
        return doubled

    @cached_property
    def squares(self) -> Matrix:
        """The squared lengths of the centres, shape (c,)."""
        squares: Matrix = np.square(self.centers).sum(axis=1)
        return squares


class Clusters(Estimator):
    """Predict a model's quality on a query from its averages on the nearest clusters of training queries.

    This is UniRoute's view (ICLR 2026, arXiv 2502.08773): the clusters belong to the queries, and a model is no more than its
    vector of cluster errors. Averaging over several near clusters follows The Avengers (arXiv 2505.19797).

    Parameters:
        features: The map whose rows are clustered; cloned by `fit`.
        clusters: Number of k-means clusters; fewer when there are fewer distinct queries.
        nearest: Clusters to average over, weighted equally.
        prior: Pseudo-queries per cluster that score the model's overall mean.
        starts: Runs of k-means, of which the best counts.
        random_state: Seed of k-means.
    """

    tags = Tags(how=frozenset({"heuristic"}))

    features: Features = Lexical()
    clusters: Annotated[int, Ge(1)] = 64
    nearest: Annotated[int, Ge(1)] = 3
    prior: Annotated[float, Ge(0)] = 10.0
    starts: Annotated[int, Ge(1)] = 4
    random_state: Annotated[int, Ge(0), Le(2**32 - 1)] = 0

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that averages over two of four clusters."""
        return (cls(features=Lexical(bits=10, components=8), clusters=4, nearest=2, prior=1.0),)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Cluster the queries, average every model's outcomes per cluster, and return self."""
        data = training_data(dataset)
        features = self.features.clone()
        rows = features.fit_transform(data.queries)
        count = min(self.clusters, distinct_rows(rows))
        centers, labels = k_means(rows, count, starts=self.starts, random_state=self.random_state)
        members = np.zeros((count, len(rows)))
        members[labels, np.arange(len(rows))] = 1
        return self.with_state(
            ClustersState(
                features=features,
                models=data.models,
                centers=centers,
                table=shrunken_means(members, data.quality, data.mean_quality, self.prior),
                spending=Spending.fit(rows, data),
            )
        )

    def predict(self, queries: Queries) -> Estimates:
        """Return the nearest clusters' averages for n queries."""
        state = self.fitted(ClustersState)
        rows = state.features.transform(queries)
        cost, latency = state.spending.predict(rows, queries)
        quality = self._shares(rows, state) @ state.table
        return Estimates(models=state.models, quality=quality, cost_usd=cost, latency_s=latency)

    def predict_quality(self, queries: Queries) -> Matrix:
        """Return the expected quality alone, shape (n, m)."""
        return self.basis(queries) @ self.fitted(ClustersState).table

    def basis(self, queries: Queries) -> Matrix:
        """Return the shares of the clusters: equal ones for the nearest, 0 for the others, shape (n, c)."""
        state = self.fitted(ClustersState)
        return self._shares(state.features.transform(queries), state)

    def coefficients(self) -> tuple[Matrix, Matrix]:
        """Return the table of averages."""
        table = self.fitted(ClustersState).table
        return table, np.zeros(table.shape[1])

    def _shares(self, rows: Matrix, state: ClustersState) -> Matrix:
        distance = state.squares - rows @ state.doubled  # less the squared length of the row itself
        p = min(self.nearest, len(state.centers))
        found = distance.argsort(axis=1, kind="stable")[:, :p]
        found += np.arange(0, distance.size, distance.shape[1])[:, None]
        shares = np.zeros(distance.shape)
        shares.put(found, 1 / p)
        return shares

    def profile(self, model: str) -> Matrix:
        """Return a model's expected error (1 − quality) on each cluster, shape (c,)."""
        state = self.fitted(ClustersState)
        return 1 - state.table[:, state.models.index(model)]
