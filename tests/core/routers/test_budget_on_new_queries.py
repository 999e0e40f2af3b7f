"""A mean budget that was learnt on some queries holds on others."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.estimators.linear import Linear
from pointsman.estimators.nearest import Nearest
from pointsman.features.embedding import Embedding
from pointsman.metrics import mean_interval
from pointsman.policies.budget import MeanBudget
from pointsman.routers.estimated import EstimatedRouter

RUNS, ROWS = 30, 400


def outcomes(rng: np.random.Generator) -> RoutingDataset:
    """Return outcomes of three models whose skill depends on where a query lies, at costs that vary from call to call."""
    points = rng.standard_normal((2 * ROWS, 4))
    skill = {"large": 0.85 + 0 * points[:, 0], "medium": 0.6 + 0.2 * points[:, 0], "small": 0.45 + 0.2 * points[:, 1]}
    quality = {name: (rng.random(2 * ROWS) < np.clip(p, 0, 1)).astype(float) for name, p in skill.items()}
    rates = {"large": 0.01, "medium": 0.002, "small": 0.0005}
    cost = {name: rate * rng.lognormal(0, 0.4, 2 * ROWS) for name, rate in rates.items()}
    return RoutingDataset.from_arrays([f"q{i}" for i in range(2 * ROWS)], quality, cost, embeddings=points)


@pytest.mark.parametrize("estimator", [Linear(features=Embedding()), Nearest(features=Embedding(), k=20)], ids=repr)
@pytest.mark.parametrize("usd", [0.002, 0.005])
def test_the_budget_holds_on_new_queries(estimator: Linear | Nearest, usd: float) -> None:
    """Over many data sets new queries cost the budget on average, and their interval holds it about as often as it states.

    The interval is that of a difference between two samples of this size, the one learnt on and the new one.
    """
    rng = np.random.default_rng(0)
    spent, covered = [], 0
    for _ in range(RUNS):
        data = outcomes(rng)
        router = EstimatedRouter(estimator=estimator, policy=MeanBudget(usd=usd)).fit(data.take(range(ROWS)))
        new = data.take(range(ROWS, 2 * ROWS))
        found = mean_interval(new.cost_usd[np.arange(ROWS), router.decide_many(new.queries).model])
        spent.append(found.estimate)
        covered += abs(found.estimate - usd) <= 2**0.5 * (found.high - found.low) / 2
    assert abs(np.mean(spent) - usd) <= 3 * np.std(spent) / RUNS**0.5
    assert np.mean(spent) == pytest.approx(usd, rel=0.05)
    assert covered >= 0.85 * RUNS
