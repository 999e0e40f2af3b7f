"""Draws of a factorisation cover what is true, where truth is linear."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data import Queries, RoutingDataset
from pointsman.estimators.factor import Factor
from pointsman.features.embedding import Embedding

MODELS = ("a", "b", "c", "d")


def linear_data(seed: int, n: int, held: int = 200) -> tuple[RoutingDataset, Queries, np.ndarray]:
    """Return n training queries on vectors, other queries, and those queries' true quality (held, 4)."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n + held, 6))
    truth = 0.5 + np.array([0.0, 0.05, -0.05, 0.1]) + 0.04 * vectors @ rng.standard_normal((6, 4))
    observed = np.clip(truth + rng.normal(0, 0.15, truth.shape), 0, 1)
    queries = Queries.from_texts([f"{seed} {i}" for i in range(n + held)], embeddings=vectors)
    data = RoutingDataset(queries=queries.take(range(n)), models=MODELS, quality=observed[:n], cost_usd=np.ones((n, 4)))
    return data, queries.take(range(n, n + held)), truth[n:]


def test_draws_cover_true_differences() -> None:
    """The 90 % intervals of drawn differences hold the true ones about as often as they say, over fits and queries."""
    inside = []
    for seed in range(20):
        data, held, truth = linear_data(seed, 150)
        found = Factor(features=Embedding(length="given"), factors=4).fit(data).draw(held)
        assert found.draws is not None
        low, high = np.quantile(found.draws - found.draws[:, :, :1], [0.05, 0.95], axis=0)
        gap = truth - truth[:, :1]
        inside.append(((low <= gap) & (gap <= high))[:, 1:].mean())
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)


def test_more_queries_make_draws_narrower() -> None:
    """Nine times as many training queries leave a third of the spread, and draws are around the prediction."""
    widths = []
    for n in (150, 1350):
        data, held, _ = linear_data(0, n)
        found = Factor(features=Embedding(length="given"), factors=3, draws=400).fit(data).draw(held)
        assert found.draws is not None
        assert np.abs(found.draws.mean(axis=0) - found.quality).max() < 0.02
        widths.append(float(found.contrast("a").sd[:, 1:].mean()))
    assert widths[0] / widths[1] == pytest.approx(3, rel=0.2)


def test_unknown_cells_widen_draws() -> None:
    """A model that was asked a fourth of the queries is known less well than with all of them."""
    data, held, _ = linear_data(1, 400)
    few = data.quality.copy()
    few[np.arange(400) % 4 > 0, 3] = np.nan
    gappy = RoutingDataset(queries=data.queries, models=MODELS, quality=few, cost_usd=data.cost_usd)
    spreads = [
        Factor(features=Embedding(length="given"), factors=3).fit(part).draw(held).contrast("a").sd[:, 3].mean()
        for part in (data, gappy)
    ]
    assert spreads[1] > 1.3 * spreads[0]
