"""What each policy chooses, on estimates small enough to see."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, UnknownCostError
from pointsman.estimators.base import Estimates
from pointsman.policies.base import Choice, Policy
from pointsman.policies.budget import MeanBudget
from pointsman.policies.cap import Capped
from pointsman.policies.floor import NearBest, QualityFloor
from pointsman.policies.threshold import Threshold
from pointsman.policies.utility import Utility

MODELS = ("large", "medium", "small")
COST = np.array([0.10, 0.02, 0.01])
QUALITY = np.array([[0.9, 0.8, 0.2], [0.9, 0.85, 0.84], [0.5, 0.5, 0.5], [0.95, 0.4, 0.1]])


def estimates(quality: Any = QUALITY, cost: Any = COST, latency: Any = None) -> Estimates:
    """Return estimates with the same costs for every query."""
    cost = np.broadcast_to(np.asarray(cost, dtype=float), np.shape(quality)).copy()
    return Estimates(models=MODELS, quality=np.asarray(quality, dtype=float), cost_usd=cost, latency_s=latency)


def dataset(found: Estimates) -> RoutingDataset:
    """Return outcomes that are just as estimated."""
    columns = {name: found.quality[:, j] for j, name in enumerate(found.models)}
    costs = {name: found.cost_usd[:, j] for j, name in enumerate(found.models)}
    return RoutingDataset.from_arrays([f"q{i}" for i in range(len(found))], columns, costs)


def choose(policy: Policy, found: Estimates | None = None, **options: Any) -> Choice:
    """Let a policy choose with fixed draws."""
    found = estimates() if found is None else found
    return policy.choose(found, uniforms=lambda: np.linspace(0, 0.999, len(found)), **options)


def names(choice: Choice) -> list[str]:
    """Return the chosen models' names."""
    return [MODELS[i] for i in choice.model]


def test_utility_weighs_quality_against_cost() -> None:
    """λ decides: 0 takes the best and the cheapest of ties, more λ moves to cheaper models."""
    assert names(choose(Utility())) == ["large", "large", "small", "large"]
    assert names(choose(Utility(cost_weight=2.0))) == ["medium", "small", "small", "large"]
    assert names(choose(Utility(), point=1e6)) == ["small"] * 4


def test_utility_weighs_latency() -> None:
    """μ takes the faster model where quality is close."""
    slow = np.tile([5.0, 1.0, 0.5], (4, 1))
    assert names(choose(Utility(latency_weight=0.05), estimates(latency=slow))) == ["medium", "small", "small", "large"]


@pytest.mark.parametrize(
    "policy",
    [Utility(cost_weight=1.0), QualityFloor(), NearBest(), Capped(max_cost_usd=1.0)],
    ids=repr,
)
def test_an_unknown_cost_is_never_nothing(policy: Policy) -> None:
    """A policy that needs a cost nobody knows refuses, naming the model."""
    with pytest.raises(UnknownCostError, match="small"):
        choose(policy, estimates(cost=[0.1, 0.02, np.nan]))


def test_threshold_calls_the_strong_model_for_enough_gain() -> None:
    """The strong model is called from the threshold on, the third model only when neither may answer."""
    policy = Threshold(strong="large", weak="small", threshold=0.7).fit(estimates(), dataset(estimates()))
    assert names(choose(policy)) == ["large", "small", "small", "large"]
    assert names(choose(policy, point=0.05)) == ["large", "large", "small", "large"]
    only_medium = np.tile([False, True, False], (4, 1))
    assert names(choose(policy, allowed=only_medium)) == ["medium"] * 4


def test_threshold_meets_a_share() -> None:
    """`strong_share` sends that share of the fitted queries to the strong model, with ties never more."""
    found = estimates(np.random.default_rng(0).random((100, 3)))
    for share in (0.0, 0.25, 0.5, 1.0):
        policy = Threshold(strong="large", weak="small", strong_share=share).fit(found, dataset(found))
        assert names(choose(policy, found)).count("large") == round(100 * share)
    tied = estimates(np.tile([0.9, 0.5, 0.4], (10, 1)))
    policy = Threshold(strong="large", weak="small", strong_share=0.5).fit(tied, dataset(tied))
    assert names(choose(policy, tied)).count("large") == 0


def test_threshold_finds_its_models() -> None:
    """By default the best single model is the strong one and the cheapest the weak one; a wrong name is refused."""
    policy = Threshold().fit(estimates(), dataset(estimates()))
    assert (policy.state_.strong, policy.state_.weak) == ("large", "small")  # type: ignore[union-attr]
    with pytest.raises(ConfigError, match="'huge'"):
        Threshold(strong="huge").fit(estimates(), dataset(estimates()))


def test_a_floor_takes_the_cheapest_that_reaches_it() -> None:
    """The cheapest good enough model answers; where none is, the best one."""
    assert names(choose(QualityFloor(quality=0.8))) == ["medium", "small", "small", "large"]
    assert names(choose(QualityFloor(quality=0.99))) == ["large", "large", "small", "large"]


def test_near_best_gives_up_no_more_than_its_tolerance() -> None:
    """The cheapest within the tolerance of the best answers."""
    assert names(choose(NearBest(tolerance=0.06))) == ["large", "small", "small", "large"]
    assert names(choose(NearBest(tolerance=0.0))) == ["large", "large", "small", "large"]


def test_a_cap_keeps_dear_models_out() -> None:
    """Models over the cap are not chosen; when all are, the cheapest allowed one is."""
    assert names(choose(Capped(max_cost_usd=0.05))) == ["medium", "medium", "small", "medium"]
    assert names(choose(Capped(max_cost_usd=0.001))) == ["small"] * 4
    no_small = np.tile([True, True, False], (4, 1))
    assert names(choose(Capped(max_cost_usd=0.001), allowed=no_small)) == ["medium"] * 4


def test_a_budget_is_met_exactly_in_expectation() -> None:
    """Over its draws the policy spends its budget to the cent, also where all queries tie."""
    for found in (estimates(), estimates(np.tile([0.9, 0.6, 0.5], (50, 1)))):
        for usd in (0.011, 0.03, 0.0677):
            policy = MeanBudget(usd=usd).fit(found, dataset(found))
            low = policy.choose(found, uniforms=partial(np.full, len(found), 0.0))
            high = policy.choose(found, uniforms=partial(np.full, len(found), 1 - 1e-12))
            share = np.where(low.model == high.model, 1.0, low.propensity)
            rows = np.arange(len(found))
            spent = share * found.cost_usd[rows, low.model] + (1 - share) * found.cost_usd[rows, high.model]
            assert spent.mean() == pytest.approx(usd, rel=1e-9)


def test_a_budget_can_change_at_call_time() -> None:
    """The operating point is the budget: less money, cheaper models, without a new fit."""
    found = estimates(np.random.default_rng(1).random((200, 3)))
    policy = MeanBudget(usd=0.05).fit(found, dataset(found))
    costs = [COST[choose(policy, found, point=usd).model].mean() for usd in (0.011, 0.03, 0.05, 1.0)]
    assert costs == sorted(costs)
    assert costs[-1] == COST[choose(Utility(), found).model].mean()


def test_an_impossible_budget_is_refused() -> None:
    """A budget below the cheapest choice says what the cheapest costs."""
    with pytest.raises(ConfigError, match=r"cheapest choices cost \$0\.01"):
        MeanBudget(usd=0.005).fit(estimates(), dataset(estimates()))


def test_a_capped_budget_is_spent_on_what_the_cap_leaves() -> None:
    """A policy within a cap is fitted on the models within it, so that a mean budget is spent and not saved for nothing."""
    found = estimates(np.random.default_rng(3).random((200, 3)))
    policy = Capped(policy=MeanBudget(usd=0.015), max_cost_usd=0.05).fit(found, dataset(found))
    chosen = policy.choose(found, uniforms=lambda: np.random.default_rng(4).random(200)).model
    assert COST[chosen].mean() == pytest.approx(0.015, rel=0.05)
    assert "large" not in {MODELS[i] for i in chosen}
