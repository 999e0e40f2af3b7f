"""Cascade routing: asking on only while it is worth it, alone and over recorded answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from driving import check_replay_is_driving

from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.learned import LearnedConfidence
from pointsman.confidence.likelihood import TokenLikelihood
from pointsman.confidence.pattern import PatternVerifier
from pointsman.confidence.verification import SelfVerification
from pointsman.data import RoutingDataset
from pointsman.errors import AllModelsFailedError, ConfigError, DataError, NoEligibleModelError, UnknownCostError
from pointsman.estimators.linear import Linear
from pointsman.evaluation import simulate, simulate_sweep
from pointsman.evaluation.recorded import drive_row
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.metrics import auroc, ece_equal_mass
from pointsman.routers.cascade_router import CascadeRouter, CascadeRouterState
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.stepping.reader import Reader
from pointsman.testing.fakes import FakeModels
from pointsman.testing.runs import Ran, run, streamed
from pointsman.types import Call, CallError, Constraints, Context, Query, Response

SKILL = {"cheap": 0.55, "copy": 0.55, "fair": 0.65, "good": 0.75}
USD = {"cheap": 0.001, "copy": 0.001, "fair": 0.002, "good": 0.02}
ROWS = 1200


def outcomes(rows: int = ROWS, seed: int = 0, *, silent: float = 0.0) -> RoutingDataset:
    """Return letters that four models answer, better to the right; "copy" says what "cheap" says, "good" is dear."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((rows, 3))
    truth = rng.integers(0, 5, rows)
    said = {}
    for name, skill in SKILL.items():
        right = rng.random(rows) < skill + 0.12 * np.clip(points[:, 0], -1.8, 1.8)
        said[name] = np.where(right, truth, (truth + rng.integers(1, 5, rows)) % 5)
    said["copy"] = np.where(rng.random(rows) < 0.9, said["cheap"], said["copy"])
    mute = {name: rng.random(rows) < silent for name in SKILL}
    data = RoutingDataset.from_arrays(
        [f"question {seed} {i}" for i in range(rows)],
        {name: ((said[name] == truth) & ~mute[name]).astype(float) for name in SKILL},
        {name: np.full(rows, usd) * rng.uniform(0.5, 1.5, rows) for name, usd in USD.items()},
        embeddings=points,
    )
    texts = [
        ["" if mute[name][i] else " ABCDE"[said[name][i] + 1] + " ." * (i % 2) for name in data.models]
        for i in range(rows)
    ]
    return replace(data, answers=np.array(texts, dtype=object))


ROUTER = CascadeRouter(estimator=Linear(features=Embedding(length="given")), size=4)


def shown(data: RoutingDataset, seed: int = 0) -> RoutingDataset:
    """Return the data with whole responses: four in five wrong answers show a calculation that is wrong."""
    rng = np.random.default_rng(seed)
    assert data.answers is not None
    texts = [
        [
            None
            if said is None
            else f"First, 0.2 + 0.3 = 0.{6 if not good and rng.random() < 0.8 else 5}. So it is {said}"
            for said, good in zip(answers, quality, strict=True)
        ]
        for answers, quality in zip(data.answers.tolist(), data.quality.tolist(), strict=True)
    ]
    return replace(data, responses=np.array(texts, dtype=object))


WORDS = Lexical(bits=10, components=4)
READING = LearnedConfidence(features=WORDS, wording=None)


@pytest.fixture(scope="module")
def reading() -> CascadeRouter:
    """Return a cascade of three models that reads their texts."""
    return ROUTER.clone(size=3, confidence=READING).fit(shown(outcomes(silent=0.05)))


@pytest.fixture(scope="module")
def fitted() -> CascadeRouter:
    """Return a cascade that has learnt all four models."""
    return ROUTER.clone().fit(outcomes(silent=0.05))


def query(data: RoutingDataset, row: int, **limits: float) -> Query:
    """Return a query of the data with constraints."""
    return replace(data.queries[row], constraints=Constraints(**limits))  # type: ignore[arg-type]


def answering(**texts: str | CallError) -> FakeModels:
    """Return models that answer these texts, or fail so, at the prices above."""
    failures = {name: text for name, text in texts.items() if isinstance(text, CallError)}
    return _Told(texts, cost_usd=USD, failures=failures)


class _Told(FakeModels):
    """Fakes that say what they are told to."""

    def __init__(self, texts: dict[str, str | CallError], **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self._texts = texts

    def _respond(self, call: Call) -> Response:
        return replace(super()._respond(call), text=str(self._texts.get(call.model, call.model)))


@pytest.mark.parametrize("seed", range(3))
def test_replay_is_driving(fitted: CascadeRouter, seed: int) -> None:
    """All queries at once end as each plan does when it is driven: who answers, what it scores and costs, in how many calls."""
    data = outcomes(60, seed + 10, silent=0.2)
    assert data.answers is not None
    data.answers[::7, 1] = None
    check_replay_is_driving(
        fitted, data, (0.0, *fitted.points(data.queries)[3::5], 17.0), ("quality", "cost_usd", "propensity")
    )


@pytest.mark.parametrize("seed", range(2))
def test_replay_is_driving_where_texts_are_read(reading: CascadeRouter, seed: int) -> None:
    """Reading each text as it comes in, and all recorded ones at once, end alike, also where no answer was read out."""
    data = shown(outcomes(40, seed + 20, silent=0.2), seed)
    assert data.answers is not None
    data.answers[::5, 1] = None
    check_replay_is_driving(reading, data, (0.0, *reading.points(data.queries)[3::7], 17.0))


def test_texts_beat_answers_alone(fitted: CascadeRouter, reading: CascadeRouter) -> None:
    """Where texts show mistakes, reading them gains several points at half of the best model's cost, and stays honest."""
    data = shown(outcomes(1500, 7), 7)
    best = {}
    for name, router in (("compared", fitted), ("read", reading)):
        swept = simulate_sweep(router, data, router.points(data.queries))
        best[name] = max(each.quality.mean() for each in swept if each.cost_usd.mean() <= 0.01)
    assert best["read"] > best["compared"] + 0.03
    (found,) = reading.replay(data, [10.0])
    assert found.confidence is not None
    assert ece_equal_mass(found.confidence, found.quality) < 0.05


def test_texts_alone_will_do() -> None:
    """Free text that never agrees is worth reading: with responses but no answers a cascade still beats the query alone."""
    train, data = (replace(shown(outcomes(rows, seed), seed), answers=None) for rows, seed in ((800, 0), (800, 1)))
    read = ROUTER.clone(size=3, equivalence="exact", confidence=READING).fit(train)
    pure = EstimatedRouter(estimator=ROUTER.estimator).fit(train)
    assert read.decide(data.queries[0]).degraded == ()
    best = [
        max(
            each.quality.mean()
            for each in simulate_sweep(router, data, router.points(data.queries))
            if each.cost_usd.mean() <= 0.01
        )
        for router in (read, pure)
    ]
    assert best[0] > best[1] + 0.05


def test_what_is_read_makes_no_calls() -> None:
    """A confidence that would ask somebody, or for log-probabilities, is refused by name."""
    for asking, named in (
        (SelfVerification(), "judge"),
        (SelfConsistency(samples=2), "samples"),
        (TokenLikelihood(), "logprobs"),
    ):
        with pytest.raises(ConfigError, match=f"{type(asking).__name__} needs .*{named}"):
            ROUTER.clone(size=2, confidence=asking).fit(outcomes(100))


def test_a_confidence_that_does_not_learn_is_learnt_from() -> None:
    """How far to believe a plain check of the text is learnt, one model at a time; what gets no score is left as it was."""
    data = shown(outcomes(600))
    names = ("cheap", "good")
    expected = np.tile(data.only(names).mean_quality, (len(data), 1))
    reader, worth = Reader.fit(PatternVerifier(pattern=r"= 0.5"), data.only(names), expected, 5)
    assert data.responses is not None
    passed = np.array(["= 0.5" in text for text in data.only(names).responses[:, 0].tolist()])  # type: ignore[index]
    quality = data.only(names).quality[:, 0]
    assert worth[passed, 0].mean() == pytest.approx(quality[passed].mean(), abs=0.03)
    assert worth[~passed, 0].mean() == pytest.approx(quality[~passed].mean(), abs=0.05)
    silent = replace(data, answers=None, responses=None).only(names)
    np.testing.assert_array_equal(reader.recorded(silent, expected), expected)


def test_replay_minds_who_is_unavailable(fitted: CascadeRouter) -> None:
    """What holds for every query of a replay holds at once as it does one by one."""
    data = outcomes(40, 5)
    context = Context(operating_point=5.0, unavailable={"fair": "cooling down"})
    driven = [drive_row(fitted, data, row, context) for row in range(len(data))]
    assert simulate(fitted, data, context).model.tolist() == [each.model for each in driven]


def test_a_sweep_is_its_points(fitted: CascadeRouter) -> None:
    """A sweep gives at each point what a replay at that point gives, and money buys quality."""
    data = outcomes(400, 6)
    points = fitted.points(data.queries)
    swept = list(simulate_sweep(fitted, data, points))
    alone = simulate(fitted, data, Context(operating_point=points[9]))
    np.testing.assert_array_equal(swept[9].cost_usd, alone.cost_usd)
    assert swept[0].cost_usd.mean() > swept[-1].cost_usd.mean()
    assert swept[0].quality.mean() > swept[-1].quality.mean()


def test_answers_beat_the_query_alone(fitted: CascadeRouter) -> None:
    """At the cost of the pure router with the same estimator, reading answers gains several points."""
    data = outcomes(2000, 7)
    pure = EstimatedRouter(estimator=ROUTER.estimator).fit(outcomes(silent=0.05))
    routed = [
        (each.cost_usd.mean(), each.quality.mean()) for each in simulate_sweep(pure, data, pure.points(data.queries))
    ]
    swept = [
        (each.cost_usd.mean(), each.quality.mean())
        for each in simulate_sweep(fitted, data, fitted.points(data.queries))
    ]
    inside = [quality for cost, quality in swept if cost <= 0.01]
    assert max(inside) > max(quality for cost, quality in routed if cost <= 0.01) + 0.03


def test_confidence_is_honest(fitted: CascadeRouter) -> None:
    """On new queries, answers given with probability p are right about p of the time, and sure ones more often."""
    data = outcomes(4000, 8)
    (found,) = fitted.replay(data, [10.0])
    assert ece_equal_mass(found.confidence, found.quality) < 0.04
    ranked = auroc(found.confidence, found.quality > 0.5)
    assert ranked is not None
    assert ranked > 0.65
    assert found.confidence.mean() == pytest.approx(found.quality.mean(), abs=0.03)


def test_the_default_keeps_the_best_models_quality(fitted: CascadeRouter) -> None:
    """Without an operating point the answers are as good as the best single model's, and cheaper."""
    data = outcomes(3000, 9)
    found, good = simulate(fitted, data), data.models.index("good")
    assert found.quality.mean() > data.quality[:, good].mean() - 0.01
    assert found.cost_usd.mean() < 0.8 * data.cost_usd[:, good].mean()


def test_what_cannot_be_shown_is_not_paid_for() -> None:
    """Few questions show no λ to be surely as good; even so nobody is asked, at a hundred times the price, for nothing."""
    rows, rng = 100, np.random.default_rng(1)
    right = {"good": rng.random(rows) < 0.75, "draft": rng.random(rows) < 0.6, "dear": rng.random(rows) < 0.1}
    data = RoutingDataset.from_arrays(
        [f"question {i}" for i in range(rows)],
        {name: each.astype(float) for name, each in right.items()},
        {name: np.full(rows, usd) for name, usd in {"good": 0.01, "draft": 0.004, "dear": 1.0}.items()},
        embeddings=rng.standard_normal((rows, 3)),
    )
    own_words = np.array([[f"{name} says {i}" for name in data.models] for i in range(rows)], dtype=object)
    data = replace(data, answers=own_words)
    assert float(np.mean(simulate(ROUTER.clone(size=3).fit(data), data).cost_usd)) <= 0.01


@pytest.mark.parametrize("usd", [0.0015, 0.004, 0.012])
def test_a_mean_budget_is_spent(usd: float) -> None:
    """All calls of all queries together cost what they may: to within what new queries differ by."""
    found = simulate(ROUTER.clone(size=3, budget_usd=usd).fit(outcomes()), outcomes(3000, 9))
    assert found.cost_usd.mean() == pytest.approx(usd, rel=0.07)


def test_what_no_budget_buys_is_told() -> None:
    """A budget below the cheapest way is refused with its cost, one beside a cost weight or without costs too."""
    data = outcomes(200)
    hidden = data.quality.copy()
    hidden[np.arange(200), np.arange(200) % 4] = np.nan
    for each in (data, replace(data, quality=hidden)):
        with pytest.raises(ConfigError, match=r"budget_usd is \$0.0001, but the cheapest way to answer costs \$0.00\d"):
            ROUTER.clone(budget_usd=0.0001).fit(each)
    found = simulate(ROUTER.clone(budget_usd=0.0015).fit(replace(data, quality=hidden)), data)
    assert found.cost_usd.mean() < 0.0015  # where nothing shows what more would cost, the cheapest is asked
    with pytest.raises(UnknownCostError, match="a cascade with a budget needs it"):
        ROUTER.clone(budget_usd=1.0).fit(replace(data, cost_usd=np.full(data.quality.shape, np.nan)))
    with pytest.raises(ConfigError, match="a cost_weight or a budget_usd, not both"):
        ROUTER.clone(budget_usd=1.0, cost_weight=3.0)


def test_agreement_is_the_answer(fitted: CascadeRouter) -> None:
    """What most say is answered in the words of one of them, resting on all of them, with its probability."""
    ran = run(
        fitted,
        query(outcomes(5), 1),
        answering(cheap="B", copy="C", fair=" b.", good="B"),
        Context(operating_point=0.0),
    )
    assert ran.answer is not None
    assert ran.answer.content.strip(" .").upper() == "B"
    assert len(ran.answer.support) >= 2
    assert 0.5 < (ran.answer.confidence or 0) < 1
    assert "models, right with probability" in ran.answer.reason


def asked(ran: Ran) -> list[str]:
    """Return whom a run called."""
    return [step.effect.model for step in ran.steps if isinstance(step.effect, Call)]


def first_two(router: CascadeRouter, point: float = 0.0) -> tuple[Query, list[str]]:
    """Return a query that takes several calls, and whom they ask."""
    data = outcomes(20)
    texts = {"cheap": "A", "copy": "B", "fair": "C", "good": "D"}
    for row in range(len(data)):
        ran = run(router, query(data, row), answering(**texts), Context(operating_point=point))
        if len(asked(ran)) > 1:
            return query(data, row), asked(ran)
    raise AssertionError("no query takes a second call")


@pytest.mark.parametrize("retryable", [True, False])
def test_a_failed_call_never_loses_an_answer(fitted: CascadeRouter, retryable: bool) -> None:  # noqa: FBT001
    """Once somebody has answered, an error of another model, of whatever kind, ends in an answer."""
    asking, (first, *others) = first_two(fitted)
    broken = {name: CallError(name, "broken", retryable=retryable) for name in SKILL if name != first}
    ran = run(fitted, asking, answering(**{first: "A"}, **broken), Context(operating_point=0.0))
    assert ran.answer is not None
    assert (ran.answer.content, ran.answer.model) == ("A", first)
    assert others[0] in asked(ran)


def test_a_failed_first_call_moves_on(fitted: CascadeRouter) -> None:
    """A busy first model gives way to the others; where all are busy, all their errors are told."""
    asking, (first, *_) = first_two(fitted)
    busy = {name: CallError(name, "busy", retryable=True) for name in SKILL}
    ran = run(fitted, asking, answering(**{first: busy[first]}), Context(operating_point=0.0))
    assert ran.answer is not None
    assert ran.answer.model != first
    ran = run(fitted, asking, answering(**busy), Context(operating_point=0.0))
    assert isinstance(ran.error, AllModelsFailedError)
    assert len(ran.error.errors) == len(SKILL)


def test_budgets_hold(fitted: CascadeRouter) -> None:
    """What a query was expected to cost, each call given what was really spent before it, stays within its limit."""
    data = outcomes(30, 3)
    for row in range(len(data)):
        for cap in (0.0015, 0.004, 0.023):
            ran = run(fitted, query(data, row, max_cost_usd=cap), answering(), Context(operating_point=0.0))
            spent = 0.0
            for step in ran.steps:
                assert isinstance(step.effect, Call)
                assert step.effect.decision is not None
                expected = step.effect.decision.estimates[step.effect.model].cost_usd
                assert expected is not None
                assert spent + expected <= cap
                spent += step.cost_usd or 0.0
    with pytest.raises(NoEligibleModelError, match="exceeds"):
        fitted.decide(query(data, 0, max_cost_usd=1e-6))


def test_only_a_call_that_is_surely_final_is_streamed(fitted: CascadeRouter) -> None:
    """A streamed call ends the plan, whatever it says; no other call is streamed."""
    data, finals = outcomes(40, 4), set()
    for row in range(len(data)):
        for point in (0.0, 8.0, 60.0, 1000.0):
            context, models = Context(operating_point=point), answering(cheap="", copy="A", fair="B", good="")
            decision = fitted.decide(data.queries[row], context)
            ran = streamed(fitted, data.queries[row], models, context)
            assert ran.error is None
            assert (not decision.final) or len(ran.steps) == 1
            streams = [step.effect.stream for step in ran.steps if isinstance(step.effect, Call)]
            assert streams == [decision.final] + [False] * (len(streams) - 1)
            finals.add(decision.final)
    assert finals == {True, False}


def test_a_call_whose_text_is_read_is_streamed_only_if_no_reading_matters(reading: CascadeRouter) -> None:
    """A streamed call ends the plan even where its text shows a mistake, and some calls are streamed, some are not."""
    data, finals = outcomes(30, 4), set()
    for row in range(len(data)):
        for point in (0.0, 60.0, 3000.0):
            context, wrong = Context(operating_point=point), "0.2 + 0.3 = 0.9. So A"
            decision = reading.decide(data.queries[row], context)
            ran = streamed(reading, data.queries[row], answering(cheap=wrong, copy=wrong, fair="B", good="C"), context)
            assert (not decision.final) or len(ran.steps) == 1
            finals.add(decision.final)
    assert finals == {True, False}


def test_alone_is_final(fitted: CascadeRouter) -> None:
    """Where one model is left there is nothing to wait for."""
    asking = replace(outcomes(1).queries[0], constraints=Constraints(allow=frozenset({"fair"})))
    assert fitted.decide(asking, Context(operating_point=0.0)).final


def test_second_decisions_say_why(fitted: CascadeRouter) -> None:
    """Each later call carries the probability in hand, what asking is worth, and who was asked before."""
    asking, _ = first_two(fitted)
    texts = {"cheap": "A", "copy": "B", "fair": "C", "good": "D"}
    ran = run(fitted, asking, answering(**texts), Context(operating_point=0.0))
    first, second = (step.effect.decision for step in ran.steps[:2] if isinstance(step.effect, Call))
    assert first is not None
    assert second is not None
    assert "is right with probability" in second.reason
    assert second.excluded[first.model] == "already asked"
    assert second.ranking[0] == second.model
    assert first.model not in second.ranking


def test_redundant_models_are_left_out() -> None:
    """Of models that say the same only one is worth a place; the best one always has one."""
    small = ROUTER.clone(size=2).fit(outcomes())
    assert "good" in small.models
    three = ROUTER.clone(size=3).fit(outcomes())
    assert not {"cheap", "copy"} <= set(three.models)


def test_without_answers_decisions_say_so() -> None:
    """A cascade that has seen no answers says that agreement counts for nothing, and cannot be replayed beyond one call."""
    data = replace(outcomes(200), answers=None)
    blind = ROUTER.clone().fit(data)
    assert any("without answers" in note for note in blind.decide(data.queries[0]).degraded)
    seeing = ROUTER.clone().fit(outcomes(300))
    replays = seeing.replay(replace(outcomes(50, 2), answers=None), [0.0])
    with pytest.raises(DataError, match="reads answers"):
        next(replays)


def test_unknown_costs_are_refused_where_they_count() -> None:
    """A price on cost needs costs; without one, quality is all that counts."""
    data = outcomes(100)
    data.cost_usd[:, 0] = np.nan
    router = ROUTER.clone().fit(data)
    assert router.points(data.queries) == ()
    assert router.decide(data.queries[0], Context(operating_point=0.0)).model in SKILL
    with pytest.raises(UnknownCostError, match="cheap"):
        router.decide(data.queries[0], Context(operating_point=10.0))
    with pytest.raises(UnknownCostError, match="cheap"):
        router.decide_many(data.queries, Context(operating_point=10.0))


def test_the_order_of_rows_and_models_is_irrelevant() -> None:
    """Shuffled training data teach the same to the last bit."""
    data = outcomes(150)
    rng = np.random.default_rng(1)
    shuffled = data.take(rng.permutation(len(data))).only(tuple(rng.permutation(data.models).tolist()))
    assert ROUTER.clone().fit(data).digest() == ROUTER.clone().fit(shuffled).digest()


def test_the_order_of_rows_is_irrelevant_to_reading() -> None:
    """Shuffled texts teach a reader the same."""
    data = shown(outcomes(150))
    shuffled = data.take(np.random.default_rng(1).permutation(len(data)))
    read = ROUTER.clone(size=2, confidence=READING, folds=2)
    assert read.clone().fit(data).digest() == read.clone().fit(shuffled).digest()


def test_a_state_is_of_plain_arrays(fitted: CascadeRouter) -> None:
    """What is kept is small: a few numbers per subset of models."""
    state = fitted.fitted(CascadeRouterState)
    kept = sum(array.nbytes for array in (*state.posterior.votes, *state.posterior.odds, *state.lookahead.promise))
    assert kept < 500_000
