"""Spending as little as the best single model's quality allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError
from pointsman.estimators.base import Estimates
from pointsman.policies.equal_quality import EqualQuality, EqualQualityState
from pointsman.policies.utility import Utility

USD = np.array([0.10, 0.01])
MODELS = ("large", "small")


def case(rows: int = 100, easy: float = 0.6, *, usd: np.ndarray = USD) -> tuple[Estimates, RoutingDataset]:
    """Return exact estimates of a large model that is always right and a small one that is right on easy queries."""
    small = (np.arange(rows) < easy * rows).astype(float)
    cost = np.tile(usd, (rows, 1))
    quality = np.column_stack([np.ones(rows), small])
    data = RoutingDataset.from_arrays(
        [f"q{i}" for i in range(rows)], {"large": quality[:, 0], "small": small}, dict(zip(MODELS, cost.T, strict=True))
    )
    return Estimates(models=MODELS, quality=quality, cost_usd=cost), data


def fitted(policy: EqualQuality, found: Estimates, data: RoutingDataset) -> EqualQualityState:
    """Return what the policy learnt."""
    return policy.clone().fit(found, data).fitted(EqualQualityState)


def spent(policy: EqualQuality, found: Estimates, data: RoutingDataset) -> tuple[float, float]:
    """Return mean quality and cost at the chosen weight."""
    picks = policy.clone().fit(found, data).choose(found, uniforms=lambda: np.zeros(len(found))).model
    rows = np.arange(len(found))
    return float(data.quality[rows, picks].mean()), float(data.cost_usd[rows, picks].mean())


def test_the_cheapest_setting_that_holds_is_taken() -> None:
    """Where estimates are right, easy queries go to the small model and nothing is lost."""
    found, data = case()
    found = replace(found, quality=found.quality * [1.0, 0.95])
    assert spent(EqualQuality(), found, data) == pytest.approx((1.0, 0.046))
    state = fitted(EqualQuality(), found, data)
    assert state.weight > 0
    assert (state.difference, state.relative_cost) == pytest.approx((0.0, 0.46))


def test_no_cheaper_setting_holds() -> None:
    """Of all weights, none costs less and is as good by the mean, where it goes by the mean alone."""
    rng = np.random.default_rng(0)
    found, data = case()
    found = replace(found, quality=np.clip(found.quality + 0.3 * rng.standard_normal(found.quality.shape), 0, 1))
    chosen = fitted(EqualQuality(confidence=0.5, tolerance=0.02), found, data)
    assert chosen.relative_cost is not None
    for weight in Utility().points(found):
        picks = Utility().choose(found, point=weight, uniforms=lambda: np.zeros(100)).model
        quality, cost = data.quality[np.arange(100), picks].mean(), data.cost_usd[np.arange(100), picks].mean()
        assert quality < 1 - 0.02 or cost / 0.1 >= chosen.relative_cost - 1e-9


def test_tolerance_buys_savings() -> None:
    """With half of the quality to give away, all is left to the small model."""
    found, data = case()
    assert spent(EqualQuality(tolerance=0.5), found, data) == pytest.approx((0.6, 0.01))


def test_the_margin_grows_with_confidence() -> None:
    """The surer it has to be, the less it saves; with the mean alone it saves the most."""
    rng = np.random.default_rng(1)
    found, data = case(60)
    found = replace(found, quality=np.clip(found.quality + 0.4 * rng.standard_normal(found.quality.shape), 0, 1))
    costs = [spent(EqualQuality(tolerance=0.1, confidence=c), found, data)[1] for c in (0.5, 0.9, 0.999)]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_rows_of_a_group_count_once() -> None:
    """Repeating the rows in their groups leaves the choice; what a single group says is not enough."""
    rng = np.random.default_rng(2)
    found, data = case(40)
    found = replace(found, quality=np.clip(found.quality + 0.4 * rng.standard_normal(found.quality.shape), 0, 1))
    policy, rows = EqualQuality(tolerance=0.1, confidence=0.95), np.tile(np.arange(40), 4)
    assert fitted(policy, found.take(rows), data.take(rows)).weight == fitted(policy, found, data).weight
    one = replace(data, groups=np.zeros(40, dtype=np.int64))
    assert fitted(policy, found, one).relative_cost is None
    assert fitted(EqualQuality(tolerance=0.5, confidence=0.5), found, one).relative_cost is not None


def test_unknown_costs_put_quality_first() -> None:
    """Where expected costs are unknown there is nothing to sweep: weight 0, and no figures."""
    found, data = case()
    unknown = np.full((100, 2), np.nan)
    policy = EqualQuality().fit(replace(found, cost_usd=unknown), replace(data, cost_usd=unknown))
    state = policy.fitted(EqualQualityState)
    assert (state.weight, state.difference, state.relative_cost) == (0.0, None, None)
    assert policy.points(replace(found, cost_usd=unknown)) == ()
    assert policy.scores(found).tolist() == found.quality.tolist()


def test_where_nothing_holds_quality_comes_first() -> None:
    """Estimates that are wrong throughout leave weight 0, not the least bad saving."""
    found, data = case(easy=0.5)
    state = fitted(EqualQuality(confidence=0.9), replace(found, quality=1 - found.quality), data)
    assert (state.weight, state.difference, state.relative_cost) == (0.0, None, None)


def test_a_free_model_that_is_the_best_is_not_paid_for() -> None:
    """Beside a free model no ratio of costs exists, and still the cheapest setting is taken."""
    found, data = case(usd=np.array([0.0, 0.01]))
    wrong = replace(found, quality=np.tile([0.8, 0.81], (100, 1)))
    assert spent(EqualQuality(tolerance=0.5), wrong, data) == pytest.approx((1.0, 0.0))
    assert fitted(EqualQuality(tolerance=0.5), wrong, data).relative_cost is None


def test_missing_cells_are_left_out() -> None:
    """What was not observed neither counts nor stops the rest from counting."""
    found, data = case()
    hidden = np.random.default_rng(0).random((100, 2)) < 0.3
    gaps = replace(
        data, quality=np.where(hidden, np.nan, data.quality), cost_usd=np.where(hidden, np.nan, data.cost_usd)
    )
    state = fitted(EqualQuality(), found, gaps)
    assert state.difference == pytest.approx(0.0)
    assert state.relative_cost == pytest.approx(0.46, abs=0.1)


def test_zero_goes_by_caution_and_no_other_weight_does() -> None:
    """Quality first takes what still holds for unfamiliar queries; where money or time count, expectation rules."""
    found, _ = case(4)
    cautious = np.tile([0.1, 0.2], (4, 1))
    found = replace(found, cautious=lambda: cautious, latency_s=np.ones((4, 2)))
    assert Utility().scores(found).tolist() == cautious.tolist()
    assert Utility(cost_weight=5.0).scores(found, 0.0).tolist() == cautious.tolist()
    assert Utility().scores(found, 1.0).tolist() == (found.quality - found.cost_usd).tolist()
    assert Utility(latency_weight=0.5).scores(found).tolist() == (found.quality - 0.5).tolist()
    assert Utility().scores(replace(found, cautious=None)).tolist() == found.quality.tolist()


def test_a_model_that_is_not_allowed_has_no_say_under_caution() -> None:
    """What caution expects of a model that is left out does not matter."""
    found, _ = case(4)
    found = replace(found, cautious=lambda: np.tile([0.9, 0.2], (4, 1)))
    allowed = np.tile([False, True], (4, 1))
    assert Utility().choose(found, allowed=allowed, uniforms=lambda: np.zeros(4)).model.tolist() == [1] * 4


@pytest.mark.parametrize("wrong", [{"tolerance": -0.1}, {"confidence": 0.4}, {"confidence": 1.0}], ids=str)
def test_parameters_are_checked(wrong: dict[str, float]) -> None:
    """A negative tolerance and a confidence below even odds, or of certainty, are refused by name."""
    with pytest.raises(ConfigError, match=rf"EqualQuality\.{next(iter(wrong))}"):
        EqualQuality(**wrong)
