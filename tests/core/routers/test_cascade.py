"""Cascade: thresholds that keep what was asked for, replays that are what driving is, and decisions that say why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.confidence.agreement import Agreement
from pointsman.confidence.base import Confidence
from pointsman.confidence.calibrated import Calibrated
from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.learned import LearnedConfidence
from pointsman.confidence.likelihood import TokenLikelihood
from pointsman.confidence.pattern import PatternVerifier
from pointsman.confidence.semantic_entropy import SemanticEntropy
from pointsman.confidence.verbalised import Verbalised
from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, DataError, NoEligibleModelError, NotFittedError
from pointsman.estimators.constant import Constant
from pointsman.estimators.domain import Domain
from pointsman.evaluation.recorded import drive_row
from pointsman.evaluation.replay import simulate, simulate_sweep
from pointsman.features.lexical import Lexical
from pointsman.models import ModelPool, ModelSpec
from pointsman.routers.cascade import Cascade, CascadeState
from pointsman.testing.toys import toy
from pointsman.types import Constraints, Context, Query, Session

ORDER = ("small", "medium", "large")
USD = {"small": 1.0, "medium": 4.0, "large": 20.0}
QUERY = Query(text="q", id="q")
SAMPLED = SelfConsistency(samples=3)


def outcomes(n: int = 120, seed: int = 0, samples: int = 3) -> RoutingDataset:
    """Return three models that are right the more often the dearer they are, and say the same again where they are."""
    rng = np.random.default_rng(seed)
    quality = (rng.random((n, 3)) < [0.5, 0.7, 0.9]).astype(float)
    again = rng.random((n, 3, samples)) < np.where(quality == 1, 0.9, 0.3)[..., None]
    answers = np.where(quality == 1, "right", "wrong").astype(object)
    other = rng.integers(3, size=again.shape).astype(str).astype(object)
    data = RoutingDataset.from_arrays(
        [f"question {i}" for i in range(n)],
        {name: quality[:, j] for j, name in enumerate(ORDER)},
        {name: np.full(n, USD[name]) for name in ORDER},
        domains=[f"d{i % 2}" for i in range(n)],
    ).only(ORDER)
    return replace(data, answers=answers, samples=np.where(again, answers[..., None], other))


@pytest.mark.parametrize("keep", [0.6, 0.8, 0.9, 0.95, 1.0])
@pytest.mark.parametrize(
    "confidence", [SAMPLED, SemanticEntropy(samples=3), Agreement()], ids=lambda c: type(c).__name__
)
def test_quality_is_kept_on_the_data(keep: float, confidence: Confidence) -> None:
    """What it comes to on what it learnt from keeps the share of the best model's quality, and is no dearer than it."""
    data = outcomes()
    found = simulate(Cascade(order=ORDER, confidence=confidence, keep=keep).fit(data), data)
    assert found.quality.mean() >= keep * data.mean_quality.max() - 1e-9
    assert found.cost_usd.mean() <= data.mean_cost_usd[data.models.index("large")] + 1e-9


@pytest.mark.parametrize("usd", [1.0, 2.5, 5.0, 9.0, 21.0, 100.0])
def test_a_budget_is_met_on_the_data(usd: float) -> None:
    """Its mean cost on what it learnt from is within the budget, checks included, and more money never buys less quality."""
    data = outcomes()
    router = Cascade(order=ORDER, confidence=SAMPLED, budget_usd=usd).fit(data)
    found = simulate(router, data)
    assert found.cost_usd.mean() <= usd * (1 + 1e-9)
    richer = simulate(Cascade(order=ORDER, confidence=SAMPLED, budget_usd=2 * usd).fit(data), data)
    assert richer.quality.mean() >= found.quality.mean() - 1e-9


@pytest.mark.parametrize(
    "confidence",
    [Calibrated(confidence=SAMPLED), LearnedConfidence(features=Lexical(bits=8, components=2))],
    ids=lambda c: type(c).__name__,
)
def test_goals_carry_over_where_the_confidence_learns(confidence: Confidence) -> None:
    """Thresholds of held-out scores keep about what was asked for on other queries, for less than the best model."""
    router = Cascade(order=ORDER, confidence=confidence, keep=0.9, folds=3).fit(outcomes(200))
    test = outcomes(400, seed=1)
    found = simulate(router, test)
    assert found.quality.mean() >= 0.9 * test.mean_quality.max() - 0.05
    assert found.cost_usd.mean() < 20


TEXTS = st.sampled_from(["a", "b", "", "c"])


@st.composite
def recorded(draw: st.DrawFn) -> RoutingDataset:
    """Draw a few queries of three models, with holes in answers, qualities, costs and samples."""
    n = draw(st.integers(1, 5))

    def drawn(cells: st.SearchStrategy[Any], *shape: int) -> np.ndarray:
        flat = np.empty(int(np.prod(shape)), dtype=object)
        flat[:] = draw(st.lists(cells, min_size=len(flat), max_size=len(flat)))
        return flat.reshape(shape)

    numbers = st.sampled_from([0.0, 1.0, 0.5, np.nan])
    data = RoutingDataset.from_arrays(
        [f"q{i}" for i in range(n)],
        dict(zip(ORDER, drawn(numbers, 3, n).astype(float), strict=True)),
        dict(zip(ORDER, drawn(st.sampled_from([0.25, 0.5, 4.0, np.nan]), 3, n).astype(float), strict=True)),
    ).only(ORDER)
    answers = drawn(TEXTS | st.none(), n, 3)
    answers[0, 0] = "a"
    return replace(data, answers=answers, samples=drawn(TEXTS | st.none(), n, 3, 2))


limits = st.sampled_from([0.0, 0.25, 0.5, 2 / 3, 1.0, 1.5, -1.0])


@given(
    recorded(),
    st.permutations(ORDER),
    st.tuples(limits, limits),
    st.lists(limits, max_size=2),
    st.sampled_from([Agreement(), SelfConsistency(samples=2), SemanticEntropy(samples=2), TokenLikelihood()]),
    st.sampled_from([frozenset(), frozenset({"small"}), frozenset({"large"}), frozenset({"small", "medium"})]),
)
def test_simulating_is_driving(
    data: RoutingDataset,
    order: list[str],
    thresholds: tuple[float, float],
    points: list[float],
    confidence: Confidence,
    away: frozenset[str],
) -> None:
    """Replaying all rows at once, at any setting, with models away, is driving each plan: quality, cost, model and calls."""
    router = Cascade(order=tuple(order), confidence=confidence, thresholds=thresholds)
    context = Context(unavailable=dict.fromkeys(away, "cooling down"))
    runs = [(context, simulate(router, data, context))]
    contexts = [replace(context, operating_point=point) for point in points]
    runs += zip(contexts, simulate_sweep(router, data, points, context), strict=True)
    for at, found in runs:
        for row in range(len(data)):
            driven = drive_row(router, data, row, at)
            np.testing.assert_equal([found.quality[row], found.cost_usd[row]], [driven.quality, driven.cost_usd])
            if not np.isnan(driven.quality):
                assert (found.model[row], found.calls[row]) == (driven.model, driven.calls)


@pytest.mark.parametrize("foresight", [None, Domain(features=Lexical(bits=8, components=2), prior=1.0)])
def test_a_learnt_one_simulates_as_it_drives(foresight: Any) -> None:
    """With thresholds learnt, rungs left out and foresight, replaying is driving, at its own setting and at every point."""
    data = outcomes(40, seed=3)
    router = Cascade(order=ORDER, confidence=SAMPLED, keep=0.9, foresight=foresight).fit(outcomes(60))
    points = router.points(data.queries)
    for point, found in [
        (None, simulate(router, data)),
        *zip(points, simulate_sweep(router, data, points), strict=True),
    ]:
        driven = [drive_row(router, data, row, Context(operating_point=point)) for row in range(len(data))]
        np.testing.assert_array_equal(found.quality, [one.quality for one in driven])
        np.testing.assert_allclose(found.cost_usd, [one.cost_usd for one in driven])
        assert found.calls.tolist() == [one.calls for one in driven]


def test_operating_points_span_everything() -> None:
    """They rise from accepting every first answer to accepting none before the last."""
    router = Cascade(order=ORDER, confidence=SAMPLED, keep=0.8).fit(outcomes())
    data = outcomes(50, seed=1)
    points = router.points(data.queries)
    assert list(points) == sorted(set(points))
    cost = [found.cost_usd.mean() for found in simulate_sweep(router, data, points)]
    assert cost == sorted(cost)
    first, last = simulate_sweep(router, data, (points[0], points[-1]))
    assert {data.models[i] for i in first.model} == {router.course().rungs[0]}
    assert {data.models[i] for i in last.model} == {"large"}


def test_the_order_of_rows_and_models_does_not_matter() -> None:
    """Shuffled data make the same cascade, to the last bit, and the same decision."""
    data = outcomes(60)
    shuffled = data.take(np.random.default_rng(1).permutation(60)).only(("large", "small", "medium"))
    domain = Domain(features=Lexical(bits=8, components=2), prior=1.0)
    for make in (
        lambda: Cascade(order=ORDER, confidence=SAMPLED, keep=0.9, foresight=domain),
        lambda: Cascade(order=ORDER, confidence=Calibrated(confidence=SAMPLED), budget_usd=9.0),
        lambda: Cascade(order=ORDER, confidence=LearnedConfidence(features=Lexical(bits=8, components=2)), keep=0.9),
    ):
        one, two = make().fit(data), make().fit(shuffled)
        assert one.course() == two.course()
        assert one.points(data.queries) == two.points(data.queries)
        assert one.decide(QUERY) == two.decide(QUERY)
        np.testing.assert_array_equal(simulate(one, data).cost_usd, simulate(two, data).cost_usd)


def test_thresholds_of_ones_own_need_no_fit() -> None:
    """With thresholds and a confidence that learns nothing it works at once, and says what it cannot check."""
    router = Cascade(order=ORDER, confidence=SAMPLED, thresholds=(0.5, 0.7))
    decision = router.decide(replace(QUERY, constraints=Constraints(max_cost_usd=1.0, min_quality=0.5)))
    assert decision.ranking == ORDER
    assert not decision.final
    assert decision.estimates == {}
    assert [told.split("=")[0] for told in decision.degraded] == ["max_cost_usd", "min_quality"]
    assert router.course(0.3).thresholds == {"small": 0.3, "medium": 0.3}
    assert router.points(toy().queries) == ()
    assert set(router.models) == set(ORDER)
    fitted = Cascade(order=ORDER, confidence=SAMPLED, thresholds=(0.5, 0.7)).fit(outcomes())
    assert fitted.course() == router.course()


def test_what_has_to_be_fitted() -> None:
    """Thresholds to learn, or a confidence that learns, ask for a fit."""
    for router in (
        Cascade(order=ORDER, confidence=SAMPLED),
        Cascade(order=ORDER, confidence=Calibrated(confidence=SAMPLED), thresholds=(0.5, 0.7)),
    ):
        for use in (lambda r: r.models, lambda r: r.decide(QUERY), lambda r: r.judge):
            with pytest.raises(NotFittedError):
                use(router)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"order": ("a", "b", "a")}, "repeats 'a'"),
        ({"order": ()}, "order"),
        ({"order": ("a", "b"), "thresholds": (0.1, 0.2)}, "1 in all"),
        ({"order": ("a", "b"), "thresholds": (float("nan"),)}, "thresholds"),
        ({"order": ("a", "b"), "keep": 0.0}, "keep"),
        ({"order": ("a", "b"), "budget_usd": -1.0}, "budget_usd"),
        ({"order": ("a", "b"), "pool": ModelPool(["a"])}, "unknown model 'b'"),
    ],
)
def test_impossible_cascades(given: dict[str, Any], told: str) -> None:
    """Errors name the parameter, what it is, and what it could be."""
    with pytest.raises(ConfigError, match=told):
        Cascade(confidence=SAMPLED, **given)


def test_what_cannot_be_learnt_from() -> None:
    """Missing models, and answers without a score or a quality, are errors instead of a guess."""
    data = outcomes(20)
    with pytest.raises(DataError, match="no model 'other'"):
        Cascade(order=("small", "other"), confidence=SAMPLED).fit(data)
    for lacking, confidence in (
        (replace(data, answers=None), Agreement()),
        (data, TokenLikelihood()),
    ):
        with pytest.raises(DataError, match="No answer has both a score by"):
            Cascade(order=ORDER, confidence=confidence).fit(lacking)
    with pytest.raises(DataError, match="The quality of no answer of 'large', 'medium', 'small' is known"):
        Cascade(order=ORDER, confidence=SAMPLED).fit(replace(data, quality=np.full_like(data.quality, np.nan)))
    with pytest.raises(DataError, match="needs samples"):
        Cascade(order=ORDER, confidence=SAMPLED).fit(replace(data, samples=None))
    with pytest.raises(DataError, match="another prompt"):
        Cascade(order=ORDER, confidence=Verbalised()).fit(data)


def test_models_without_outcomes_are_named() -> None:
    """Simulating a rung that the data know nothing of is an error, wherever it stands."""
    for order in (("small", "medium", "new"), ("small", "new", "large"), ("new", "small", "large")):
        router = Cascade(order=order, confidence=Agreement(), thresholds=(0.5, 0.5))
        with pytest.raises(DataError, match="no outcomes of 'new'"):
            simulate(router, outcomes(5))


def test_the_pool_is_of_the_order() -> None:
    """A pool that knows more models does not add any, fitted or not."""
    pool = ModelPool([*ORDER, "other"])
    given = Cascade(order=ORDER, confidence=SAMPLED, thresholds=(0.5, 0.7), pool=pool)
    learnt = Cascade(order=ORDER, confidence=SAMPLED, pool=pool).fit(outcomes(30))
    for router in (given, learnt):
        assert set(router.models) == set(ORDER)
        with pytest.raises(ConfigError, match="unknown model 'other'"):
            router.decide(replace(QUERY, constraints=Constraints(allow=frozenset({"other"}))))


CAPABLE = ModelPool(
    [
        ModelSpec(name="small", context_window=10, capabilities=frozenset()),
        ModelSpec(name="medium", capabilities=frozenset({"tools"})),
        ModelSpec(name="large", capabilities=frozenset({"tools", "image"})),
    ]
)


@pytest.mark.parametrize(
    ("query", "context", "ranking"),
    [
        (QUERY, Context(), ORDER),
        (replace(QUERY, constraints=Constraints(deny=frozenset({"small"}))), Context(), ("medium", "large")),
        (replace(QUERY, constraints=Constraints(allow=frozenset({"small", "large"}))), Context(), ("small", "large")),
        (replace(QUERY, required=frozenset({"tools"})), Context(), ("medium", "large")),
        (replace(QUERY, required=frozenset({"image"})), Context(), ("large",)),
        (replace(QUERY, text="long " * 100), Context(), ("medium", "large")),
        (QUERY, Context(unavailable={"large": "cooling down"}), ("small", "medium")),
        (QUERY, Context(session=Session(last_model="medium", open_tool_call=True)), ("medium",)),
    ],
)
def test_constraints_and_exclusions(query: Query, context: Context, ranking: tuple[str, ...]) -> None:
    """What must not serve is neither ranked nor called, the last that remains is taken unchecked, and reasons are told."""
    router = Cascade(order=ORDER, confidence=PatternVerifier(pattern="never"), thresholds=(0.5, 0.5), pool=CAPABLE)
    decision = router.decide(query, context)
    assert decision.ranking == ranking
    assert set(decision.excluded) == set(ORDER) - set(ranking)
    assert decision.final == (len(ranking) == 1)
    assert " → ".join(ranking) in decision.reason


def test_limits_on_what_models_cost_and_score(fresh: Callable[[], Cascade]) -> None:
    """Where outcomes are known, limits leave out models by their averages."""
    router = fresh()
    cheap = router.decide(replace(QUERY, constraints=Constraints(max_cost_usd=10.0)))
    assert set(cheap.ranking) == {"small", "medium"}
    good = router.decide(replace(QUERY, constraints=Constraints(min_quality=0.8)))
    assert good.ranking == ("large",)
    with pytest.raises(NoEligibleModelError):
        router.decide(replace(QUERY, constraints=Constraints(max_cost_usd=0.5)))
    assert router.decide(QUERY).estimates["large"].cost_usd == 20
    assert router.decide(replace(QUERY, constraints=Constraints(min_quality=0.999))).degraded


@pytest.fixture
def fresh() -> Callable[[], Cascade]:
    """Return a maker of fitted cascades."""
    return lambda: Cascade(order=ORDER, confidence=SAMPLED, keep=0.9).fit(outcomes())


def test_a_rung_that_does_not_pay_stands_by() -> None:
    """A model that is dear, and no better, is left out with the reason, but stays at hand for when the others fail."""
    data = outcomes()
    dear = replace(data, cost_usd=data.cost_usd * np.array([[1.0, 40.0, 1.0]]))
    router = Cascade(order=ORDER, confidence=SAMPLED, keep=0.9).fit(dear)
    assert set(router.left_out) >= {"medium"}
    assert "calling it first pays" in router.left_out["medium"]
    decision = router.decide(QUERY)
    assert decision.ranking[-len(router.left_out) :] == tuple(router.left_out)
    assert "medium stands by" in decision.reason
    away = router.decide(QUERY, Context(unavailable={"small": "down", "large": "down"}))
    assert away.ranking == ("medium",)
    assert away.final


def test_foresight_skips_rungs_for_single_queries() -> None:
    """Where a rung's answers are hardly ever accepted it is not called first, at the router's own setting only."""
    data = outcomes(200)
    hard = np.array([domain == "d1" for domain in data.queries.domains])
    samples = np.array(data.samples)
    samples[hard, 0], samples[~hard, 0] = "other", np.array(data.answers)[~hard, 0, None]
    quality = np.array(data.quality)
    quality[hard, 0], quality[~hard, 0] = 0.0, 1.0
    data = replace(data, samples=samples, quality=quality)
    table = Domain(features=Lexical(bits=8, components=2), prior=1.0)
    router = Cascade(order=("small", "large"), confidence=SAMPLED, keep=0.9, foresight=table).fit(data)
    easy, other = (router.decide(replace(QUERY, domain=domain)) for domain in ("d0", "d1"))
    assert easy.ranking == ("small", "large")
    assert other.ranking == ("large", "small")
    assert "accepted with probability" in other.reason
    assert other.final
    at_a_point = router.decide(replace(QUERY, domain="d1"), Context(operating_point=0.5))
    assert at_a_point.ranking == ("small", "large")
    plain = Cascade(order=("small", "large"), confidence=SAMPLED, keep=0.9).fit(data)
    assert simulate(router, data).cost_usd.mean() < simulate(plain, data).cost_usd.mean()


def test_foresight_learns_only_from_what_is_known() -> None:
    """An answer that nobody kept may have been accepted; it does not teach that it was not."""
    data = outcomes(60)
    answers = np.array(data.answers)
    answers[30:, 0] = None
    foresight = Constant()
    cascade = Cascade(order=("small", "large"), confidence=SAMPLED, keep=0.9, foresight=foresight)
    whole, part = (cascade.clone().fit(each) for each in (data.take(range(30)), replace(data, answers=answers)))
    assert whole.course() == part.course()
    first, second = (router.fitted(CascadeState).foresight for router in (whole, part))
    assert first is not None
    assert second is not None
    assert first.predict_one(QUERY).quality == second.predict_one(QUERY).quality > 0


@pytest.mark.parametrize("order", [("large",), ("small", "large"), ("large", "small")])
def test_short_and_odd_orders(order: tuple[str, ...]) -> None:
    """One model alone, and a dear one first, are cascades too."""
    data = outcomes(40)
    router = Cascade(order=order, confidence=SAMPLED, keep=1.0).fit(data)
    assert set(router.decide(QUERY).ranking) == set(order)
    assert simulate(router, data).quality.mean() >= data.only(order).mean_quality.max() - 1e-9


def test_free_models() -> None:
    """Where nothing costs anything, quality is all there is to win."""
    data = outcomes(40)
    free = replace(data, cost_usd=np.zeros_like(data.cost_usd))
    router = Cascade(order=ORDER, confidence=SAMPLED).fit(free)
    assert simulate(router, free).quality.mean() >= data.mean_quality.max() - 1e-9
