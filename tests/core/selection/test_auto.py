"""The router for whatever outcomes are at hand, and what it tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointsman.artifacts import load, save
from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, NotFittedError
from pointsman.estimators.constant import Constant
from pointsman.estimators.stacked import Stacked
from pointsman.evaluation.explain import explain
from pointsman.policies.budget import MeanBudget
from pointsman.policies.utility import Utility
from pointsman.selection.auto import AutoRouter
from pointsman.selection.choosing.findings import Findings, Tried
from pointsman.testing.toys import QUERIES, toy
from pointsman.types import Context

Make = Callable[..., RoutingDataset]
Fit = Callable[[RoutingDataset], AutoRouter]


@pytest.fixture
def fit(small_stack: Stacked) -> Fit:
    """Return what fits a router of the small stack."""
    return lambda data: AutoRouter(estimator=small_stack.clone(draws=2), folds=3).fit(data)


def rows_of(found: Findings) -> dict[str, Tried]:
    """Return what was tried by name."""
    return {row.name: row for row in found.tried}


def test_with_a_signal_queries_are_routed(made_up: Make, fit: Fit) -> None:
    """Where much can be told it acts, says so with a gain that stands, and names the model it is held against."""
    data = made_up(240, signal=0.35)
    router = fit(data)
    found = router.findings()
    assert found.acts
    assert found.incumbent == data.best_single
    assert found.queries == 240
    first = rows_of(found)["quality first"]
    assert first.difference is not None
    assert first.low is not None
    assert first.difference > first.low > 0
    assert found.verdict.startswith("Queries are routed: on held-out ones quality changes by ")
    assert f"always {data.best_single} for " in found.verdict
    assert found.tried[0].name == "as set"
    test = made_up(300, signal=0.35, seed=1)
    picks = router.decide_many(test.queries, Context(operating_point=0.0)).model
    got = test.quality[np.arange(300), picks]
    assert got.mean() > test.mean_quality.max() + 0.05


def test_without_a_signal_the_single_model_stays(made_up: Make, fit: Fit) -> None:
    """Where nothing can be told, the verdict says so, and quality first is the incumbent on every query."""
    data = made_up(90, seed=3)
    router = fit(data)
    found = router.findings()
    assert not found.acts
    assert found.trust == 0
    assert found.verdict == (
        f"No difference between models could be told from 90 queries, so {data.best_single} stays the choice wherever quality "
        "comes first, and only what is paid for quality decides elsewhere."
    )
    decisions = router.decide_many(made_up(50, seed=9).queries, Context(operating_point=0.0))
    assert {decisions.models[j] for j in decisions.model} == {data.best_single}
    assert rows_of(found)["quality first"].difference == 0


def test_findings_are_told_in_words_and_data(made_up: Make, fit: Fit) -> None:
    """The text has the verdict, the members, the setting and a row for all that was tried; the data has the same."""
    found = fit(made_up(90, signal=0.3)).findings()
    text, told = str(found), found.to_dict()
    assert told["verdict"] in text
    assert list(told["shares"]) == ["Linear", "Nearest"]
    assert "EqualQuality()" in text
    names = [row["name"] for row in told["tried"]]
    assert names == [
        "as set",
        "quality first",
        "Linear alone, quality first",
        "Nearest alone, quality first",
        "always the cheapest",
    ]
    assert all(name in text for name in names)
    assert "count as familiar" not in text


def test_members_of_one_type_are_told_apart(made_up: Make, small_stack: Stacked) -> None:
    """Two members of one type have a share and a row each."""
    near = small_stack.members[1]
    stack = small_stack.clone(members=(near, near.clone(k=3)))
    found = AutoRouter(estimator=stack, folds=3).fit(made_up(60)).findings()
    assert list(found.shares) == ["Nearest", "Nearest 2"]
    assert {"Nearest alone, quality first", "Nearest 2 alone, quality first"} <= rows_of(found).keys()


def test_a_file_keeps_the_findings(made_up: Make, fit: Fit, tmp_path: Path) -> None:
    """Saved and loaded it decides alike and tells the same."""
    data = made_up(60, signal=0.3)
    router = fit(data)
    back = load(save(router, tmp_path / "router.zip"))
    assert isinstance(back, AutoRouter)
    assert back.findings().to_dict() == router.findings().to_dict()
    assert str(back.findings()) == str(router.findings())
    assert back.digest() == router.digest()
    assert back.decide(data.queries[0]) == router.decide(data.queries[0])


def test_a_dominated_model_is_left_out(made_up: Make, fit: Fit) -> None:
    """A model that is worse and dearer is no candidate, and the findings say which one made it superfluous."""
    data = made_up(90)
    quality = data.quality.copy()
    quality[:, 1], quality[:, 0] = 0.9, 0.1 * quality[:, 0]
    cost = np.tile([0.02, 0.01, 0.002], (90, 1))
    router = fit(replace(data, quality=quality, cost_usd=cost))
    assert router.findings().pruned == {"a": "b"}
    assert router.findings().models == ("b", "c")
    assert "Left out, beaten in quality and cost: a (by b)." in str(router.findings())
    assert list(router.models) == ["b", "c"]


def test_without_costs_quality_comes_first(made_up: Make, fit: Fit) -> None:
    """Nothing is known of costs, so none are told, and the setting is quality first."""
    data = made_up(90, signal=0.35)
    router = fit(replace(data, cost_usd=np.full(data.cost_usd.shape, np.nan)))
    found = router.findings()
    assert all(row.relative_cost is None for row in found.tried)
    as_set, first = rows_of(found)["as set"], rows_of(found)["quality first"]
    assert (as_set.difference, as_set.low, as_set.high) == (first.difference, first.low, first.high)
    assert "its cost" not in found.verdict
    assert "–" in str(found)
    assert router.decide(data.queries[0]) == router.decide(data.queries[0], Context(operating_point=0.0))


@pytest.mark.parametrize("models", [("a", "b"), ("b",)], ids=len)
def test_few_models_will_do(made_up: Make, fit: Fit, models: tuple[str, ...]) -> None:
    """Two models, and a single one, make a router; with one there is nothing to decide."""
    data = made_up(60, signal=0.3).only(models)
    router = fit(data)
    assert router.decide(data.queries[0]).model in models
    assert router.findings().incumbent == data.best_single
    if len(models) == 1:
        assert not router.findings().acts
        assert router.findings().tried[0].difference == 0


def test_thirty_rows_will_do(made_up: Make, fit: Fit) -> None:
    """A small log makes a router; kinds of queries cannot be told from so few, and the text says so."""
    found = fit(made_up(30, signal=0.3)).findings()
    assert found.queries == 30
    assert not found.familiarity
    assert "Too few kinds of queries" in str(found)


def test_equal_models_are_equal(made_up: Make, fit: Fit) -> None:
    """Models that answer alike are not told apart, none is left out, and the cheapest is asked."""
    data = made_up(60)
    router = fit(replace(data, quality=np.tile(data.quality[:, [0]], (1, 3))))
    found = router.findings()
    assert not found.acts
    assert found.pruned == {}
    assert found.incumbent == "a"
    decisions = router.decide_many(data.queries)
    assert {decisions.models[j] for j in decisions.model} == {"a"}


def test_the_order_of_rows_and_models_is_irrelevant(made_up: Make, fit: Fit) -> None:
    """Shuffled outcomes make the same router and the same findings."""
    data = made_up(60, signal=0.3)
    shuffled = data.take(np.random.default_rng(0).permutation(60)).only(("c", "a", "b"))
    assert fit(shuffled).digest() == fit(data).digest()


def test_why_a_query_goes_where_it_goes(made_up: Make, fit: Fit) -> None:
    """An explanation shows the trust, the shares and how familiar the query is, in data and in words."""
    data = made_up(90, signal=0.3)
    router = fit(data)
    found = explain(router, data.queries[0], reference=data)
    basis = found.to_dict()["basis"]
    assert basis["trust"] == router.findings().trust
    assert basis["shares"] == router.findings().shares
    assert 0 < basis["familiarity"] < 1
    assert basis["incumbent"] == data.best_single
    assert all(word in str(found) for word in ("trust", "shares", "familiarity"))


def test_time_counts_in_what_was_tried(made_up: Make, small_stack: Stacked) -> None:
    """A setting that minds seconds is tried with them: the slow models are left to others."""
    data = made_up(60)
    timed = replace(data, latency_s=np.tile([1.0, 50.0, 60.0], (60, 1)))
    router = AutoRouter(estimator=small_stack.clone(), policy=Utility(latency_weight=1.0), folds=3)
    found = router.fit(timed).findings()
    assert rows_of(found)["as set"].difference == pytest.approx(float((data.quality[:, 0] - data.quality[:, 1]).mean()))
    assert "quality first" in rows_of(found)


def test_the_toy_data_with_words_and_vectors() -> None:
    """With nothing set but a budget it learns from text, domains and vectors, and keeps to the budget's policy."""
    router = AutoRouter(policy=MeanBudget(usd=0.002), folds=3).fit(toy())
    assert router.decide(QUERIES[0]).model in router.models
    assert router.findings().policy == "MeanBudget(usd=0.002)"
    assert set(router.findings().shares) == {"Domain", "Linear", "Clusters"}


def test_only_a_stack_will_do() -> None:
    """Another estimator is refused by name, and findings before `fit` are none."""
    with pytest.raises(ConfigError, match="must be a Stacked, got a Constant"):
        AutoRouter(estimator=Constant())
    with pytest.raises(NotFittedError, match="AutoRouter"):
        AutoRouter().findings()


def test_a_verdict_without_figures() -> None:
    """Where nobody knows how the choices do, the verdict says just that."""
    nothing = Tried(name="as set", difference=None, low=None, high=None, relative_cost=None)
    found = Findings(
        queries=9, incumbent="a", models=("a", "b"), pruned={}, shares={"Linear": 1.0}, trust=0.5, slope=0.9, error=0.2,
        familiarity=True, policy="Utility()", tried=(nothing,),
    )  # fmt: skip
    assert found.verdict == "Queries are routed; on how they do beside a nothing is known."
