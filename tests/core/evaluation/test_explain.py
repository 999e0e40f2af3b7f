"""Explaining one decision."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pointsman.estimators.constant import Constant
from pointsman.estimators.domain import Domain
from pointsman.evaluation import Explanation, explain
from pointsman.evaluation.plain import plain
from pointsman.features.lexical import Lexical
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.testing.toys import toy, toy_pool
from pointsman.types import Constraints, Context, Query

PROOF = Query(text="Prove that every group of order 9 has a subgroup of prime order.", id="p", domain="proof")


@pytest.fixture(scope="module")
def router() -> EstimatedRouter:
    """A router that knows the toy data's domains."""
    table = Domain(features=Lexical(components=8), prior=0.0)
    return EstimatedRouter(estimator=table, policy=Utility(cost_weight=1.0)).fit(toy())


def test_candidates_are_the_decisions(router: EstimatedRouter) -> None:
    """The candidates are those of the decision, in its order, with its estimates."""
    found, decision = explain(router, PROOF), router.decide(PROOF)
    assert [row.model for row in found.candidates] == list(decision.ranking)
    assert [row.rank for row in found.candidates] == [1, 2, 3]
    for row in found.candidates:
        expected = decision.estimates[row.model]
        assert (row.quality, row.cost_usd, row.latency_s, row.score) == expected
        assert row.excluded is None


def test_those_left_out_come_last_with_the_reason(router: EstimatedRouter) -> None:
    """A model that may not serve the query is shown without a rank, and why."""
    query = Query(text="2+2?", constraints=Constraints(deny=frozenset({"small"})))
    last = explain(router, query).candidates[-1]
    assert (last.model, last.rank, last.excluded) == ("small", None, "in the deny list")


def test_the_basis_is_the_estimators(router: EstimatedRouter) -> None:
    """What the estimator says of its estimates is kept as plain data; routers without one have nothing to add."""
    assert explain(router, PROOF).basis["domains"]["proof"] == 1.0
    assert explain(RulesRouter(pool=toy_pool(), default="small"), PROOF).basis == {}


def test_alternatives_are_named_by_outcomes(router: EstimatedRouter) -> None:
    """With outcomes at hand the alternatives are the best single and the cheapest model; differences are to the choice."""
    found = explain(router, Query(text="What is 3 + 3?", domain="arithmetic"), reference=toy())
    assert found.decision.model == "small"
    best, cheapest = found.instead
    assert (best.what, best.model) == ("best single model", "large")
    assert (cheapest.model, cheapest.quality_difference, cheapest.cost_difference_usd) == ("small", 0, 0)
    small, large = (found.decision.estimates[name] for name in ("small", "large"))
    assert best.cost_difference_usd == (large.cost_usd or 0) - (small.cost_usd or 0)
    assert best.quality_difference == (large.quality or 0) - (small.quality or 0)


def test_without_outcomes_they_are_this_querys(router: EstimatedRouter) -> None:
    """Without outcomes the alternatives are the best and the cheapest expected on this query."""
    what = {other.what: other.model for other in explain(router, PROOF).instead}
    assert what == {"highest expected quality": "large", "lowest expected cost": "small"}


def test_unknown_estimates_stay_unknown() -> None:
    """A router that estimates nothing has no figures and no alternatives."""
    found = explain(RulesRouter(pool=toy_pool(), default="small"), PROOF)
    assert found.instead == ()
    assert {row.quality for row in found.candidates} == {None}


def test_the_context_counts() -> None:
    """The decision is that of the given context."""
    router = EstimatedRouter(estimator=Constant()).fit(toy())
    assert explain(router, PROOF).decision.model == "large"
    assert explain(router, PROOF, Context(operating_point=1e9)).decision.model == "small"


def text_of(found: Explanation) -> str:
    """The text, after making sure that the data are JSON."""
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["model"] == found.decision.model
    return str(found)


def test_text_tells_all(router: EstimatedRouter) -> None:
    """The text holds the choice, every candidate, what it rests on and the alternatives."""
    text = text_of(explain(router, PROOF, reference=toy()))
    assert text.startswith("large: expected quality")
    assert all(name in text for name in ("small", "medium", "large"))
    assert "proof: 1" in text
    assert "best single model: large, the one that was chosen" in text
    assert "cheapest model: small instead would mean quality −" in text
    assert ", cost −$" in text


def test_text_of_a_rule() -> None:
    """A router without estimates is explained by its reason; what could not be honoured is said."""
    rules = RulesRouter(pool=toy_pool(), default="small", rules=(Rule(model="medium", contains=("prove",)),))
    query = Query(text=PROOF.text, constraints=Constraints(deny=frozenset({"medium"})))
    text = text_of(explain(rules, query))
    assert "could not be honoured: rule 1 wants medium, which is left out (in the deny list)" in text
    assert "in the deny list" in text.splitlines()[-1]


def test_text_of_a_random_choice() -> None:
    """A choice by chance is said to be one, with its probability; lists and nested facts are spelled out."""
    found = explain(RulesRouter(pool=toy_pool(), default="small"), PROOF)
    drawn = replace(found, decision=replace(found.decision, propensity=0.25), basis={"near": {"k": [0.123456, "x"]}})
    text = text_of(drawn)
    assert "chosen with probability 0.25" in text
    assert "k: 0.1235, x" in text


def test_plain_data_have_no_sets() -> None:
    """Sets become sorted lists, and what is neither finite nor known becomes None."""
    assert plain(
        {"set": frozenset({"b", "a"}), "inf": float("inf"), "count": np.int64(3), "rows": np.ones((1, 2))}
    ) == {
        "set": ["a", "b"],
        "inf": None,
        "count": 3,
        "rows": [[1.0, 1.0]],
    }
