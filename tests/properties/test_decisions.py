"""Decisions: the order of data is no information, ties go to the cheapest, and a budget is met, ties included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.errors import ConfigError
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.choice import TIE, first_choice, ranked
from pointsman.estimators.constant import Constant
from pointsman.estimators.crossfit import out_of_fold
from pointsman.estimators.domain import Domain
from pointsman.estimators.linear import Linear
from pointsman.estimators.nearest import Nearest
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.policies.budget import MeanBudget
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.testing.strategies import datasets, estimates, queries

WORDS = Lexical(bits=8, components=4)
ESTIMATORS = [
    Constant(),
    Domain(features=WORDS, prior=1.0),
    Nearest(features=WORDS, k=3),
    Nearest(features=Embedding(), k=3, weights="similarity"),
    Linear(features=Embedding()),
    Linear(features=WORDS, target="levels", offset=Constant()),
]


def permuted(dataset: RoutingDataset, draw: np.random.Generator) -> RoutingDataset:
    """Return the same outcomes with rows and models in another order."""
    models = [dataset.models[i] for i in draw.permutation(len(dataset.models))]
    return dataset.only(models).take(draw.permutation(len(dataset)))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@given(data=datasets(), asked=st.lists(queries(), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_the_order_of_data_is_no_information(
    estimator: Estimator, data: RoutingDataset, asked: list, seed: int
) -> None:
    """Permuting rows and models, with ties, repeats and holes among them, changes no decision, and no score beyond 1e-9."""
    router = EstimatedRouter(estimator=estimator, policy=Utility())
    one = router.clone().fit(data)
    other = router.clone().fit(permuted(data, np.random.default_rng(seed)))
    many, again = (fitted.decide_many(Queries.of(asked)) for fitted in (one, other))
    assert many.models == again.models
    assert many.names == again.names
    assert many.scores is not None
    assert again.scores is not None
    np.testing.assert_allclose(again.scores, many.scores, rtol=1e-9, atol=1e-9)
    assert [one.decide(query).ranking for query in asked] == [other.decide(query).ranking for query in asked]


@given(found=estimates(), seed=st.integers(0, 99))
def test_ties_go_to_the_cheapest_allowed_model(found: Estimates, seed: int) -> None:
    """The choice is allowed, no allowed model scores higher, and none that scores as high is cheaper."""
    allowed = np.random.default_rng(seed).random(found.quality.shape) < 0.6
    allowed[np.arange(len(found)), np.random.default_rng(seed + 1).integers(0, len(found.models), len(found))] = True
    for row, chosen in enumerate(first_choice(found.quality, found.cost_usd, allowed).tolist()):
        quality, cost, may = found.quality[row], found.cost_usd[row], allowed[row]
        assert may[chosen]
        assert quality[chosen] >= quality[may].max() - TIE
        assert cost[chosen] <= cost[may & (quality >= quality[may].max() - TIE)].min() * (1 + TIE)


@given(found=estimates(), seed=st.integers(0, 99))
def test_the_choice_does_not_depend_on_the_order_of_models(found: Estimates, seed: int) -> None:
    """Permuting columns moves the choice along with its model, up to models that are equal in everything."""
    order = np.random.default_rng(seed).permutation(len(found.models))
    one = first_choice(found.quality, found.cost_usd)
    other = order[first_choice(found.quality[:, order], found.cost_usd[:, order])]
    rows = np.arange(len(found))
    np.testing.assert_array_equal(found.cost_usd[rows, one], found.cost_usd[rows, other])
    np.testing.assert_allclose(found.quality[rows, one], found.quality[rows, other], rtol=0, atol=TIE)


@given(found=estimates(rows=(1, 4)))
def test_a_ranking_starts_with_the_choice(found: Estimates) -> None:
    """The ranking is a permutation of the models that begins with the one chosen, wherever scores are not nearly equal."""
    chosen = first_choice(found.quality, found.cost_usd).tolist()
    for row in range(len(found)):
        order = ranked(found.quality[row], found.cost_usd[row])
        assert sorted(order) == list(range(len(found.models)))
        assert order[0] == chosen[row]


def expected_usd(policy: MeanBudget, found: Estimates, costs: np.ndarray) -> float:
    """Return the mean cost over all draws: each query's two possible choices, weighted by their propensities."""
    rows = np.arange(len(found))
    low = policy.choose(found, uniforms=lambda: np.zeros(len(found)))
    high = policy.choose(found, uniforms=lambda: np.full(len(found), 1 - 1e-12))
    share = np.where(low.model == high.model, 1.0, low.propensity)
    np.testing.assert_allclose(np.where(low.model == high.model, 0.0, high.propensity), 1 - share, atol=1e-12)
    return float((share * costs[rows, low.model] + (1 - share) * costs[rows, high.model]).mean())


LEVELS = st.floats(0, 1.2)
ALIKE = RoutingDataset.from_arrays(["a"] * 6, {"x": [1] * 6, "y": [1] * 6}, {"x": [1] * 6, "y": [2] * 6})
"""All queries are alike, and the dearer model is no better."""
JUMP = RoutingDataset.from_arrays(["a"] * 6, {"x": [0] * 6, "y": [1] * 6}, {"x": [1] * 6, "y": [2] * 6})
"""All queries are alike, and the dearer model is better: no λ spends anything between."""


def budget(data: RoutingDataset, level: float) -> float:
    """Return a budget between the cheapest and the dearest choices, or a little above."""
    cheapest, dearest = data.cost_usd.min(axis=1).mean(), data.cost_usd.max(axis=1).mean()
    return float(cheapest + level * (dearest - cheapest))


@given(data=datasets(complete=True), level=LEVELS)
@example(data=ALIKE, level=0.5)
@example(data=JUMP, level=0.3)
def test_a_budget_is_met_ties_included(data: RoutingDataset, level: float) -> None:
    """On the queries it was fitted on, whatever was expected of them, the mean cost over all draws is within the budget."""
    data = data.only(sorted(data.models))
    usd = budget(data, level)
    assume(usd > 0)
    alone = len(set(data.queries.texts)) == 1
    found = Constant().fit(data).predict(data.queries) if alone else out_of_fold(Constant(), data, k=2)
    try:
        policy = MeanBudget(usd=usd).fit(found, data)
    except ConfigError:
        assert level < 1  # expectations may be so wrong that even their cheapest choices cost more
        return
    assert expected_usd(policy, found, data.cost_usd) <= usd * (1 + 1e-9)


@given(data=datasets(complete=True), level=st.floats(-0.5, 0.5))
def test_a_budget_is_refused_only_if_nobody_can_meet_it(data: RoutingDataset, level: float) -> None:
    """Where costs are known exactly, a budget is refused when it is below the cheapest choices, and then only."""
    data = data.only(sorted(data.models))
    usd, least = budget(data, level), budget(data, 0.0)
    assume(usd > 0)
    assume(abs(usd - least) > 1e-9 * usd)
    found = Estimates(models=data.models, quality=data.quality, cost_usd=data.cost_usd)
    if usd < least:
        with pytest.raises(ConfigError, match="cannot be met"):
            MeanBudget(usd=usd).fit(found, data)
    else:
        assert expected_usd(MeanBudget(usd=usd).fit(found, data), found, data.cost_usd) <= usd * (1 + 1e-9)


@given(data=datasets(complete=True, models=(2, 4), rows=(8, 16)))
def test_a_budget_for_everything_takes_the_best(data: RoutingDataset) -> None:
    """With money enough, the choice is that of quality alone."""
    found = Constant().fit(data).predict(data.queries)
    policy = MeanBudget(usd=float(data.cost_usd.max()) + 1.0).fit(found, data)
    choice = policy.choose(found, uniforms=lambda: np.zeros(len(found)))
    np.testing.assert_array_equal(choice.model, first_choice(found.quality, found.cost_usd))
    assert (choice.propensity == 1).all()
