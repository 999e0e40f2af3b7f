"""Material of the protocols' tests: outcomes whose rule is known, and estimators that do one thing exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Self

import numpy as np
import pytest
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.linear import Linear
from pointsman.features.embedding import Embedding
from pointsman.routers.estimated import EstimatedRouter

DOMAINS = ("history", "law", "physics")
COST = {"cheap": 0.001, "middle": 0.003, "dear": 0.01}


class MemoryState(State):
    """The texts of the training data, their outcomes (n, m), and each model's mean quality and cost (m,)."""

    models: tuple[str, ...]
    texts: tuple[str, ...]
    seen: NDArray[np.float64]
    quality: NDArray[np.float64]
    cost: NDArray[np.float64]


class Memory(Estimator):
    """Knows the outcomes of texts it was fitted on, and of others only the models' means."""

    def fit(self, dataset: RoutingDataset) -> Self:
        """Remember."""
        data = dataset.canonical()
        state = MemoryState(
            models=data.models,
            texts=data.queries.texts,
            seen=np.where(np.isnan(data.quality), data.mean_quality, data.quality),
            quality=data.mean_quality,
            cost=data.mean_cost_usd,
        )
        return self.with_state(state)

    def predict(self, queries: Queries) -> Estimates:
        """Recall."""
        state = self.fitted(MemoryState)
        row = {text: i for i, text in enumerate(state.texts)}
        quality = np.array([state.seen[row[t]] if t in row else state.quality for t in queries.texts])
        return Estimates(models=state.models, quality=quality, cost_usd=np.tile(state.cost, (len(queries), 1)))


def outcomes(n: int = 600, *, seed: int = 0, turned: str | None = None) -> RoutingDataset:
    """Three models on easy and hard queries of three domains; vectors say which is which.

    Cheap answers the easy ones, dear the hard ones and most easy ones, middle is a dearer cheap. In a domain that is `turned`
    round, cheap and dear change places.
    """
    rng = np.random.default_rng(seed)
    easy, domain = rng.random(n) < 0.5, np.array(DOMAINS)[rng.integers(3, size=n)]
    luck = rng.random((n, 2)) < 0.95
    cheap, dear = easy & luck[:, 0], np.where(easy, rng.random(n) < 0.8, luck[:, 1])
    other = domain == turned
    quality = {
        "cheap": np.where(other, dear, cheap).astype(float),
        "middle": cheap.astype(float),
        "dear": np.where(other, cheap, dear).astype(float),
    }
    return RoutingDataset.from_arrays(
        [f"{'add' if e else 'prove the theorem'} number {i}" for i, e in enumerate(easy)],
        quality,
        {name: np.full(n, usd) for name, usd in COST.items()},
        domains=domain.tolist(),
        embeddings=np.column_stack([easy, ~easy]).astype(float),
    )


@pytest.fixture(scope="session")
def reordered() -> Callable[[RoutingDataset], RoutingDataset]:
    """What puts rows and models of the same data in another order."""

    def reorder(data: RoutingDataset) -> RoutingDataset:
        rows = np.random.default_rng(1).permutation(len(data))
        return replace(data.take(rows), groups=None).only(data.models[::-1])

    return reorder


@pytest.fixture(scope="session")
def turned() -> RoutingDataset:
    """900 queries; in law, cheap and dear change places."""
    return outcomes(900, turned="law")


@pytest.fixture(scope="session")
def world() -> RoutingDataset:
    """600 queries whose rule holds in every domain."""
    return outcomes()


@pytest.fixture
def knowing() -> EstimatedRouter:
    """A router that reads the vectors, which say all there is to know."""
    return EstimatedRouter(estimator=Linear(features=Embedding()))


@pytest.fixture
def remembering() -> EstimatedRouter:
    """A router that memorises."""
    return EstimatedRouter(estimator=Memory())
