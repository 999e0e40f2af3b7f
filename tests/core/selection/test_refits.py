"""How far a router fitted on all queries may be from those of the folds."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.evaluation.paired import Comparison
from pointsman.metrics import Interval
from pointsman.selection.auditing.refits import Refits, refitted, widened


def two_models(n: int) -> RoutingDataset:
    """Make a model that is always wrong and costs 1, and one that is always right and costs 3."""
    texts = [f"text {i}" for i in range(n)]
    quality = {"cheap": np.zeros(n), "dear": np.ones(n)}
    return RoutingDataset.from_arrays(texts, quality, {"cheap": np.ones(n), "dear": np.full(n, 3.0)})


def test_routers_that_choose_alike_have_no_spread() -> None:
    """Five routers with the same choices leave no doubt about the sixth."""
    picks = np.tile([0, 1], (5, 10))
    assert Refits.of(two_models(20), picks, np.ones_like(picks), 1) == Refits(
        routers=5, difference=0, relative_cost=0, variance=0
    )


def test_the_spread_is_that_of_what_the_routers_come_to() -> None:
    """Routers that send more or fewer queries to the dear model spread in quality, in cost and in how often they differ."""
    shares = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    picks = (np.arange(20) < 20 * shares[:, None]).astype(np.intp)
    found = Refits.of(two_models(20), picks, np.zeros_like(picks), 1)
    assert found.difference == pytest.approx(shares.std(ddof=1))
    assert found.relative_cost == pytest.approx(((1 + 2 * shares) / 3).std(ddof=1))
    assert found.variance == pytest.approx((shares * (1 - shares)).std(ddof=1))


def test_unknown_costs_have_no_spread() -> None:
    """Where nothing is known of costs, nothing is widened."""
    data = two_models(20)
    data.cost_usd[...] = np.nan
    picks = (np.arange(20) < np.arange(5)[:, None]).astype(np.intp)
    assert Refits.of(data, picks, np.zeros_like(picks), 1).relative_cost == 0
    bare = Comparison(quality=0.5, cost_usd=None, difference=None, relative_cost=None)
    assert refitted(bare, Refits(routers=5, difference=1, relative_cost=1, variance=1)) == bare


def test_widening_keeps_the_estimate_and_the_bounds() -> None:
    """An interval only grows, on either side as an independent error would have it, and stays within what can be."""
    found = Interval(estimate=0.1, low=0.0, high=0.3, level=0.95)
    same = widened(found, 0.0)
    assert (same.estimate, same.low, same.high) == pytest.approx((0.1, 0.0, 0.3))
    more = widened(found, 0.1)
    assert more.low == pytest.approx(0.1 - np.hypot(0.1, 0.196), abs=1e-4)
    assert more.high == pytest.approx(0.1 + np.hypot(0.2, 0.196), abs=1e-4)
    assert widened(found, 5.0, low=-1, high=1) == Interval(estimate=0.1, low=-1, high=1, level=0.95)


def test_one_more_router_is_predicted_at_the_level_that_is_asked() -> None:
    """Of six draws of a normal distribution, the sixth is as often as stated within the interval that the five others give."""
    drawn = np.random.default_rng(0).normal(size=(20_000, 6))
    for level in (0.8, 0.95, 0.99):
        refits = Refits(routers=5, difference=1.0, relative_cost=0.0, variance=0.0)
        half = NormalDist().inv_cdf((1 + level) / 2) * refits.another(level) * drawn[:, :5].std(axis=1, ddof=1)
        held = np.abs(drawn[:, 5] - drawn[:, :5].mean(axis=1)) <= half
        assert held.mean() == pytest.approx(level, abs=0.006)
