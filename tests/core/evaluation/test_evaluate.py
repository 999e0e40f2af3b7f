"""Evaluating a router beside every baseline."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.estimators.constant import Constant
from pointsman.estimators.domain import Domain
from pointsman.evaluation import Evaluation, evaluate
from pointsman.features.lexical import Lexical
from pointsman.models import ModelPool
from pointsman.policies.floor import NearBest
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.fallback import FallbackRouter
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.types import Context

POOL = ModelPool(("cheap", "dear"))
PERFECT = RulesRouter(pool=POOL, default="dear", rules=(Rule(model="cheap", contains=("add",)),))


def parts(data: RoutingDataset) -> tuple[RoutingDataset, RoutingDataset, RoutingDataset]:
    """Training, validation and test rows."""
    return data.take(range(200)), data.take(range(200, 400)), data.take(range(400, 600))


@pytest.fixture
def full(kinds: RoutingDataset) -> Evaluation:
    """A learnt router, with validation data, on the 200 test queries."""
    train, validation, test = parts(kinds)
    router = EstimatedRouter(estimator=Domain(features=Lexical(components=8))).fit(train)
    return evaluate(router, test, train=train, validation=validation, draws=300)


def test_every_baseline_has_a_row(full: Evaluation) -> None:
    """The router comes first, then the Zero router, the domain table, random, every single model and the oracle."""
    names = [row.name for row in full.rows]
    assert names == ["router", "zero router", "domain table", "random", "always cheap", "always dear", "oracle"]
    assert full.router is full.rows[0]
    assert (full.best_single, full.cheapest, full.queries, full.models) == ("dear", "cheap", 200, ("cheap", "dear"))


def test_rows_are_what_they_say(kinds: RoutingDataset, full: Evaluation) -> None:
    """Means, shares and regret follow from the outcomes of the test queries alone."""
    test = parts(kinds)[2]
    dear = full.row("always dear")
    assert dear.quality is not None
    assert dear.quality.estimate == pytest.approx(test.quality[:, 1].mean())
    assert dear.own is None
    assert dear.shares == {"cheap": 0.0, "dear": 1.0}
    assert dear.regret == pytest.approx((test.quality.max(axis=1) - test.quality[:, 1]).mean())
    assert dear.captured == pytest.approx(0)
    assert dear.dearest_share == 1.0
    assert dear.entropy == 0.0
    cheap = full.row("always cheap")
    assert cheap.cost_usd == pytest.approx(0.001)
    assert cheap.own is not None
    assert cheap.own.relative_cost is not None
    assert cheap.own.relative_cost.estimate == pytest.approx(0.1)
    assert cheap.needless_strong == 0.0
    oracle = full.row("oracle")
    assert oracle.regret == 0
    assert oracle.captured == pytest.approx(1)


def test_a_router_that_knows_beats_the_zero_router(full: Evaluation) -> None:
    """Knowing the kind of query lifts the curve above that of mixing models at random, beyond the noise."""
    gain = full.router.aiq_gain
    assert gain is not None
    assert gain.low > 0.05
    assert full.router.aiq is not None
    assert full.row("zero router").aiq is not None
    assert gain.estimate == pytest.approx(full.router.aiq - (full.row("zero router").aiq or 0))
    assert full.row("zero router").aiq_gain is None
    assert full.row("zero router").cost_usd == pytest.approx(full.router.cost_usd)


def test_settings_come_from_validation(kinds: RoutingDataset) -> None:
    """What the test data say cannot change which setting is taken, only what it scores."""
    train, validation, test = parts(kinds)
    validation.quality[::2, 0] = 1.0
    router = EstimatedRouter(estimator=Domain(features=Lexical(components=8))).fit(train)
    first = evaluate(router, test, train=train, validation=validation, draws=100)
    worse = replace(test, quality=np.column_stack([np.zeros(200), test.quality[:, 1]]))
    second = evaluate(router, worse, train=train, validation=validation, draws=100)
    for pick in ("peak", "at_best"):
        ours, theirs = getattr(first.router, pick), getattr(second.router, pick)
        assert ours.operating_point == theirs.operating_point
        assert theirs.difference.estimate < ours.difference.estimate


def test_the_best_single_model_is_not_chosen_on_the_test(kinds: RoutingDataset) -> None:
    """A model that happens to win on the test queries does not become the one to beat, unless nothing else is given."""
    train, _, test = parts(kinds)
    swapped = replace(test, quality=test.quality[:, ::-1])
    known = evaluate(PERFECT, swapped, train=train, draws=100)
    assert known.best_single == "dear"
    hindsight = evaluate(PERFECT, swapped, draws=100)
    assert hindsight.best_single == "cheap"
    assert any("chosen on the test data" in note for note in hindsight.notes)
    assert not any("chosen on the test data" in note for note in known.notes)


def test_verdict_saves(kinds: RoutingDataset) -> None:
    """Half of the queries to a model of a tenth of the price, at the same quality, is a saving of 45 %."""
    train, _, test = parts(kinds)
    found = evaluate(PERFECT, test, train=train, margin=0.12, draws=300)
    assert found.verdict.kind == "saves"
    assert "saves 45 % (95 % interval" in str(found.verdict)


def test_verdict_undecided(kinds: RoutingDataset) -> None:
    """The same within a margin that 200 queries cannot resolve is undecided, and says how many could."""
    train, _, test = parts(kinds)
    found = evaluate(PERFECT, test, train=train, margin=0.001, draws=300)
    assert found.verdict.kind == "undecided"
    assert "within noise" in found.verdict.text
    assert "test queries would tell a difference of 0.1 points" in found.verdict.text


def test_verdict_better(kinds: RoutingDataset) -> None:
    """Complementary models make a router that knows them better than either."""
    train, _, test = parts(kinds)
    weak = replace(test, quality=np.where(np.arange(200)[:, None] % 2 == 0, test.quality * [1, 0.2], test.quality))
    found = evaluate(PERFECT, weak, train=train, draws=300)
    assert found.verdict.kind == "better"
    assert found.verdict.text.startswith("The router is better than always dear: +")


def test_verdict_trades_and_worse(kinds: RoutingDataset) -> None:
    """A worse router is a trade where it is cheaper, and plainly worse where it is not."""
    train, _, test = parts(kinds)
    cheap = evaluate(RulesRouter(pool=POOL, default="cheap"), test, train=train, draws=300)
    assert cheap.verdict.kind == "trades"
    backwards = RulesRouter(pool=POOL, default="cheap", rules=(Rule(model="dear", contains=("add",)),))
    level = replace(test, cost_usd=np.full_like(test.cost_usd, 0.01))
    assert evaluate(backwards, level, train=train, draws=300).verdict.kind == "worse"


def test_always_the_best_is_equal_not_better(kinds: RoutingDataset) -> None:
    """A router that always takes the best single model changes nothing, and is not said to save or gain."""
    train, validation, test = parts(kinds)
    router = EstimatedRouter(estimator=Constant()).fit(train)
    found = evaluate(router, test, train=train, validation=validation, margin=0.02, draws=100)
    assert found.router.own is not None
    assert found.router.own.difference is not None
    assert found.router.own.difference.estimate == 0
    assert found.verdict.kind == "equal"


def test_without_costs_quality_is_still_judged(kinds: RoutingDataset) -> None:
    """Unknown prices leave costs, savings and curves unknown, never zero."""
    train, validation, test = (replace(part, cost_usd=np.full_like(part.cost_usd, np.nan)) for part in parts(kinds))
    router = EstimatedRouter(estimator=Domain(features=Lexical(components=8))).fit(train)
    found = evaluate(router, test, train=train, validation=validation, draws=100)
    row = found.router
    assert row.quality is not None
    assert (row.cost_usd, row.aiq, row.aiq_gain, row.dearest_share) == (None, None, None, None)
    assert row.own is not None
    assert row.own.relative_cost is None
    assert row.unpriced == 200
    assert "an unknown cost" in found.verdict.text
    assert any("no known cost" in note for note in found.notes)


def test_the_best_model_may_be_the_cheapest(kinds: RoutingDataset) -> None:
    """Where no model is cheaper than the best one there is no curve to average, which is said."""
    train, validation, test = (replace(part, cost_usd=part.cost_usd[:, ::-1]) for part in parts(kinds))
    found = evaluate(PERFECT, test, train=train, validation=validation, draws=100)
    assert found.best_single == found.cheapest == "dear"
    assert found.router.aiq is None
    assert found.router.aiq_gain is None
    assert "No model costs less than dear, so there is no interval of costs to average over." in found.notes


def test_equally_dear_models_have_no_dearest(kinds: RoutingDataset) -> None:
    """Needless calls of the dearest model are unknown where all cost the same, or no query is complete."""
    train, _, test = parts(kinds)
    level = replace(test, cost_usd=np.full_like(test.cost_usd, 0.01))
    row = evaluate(PERFECT, level, train=train, draws=100).router
    assert (row.dearest_share, row.needless_strong) == (None, None)
    assert row.entropy == pytest.approx(1.0)
    half = replace(test, quality=np.where(np.arange(200)[:, None] % 2 == [0, 1], np.nan, test.quality))
    row = evaluate(PERFECT, half, train=train, draws=100).router
    assert row.dearest_share == 0.5
    assert row.needless_strong is None


def test_nothing_in_common_is_not_compared(kinds: RoutingDataset) -> None:
    """A router whose answers nobody scored cannot be compared, and is said to be unknown."""
    train, _, test = parts(kinds)
    blind = replace(test, quality=np.where([True, False], np.nan, test.quality))
    found = evaluate(RulesRouter(pool=POOL, default="cheap"), blind, train=train, draws=100)
    assert found.verdict.kind == "unknown"
    assert found.router.quality is None
    assert found.router.captured is None
    assert "–" in str(found)


def test_missing_outcomes_are_noted(kinds: RoutingDataset) -> None:
    """Unobserved answers are counted in the row and said in the notes; the rest is still compared."""
    train, _, test = parts(kinds)
    test.quality[:50, 1] = np.nan
    found = evaluate(RulesRouter(pool=POOL, default="dear"), test, train=train, draws=100)
    assert found.router.unobserved == 50
    assert any(note.startswith("12.5 % of outcomes were never observed") for note in found.notes)
    assert any("50 of the router's 200 answers have no known score" in note for note in found.notes)


def test_repeated_queries_are_noted(kinds: RoutingDataset) -> None:
    """Test queries that also stand in the training data are counted."""
    train = kinds.take(range(200))
    found = evaluate(PERFECT, kinds.take(range(190, 300)), train=train, draws=100)
    assert "10 of 110 test queries were also among those for fitting or choosing." in found.notes


def test_given_points_are_swept(kinds: RoutingDataset) -> None:
    """Operating points are those the caller names, else those the policy spans; the router as it is always counts."""
    train, _, test = parts(kinds)
    router = EstimatedRouter(estimator=Domain(features=Lexical(components=8)), policy=NearBest()).fit(train)
    as_it_is = evaluate(router, test, train=train, points=(), draws=100)
    assert [cost for cost, _ in as_it_is.curves["router"]] == pytest.approx([0.001, 0.0055])
    named = evaluate(router, test, train=train, points=(0.0,), draws=100)
    assert [cost for cost, _ in named.curves["router"]] == pytest.approx([0.001, 0.0055, 0.01])
    assert evaluate(router, test, train=train, draws=100).curves == named.curves
    assert [cost for cost, _ in evaluate(PERFECT, test, draws=100).curves["router"]] == pytest.approx([0.001, 0.0055])


def test_the_context_is_the_routers_own_setting(kinds: RoutingDataset) -> None:
    """The operating point of the context is the setting that is judged."""
    train, _, test = parts(kinds)
    router = EstimatedRouter(estimator=Constant(), policy=Utility()).fit(train)
    assert evaluate(router, test, train=train, draws=100).router.shares["dear"] == 1
    greedy = evaluate(router, test, train=train, context=Context(operating_point=1e6), draws=100)
    assert greedy.router.shares["cheap"] == 1


def test_a_driven_router_is_evaluated_alike(kinds: RoutingDataset) -> None:
    """A router whose plan has to be driven gets the figures of the one it wraps."""
    train, _, test = parts(kinds)
    wrapped = evaluate(FallbackRouter(routers=(PERFECT,)), test, train=train, draws=100)
    assert wrapped.router == evaluate(PERFECT, test, train=train, draws=100).router
    router = EstimatedRouter(estimator=Constant()).fit(train)
    swept = evaluate(FallbackRouter(routers=(router,)).fit(train), test, train=train, points=(0.0, 1e6), draws=100)
    assert swept.router.aiq == evaluate(router, test, train=train, points=(0.0, 1e6), draws=100).router.aiq


def test_results_are_reproducible_json(kinds: RoutingDataset, full: Evaluation) -> None:
    """The same arguments give the same figures, which are plain JSON without NaN."""
    train, validation, test = parts(kinds)
    router = EstimatedRouter(estimator=Domain(features=Lexical(components=8))).fit(train)
    again = evaluate(router, test, train=train, validation=validation, draws=300)
    text = json.dumps(full.to_dict(), allow_nan=False)
    assert text == json.dumps(again.to_dict(), allow_nan=False)
    assert json.loads(text)["rows"][0]["name"] == "router"
    assert json.loads(text)["verdict"]["kind"] == full.verdict.kind


def test_text_shows_the_verdict_and_the_rows(full: Evaluation) -> None:
    """The text holds the table, the settings chosen on validation, the verdict and every note."""
    text = str(full)
    for row in (
        "router",
        "zero router",
        "domain table",
        "oracle",
        "always dear (best single)",
        "always cheap (cheapest)",
    ):
        assert row in text
    assert full.verdict.text in text
    assert "peak, by validation" in text
    assert "as good as the best single, by validation" in text
    assert all(f"Note: {note}" in text for note in full.notes)


def test_unknown_rows_and_bad_arguments_are_named(kinds: RoutingDataset, full: Evaluation) -> None:
    """Errors say what was wrong and what there is."""
    with pytest.raises(ConfigError, match=r"no method 'magic'; there are .*'oracle'"):
        full.row("magic")
    for name, value in (("margin", 0.0), ("level", 1.0), ("draws", 10)):
        with pytest.raises(ConfigError, match=f"evaluate: {name} must be .*got {value}"):
            evaluate(PERFECT, kinds, **{name: value})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no rows"):
        evaluate(PERFECT, kinds.take([]))
    with pytest.raises(DataError, match="no model 'dear'"):
        evaluate(PERFECT, kinds, train=kinds.only(["cheap"]))
