"""Made-up outcomes that several of these tests learn from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.estimators.linear import Linear
from pointsman.estimators.nearest import Nearest
from pointsman.estimators.stacked import Stacked
from pointsman.features.embedding import Embedding

GIVEN = Embedding(length="given")
MEANS, USD = {"a": 0.55, "b": 0.6, "c": 0.5}, {"a": 0.001, "b": 0.01, "c": 0.002}


def _made_up(rows: int = 120, *, signal: float = 0.0, seed: int = 0, domains: int = 0) -> RoutingDataset:
    """Return right and wrong answers; `signal` is how much likelier "a" is right, and "b" wrong, on the right of the plane."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((rows, 3))
    tilt = {"a": signal, "b": -signal, "c": 0.0}
    chance = {name: mean + tilt[name] * np.sign(points[:, 0]) for name, mean in MEANS.items()}
    return RoutingDataset.from_arrays(
        [f"query {seed} {i}" for i in range(rows)],
        {name: (rng.random(rows) < share).astype(float) for name, share in chance.items()},
        {name: np.full(rows, usd) for name, usd in USD.items()},
        domains=[f"d{i % domains}" for i in range(rows)] if domains else None,
        embeddings=points,
    )


@pytest.fixture(scope="session")
def made_up() -> Callable[..., RoutingDataset]:
    """Return what makes outcomes of "a", "b" (the best, and the dearest) and "c" on points of three dimensions."""
    return _made_up


@pytest.fixture(scope="session")
def small_stack() -> Stacked:
    """Return a stack of two members on the given vectors, fitted in milliseconds."""
    return Stacked(features=GIVEN, members=(Linear(features=GIVEN), Nearest(features=GIVEN, k=10)), folds=3, draws=200)
