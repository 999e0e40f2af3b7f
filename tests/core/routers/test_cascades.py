"""Cascades: thresholds that do what they were set for, drafts that are never lost, rungs that pay, votes and guarantees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointsman.confidence.agreement import Agreement
from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.pattern import PatternVerifier
from pointsman.confidence.verbalised import Verbalised
from pointsman.data import RoutingDataset
from pointsman.data.votes import with_votes
from pointsman.errors import AllModelsFailedError, ConfigError, DataError, NotFittedError, UnknownCostError
from pointsman.estimators.domain import Domain
from pointsman.evaluation.replay import simulate, simulate_sweep
from pointsman.features.lexical import Lexical
from pointsman.policies.utility import Utility
from pointsman.routers.agreement import AgreementCascade
from pointsman.routers.best_of import BestOf
from pointsman.routers.cascade import Cascade
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.frugal import FrugalGPT
from pointsman.routers.risk_controlled import RiskControlledCascade
from pointsman.routers.routed_cascade import RoutedCascade
from pointsman.testing.fakes import FakeModels
from pointsman.testing.runs import run, streamed
from pointsman.testing.toys import toy
from pointsman.types import Call, CallError, Constraints, Context, Query

QUERY = Query(text="What is 2 + 2?", id="q")
PICKY = PatternVerifier(pattern="never said")
EASY = PatternVerifier(pattern="answers")


def made(rows: int = 500, *, small_usd: float = 0.001, seed: int = 0) -> RoutingDataset:
    """Return a small model whose samples agree as often as it is right, and a large one that is nearly always right."""
    rng = np.random.default_rng(seed)
    skill = rng.choice([0.05, 0.95], size=rows)
    right = rng.random((rows, 5)) < skill[:, None]
    large = rng.random(rows) < 0.95
    said = np.where(right, "4", rng.integers(10, 99, size=right.shape).astype(str)).astype(object)
    data = RoutingDataset.from_arrays(
        [f"question {i} {'easy' if s > 0.5 else 'hard'}" for i, s in enumerate(skill)],
        {"large": large.astype(float), "small": right[:, 0].astype(float)},
        {"large": [0.1] * rows, "small": [small_usd] * rows},
        domains=["easy" if s > 0.5 else "hard" for s in skill],
    )
    samples = np.full((rows, 2, 4), None, dtype=object)
    samples[:, 1] = said[:, 1:]
    answers = np.column_stack([np.where(large, "4", "7").astype(object), said[:, 0]])
    return replace(data, answers=answers, samples=samples)


SAMPLED = SelfConsistency(samples=4)
ORDER = ("small", "large")


def test_a_draft_that_is_sure_enough_is_the_answer() -> None:
    """The dear model is not called, and the answer carries its confidence."""
    ran = run(Cascade(order=ORDER, confidence=EASY, thresholds=(0.5,)), QUERY, FakeModels())
    assert ran.answer is not None
    assert (ran.answer.model, ran.answer.confidence, len(ran.steps)) == ("small", 1.0, 1)


@pytest.mark.parametrize("retryable", [True, False])
def test_a_failing_dear_model_does_not_lose_the_draft(retryable: bool) -> None:  # noqa: FBT001
    """Whatever goes wrong above, the draft in hand is the answer."""
    models = FakeModels(failures={"large": CallError("large", "no", retryable=retryable)})
    ran = run(Cascade(order=ORDER, confidence=PICKY, thresholds=(0.5,)), QUERY, models)
    assert ran.answer is not None
    assert ran.answer.model == "small"
    assert "in hand" in ran.answer.reason


def test_a_failing_judge_escalates() -> None:
    """A check that fails is no reason to fail: the next model answers, and where that fails too, the draft does."""
    cascade = Cascade(order=ORDER, confidence=Verbalised(), thresholds=(0.5,))

    class Judging(FakeModels):
        def __call__(self, effect: object) -> object:  # type: ignore[override]
            if isinstance(effect, Call) and effect.purpose == "judge":
                raise CallError(effect.model, "no judging today", status=400)
            return super().__call__(effect)  # type: ignore[arg-type]

    assert run(cascade, QUERY, Judging()).answer.model == "large"  # type: ignore[union-attr, arg-type]
    broken = Judging(failures={"large": CallError("large", "busy", retryable=True)})
    assert run(cascade, QUERY, broken).answer.model == "small"  # type: ignore[union-attr, arg-type]


def test_only_the_last_call_is_shown() -> None:
    """No character of a rejected draft is shown; the last model's answer streams."""
    shown = streamed(Cascade(order=ORDER, confidence=PICKY, thresholds=(0.5,)), QUERY, FakeModels())
    assert shown.shown == "large answers"
    assert [step.effect.stream for step in shown.steps if isinstance(step.effect, Call)] == [False, True]


def test_drafts_are_called_with_what_their_check_reads() -> None:
    """Log-probabilities are asked for where they are to be read, and not of the last model."""
    from pointsman.confidence.likelihood import TokenLikelihood

    ran = run(Cascade(order=ORDER, confidence=TokenLikelihood(), thresholds=(0.99,)), QUERY, FakeModels())
    assert [step.effect.params for step in ran.steps if isinstance(step.effect, Call)] == [{"logprobs": True}, {}]


def test_when_nobody_answers_all_errors_are_told() -> None:
    """The error has those of all models."""
    failing = {name: CallError(name, "busy", retryable=True) for name in ORDER}
    ran = run(Cascade(order=ORDER, confidence=EASY, thresholds=(0.5,)), QUERY, FakeModels(failures=failing))
    assert isinstance(ran.error, AllModelsFailedError)
    assert len(ran.error.errors) == 2


def test_thresholds_given_need_no_data() -> None:
    """With a confidence that does not learn, a cascade works at once; one that has to learn says so."""
    assert Cascade(order=ORDER, confidence=EASY, thresholds=(0.5,)).decide(QUERY).ranking == ORDER
    with pytest.raises(NotFittedError):
        Cascade(order=ORDER, confidence=EASY).decide(QUERY)


def test_limits_that_nobody_can_check_are_told() -> None:
    """Without outcomes, a cap on cost is on record as not honoured."""
    capped = replace(QUERY, constraints=Constraints(max_cost_usd=0.01))
    assert Cascade(order=ORDER, confidence=EASY, thresholds=(0.5,)).decide(capped).degraded


def test_learnt_thresholds_keep_quality_and_save() -> None:
    """On new queries the best model's quality is nearly kept, for much less than it costs."""
    train, test = made(), made(seed=1)
    found = simulate(Cascade(order=ORDER, confidence=SAMPLED).fit(train), test)
    assert found.quality.mean() > test.quality[:, 0].mean() - 0.03
    assert found.cost_usd.mean() < 0.7 * 0.1


def test_a_budget_is_kept_to() -> None:
    """Where a budget is given, the mean cost on new queries is near it and the quality well above the small model's."""
    train, test = made(), made(seed=1)
    found = simulate(Cascade(order=ORDER, confidence=SAMPLED, budget_usd=0.06).fit(train), test)
    assert found.cost_usd.mean() == pytest.approx(0.06, rel=0.2)
    assert found.quality.mean() > test.quality[:, 1].mean() + 0.1


def test_a_rung_that_does_not_pay_is_left_out() -> None:
    """When the small model and its samples cost nearly as much as the large one, it is not called, and the reason is told."""
    cascade = Cascade(order=ORDER, confidence=SAMPLED).fit(made(small_usd=0.015))
    assert "would go on to large" in cascade.left_out["small"]
    decision = cascade.decide(QUERY)
    assert decision.ranking == ("large", "small")
    assert "small stands by" in decision.reason
    assert decision.final


def test_foresight_skips_the_draft_for_single_queries() -> None:
    """Where the query tells that the draft will not be accepted, the dear model is called at once; costs fall."""
    train, test = made(small_usd=0.012), made(small_usd=0.012, seed=1)
    looking = Domain(features=Lexical(bits=10, components=4))
    plain = Cascade(order=ORDER, confidence=SelfConsistency(samples=2), keep=0.95).fit(train)
    ahead = Cascade(order=ORDER, confidence=SelfConsistency(samples=2), keep=0.95, foresight=looking).fit(train)
    hard = Query(text="question 9999 hard", id="h", domain="hard")
    easy = Query(text="question 9999 easy", id="e", domain="easy")
    assert ahead.decide(hard).ranking[0] == "large"
    assert "accepted with probability" in ahead.decide(hard).reason
    assert ahead.decide(easy).ranking[0] == "small"
    assert simulate(ahead, test).cost_usd.mean() < simulate(plain, test).cost_usd.mean()


def test_the_operating_point_is_one_threshold_for_all() -> None:
    """Raising it costs more; above 1 everything escalates, at 0 all that can be scored is accepted."""
    data = made()
    cascade = Cascade(order=ORDER, confidence=SAMPLED).fit(data)
    costs = [found.cost_usd.mean() for found in simulate_sweep(cascade, data, cascade.points(data.queries))]
    assert costs == sorted(costs)
    assert costs[0] == pytest.approx(0.005)
    assert costs[-1] == pytest.approx(0.105)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"order": ("small", "small")}, "repeats 'small'"),
        ({"thresholds": (0.5, 0.5)}, "one for each model but the last"),
    ],
)
def test_parameters_go_together(wrong: dict[str, object], said: str) -> None:
    """What does not fit is named."""
    with pytest.raises(ConfigError, match=said):
        Cascade(**{"order": ORDER, "confidence": EASY, **wrong})  # type: ignore[arg-type]


def test_missing_models_are_named() -> None:
    """A cascade, a vote and a guarantee need outcomes of all their models."""
    for router in (
        Cascade(order=("tiny", "large"), confidence=SAMPLED),
        AgreementCascade(tiers=(("tiny",), ("large",))),
        RiskControlledCascade(order=("tiny", "large"), confidence=SAMPLED),
    ):
        with pytest.raises(DataError, match="no model 'tiny'"):
            router.fit(toy())


def test_a_search_finds_what_a_budget_buys() -> None:
    """More money never buys less on the data searched, and the mean cost there is within the budget."""
    data = made()
    router = FrugalGPT(confidence=SAMPLED, depth=2).fit(data)
    points = router.points(data.queries)
    found = [(out.cost_usd.mean(), out.quality.mean()) for out in simulate_sweep(router, data, points)]
    assert all(cost <= point + 1e-9 for (cost, _), point in zip(found, points, strict=True))
    assert [quality for _, quality in found] == sorted(quality for _, quality in found)
    assert len(points) > 1
    assert router.course(0.06).rungs == ORDER
    assert router.course(0.002).rungs == ("small",)


def test_a_search_needs_prices() -> None:
    """A model of unknown price is named."""
    data = made()
    with pytest.raises(UnknownCostError, match="small"):
        FrugalGPT(confidence=SAMPLED).fit(replace(data, cost_usd=np.where(np.arange(2) == 1, np.nan, data.cost_usd)))


def test_a_vote_rests_on_its_camp() -> None:
    """Where a tier agrees, its answer rests on all who gave it; where it does not, the next tier is asked."""
    pool = AgreementCascade(tiers=(("a", "b", "c"), ("large",)), share=0.6)

    class Saying(FakeModels):
        said = {"a": "5", "b": "4", "c": "4", "large": "6"}  # noqa: RUF012

        def __call__(self, effect: object) -> object:  # type: ignore[override]
            response = super().__call__(effect)  # type: ignore[arg-type]
            return replace(response, text=self.said[effect.model])  # type: ignore[type-var, attr-defined]

    answer = run(pool, QUERY, Saying()).answer  # type: ignore[arg-type]
    assert answer is not None
    assert (answer.content, answer.model, len(answer.support)) == ("4", "b", 2)
    assert answer.confidence == pytest.approx(2 / 3)
    strict = run(pool, QUERY, Saying(), Context(operating_point=0.9)).answer  # type: ignore[arg-type]
    assert strict is not None
    assert (strict.content, strict.support) == ("6", ((1, 0, 0),))
    alone = Saying(failures={"large": CallError("large", "no")})
    assert run(pool, QUERY, alone, Context(operating_point=0.9)).answer.content == "4"  # type: ignore[union-attr, arg-type]


def test_a_tier_is_wrong_twice_or_empty() -> None:
    """Models in two tiers and tiers without models are refused."""
    with pytest.raises(ConfigError, match="more than once"):
        AgreementCascade(tiers=(("a",), ("a",)))
    with pytest.raises(ConfigError, match="without models"):
        AgreementCascade(tiers=(("a",), ()))


@pytest.mark.parametrize("delta", [None, 0.1])
def test_a_guarantee_holds_on_new_queries_and_saves(delta: float | None) -> None:
    """The loss against the large model stays within the bound, and something is saved."""
    router = RiskControlledCascade(order=ORDER, confidence=SAMPLED, epsilon=0.05, delta=delta).fit(made(800))
    test = made(3000, seed=7)
    found = simulate(router, test)
    assert np.maximum(test.quality[:, 0] - found.quality, 0).mean() <= 0.05
    assert router.guarantee.saving is not None
    assert 1 - found.cost_usd.mean() / 0.1 == pytest.approx(router.guarantee.saving, abs=0.05)
    assert router.guarantee.saving > 0.25
    assert "worse than large" in str(router.guarantee)


def test_too_few_queries_are_refused() -> None:
    """The error says how many are missing."""
    with pytest.raises(DataError, match=r"at least 99 .*there are 40, so 59 are missing"):
        RiskControlledCascade(order=ORDER, confidence=SAMPLED, epsilon=0.01).fit(toy())
    with pytest.raises(DataError, match="there are 40, so 190 are missing"):
        RiskControlledCascade(order=ORDER, confidence=SAMPLED, epsilon=0.01, delta=0.1).fit(toy())


def test_what_cannot_save_is_left_to_the_reference() -> None:
    """Where no draft can be accepted within the bound, the reference answers alone, and the saving is 0."""
    data = made(200)
    useless = replace(data, quality=np.where(np.arange(2) == 1, 0.0, 1.0) * np.ones((200, 1)))
    router = RiskControlledCascade(order=ORDER, confidence=SAMPLED, epsilon=0.02).fit(useless)
    assert router.guarantee.saving == 0.0
    assert router.decide(QUERY).ranking == ("large", "small")
    assert simulate(router, useless).calls.max() == 1


def test_outside_the_guarantee_is_told() -> None:
    """Another threshold, or a rung that cannot serve, is on the decision."""
    router = RiskControlledCascade(order=ORDER, confidence=SAMPLED, epsilon=0.1).fit(made(400))
    assert router.decide(QUERY).degraded == ()
    assert "another operating point" in router.decide(QUERY, Context(operating_point=0.1)).degraded[0]
    without = replace(QUERY, constraints=Constraints(deny=frozenset({"large"})))
    assert "large is left out" in router.decide(without).degraded[0]


def test_a_reference_below_the_last_model_counts() -> None:
    """Losses are against the model that is named; one that is not in the order is refused."""
    router = RiskControlledCascade(order=ORDER, confidence=SAMPLED, epsilon=0.2, reference="small").fit(made(300))
    assert router.guarantee.reference == "small"
    with pytest.raises(ConfigError, match="reference must be one of"):
        RiskControlledCascade(order=ORDER, confidence=SAMPLED, reference="medium")


def test_agreement_of_the_toys_saves() -> None:
    """Small and medium agree on sums, so the large model is asked for the rest only."""
    found = simulate(AgreementCascade(tiers=(("small", "medium"), ("large",))).fit(toy()), toy())
    sums = np.array([domain == "arithmetic" for domain in toy().queries.domains])
    assert set(found.calls[sums].tolist()) == {2}
    assert found.quality.mean() >= toy().quality[:, toy().models.index("large")].mean() - 0.01
    assert Agreement().recorded(toy(), ("small", "medium")).score[sums].tolist() == [1.0] * int(sums.sum())


def test_a_router_spares_drafts_that_would_not_do() -> None:
    """Hard queries begin with the large model, easy ones with the small; quality is kept for less than from the bottom."""
    train, test = made(small_usd=0.01), made(small_usd=0.01, seed=1)
    table = EstimatedRouter(estimator=Domain(features=Lexical(bits=10, components=4)), policy=Utility(cost_weight=2.0))
    sampled = SelfConsistency(samples=2)
    routed = RoutedCascade(order=ORDER, start=table, confidence=sampled, keep=0.95).fit(train)
    hard = Query(text="question 9999 hard", id="h", domain="hard")
    assert routed.decide(hard).ranking == ("large", "small")
    assert "begins with large" in routed.decide(hard).reason
    plain = simulate(Cascade(order=ORDER, confidence=sampled, keep=0.95).fit(train), test)
    found = simulate(routed, test)
    assert found.quality.mean() > test.quality[:, 0].mean() * 0.95 - 0.03
    assert found.cost_usd.mean() < plain.cost_usd.mean()


def voting(rows: int = 300, *, seed: int = 0) -> RoutingDataset:
    """Return a small model that is right three times in four, by itself, with five scored samples, and a dear large one."""
    rng = np.random.default_rng(seed)
    right = rng.random((rows, 6)) < 0.75
    said = np.where(right, "4", rng.integers(10, 99, size=right.shape).astype(str)).astype(object)
    data = RoutingDataset.from_arrays(
        [f"question {i}" for i in range(rows)],
        {"large": [0.9] * rows, "small": right[:, 0].astype(float)},
        {"large": [0.1] * rows, "small": [0.001] * rows},
    )
    samples, scores = np.full((rows, 2, 5), None, dtype=object), np.full((rows, 2, 5), np.nan)
    samples[:, 1], scores[:, 1] = said[:, 1:], right[:, 1:]
    return replace(
        data,
        answers=np.column_stack([np.full(rows, "4", dtype=object), said[:, 0]]),
        samples=samples,
        sample_quality=scores,
    )


def test_votes_are_arms_of_their_own() -> None:
    """An arm costs as many calls as vote, its quality is that of the largest camp, and it is unknown without samples."""
    arms = with_votes(voting(), (1, 3, 5, 7))
    quality = dict(zip(arms.models, arms.mean_quality.tolist(), strict=True))
    assert quality["small×5"] > quality["small×3"] > quality["small"]
    assert np.isnan(quality["small×7"])
    assert np.isnan(quality["large×3"])
    assert arms.mean_cost_usd[arms.models.index("small×5")] == pytest.approx(0.005)
    with pytest.raises(DataError, match="Votes need samples"):
        with_votes(replace(voting(), samples=None, sample_quality=None), (3,))


def test_several_small_answers_stand_in_for_a_large_one() -> None:
    """Where a vote is nearly as good and far cheaper, it is chosen; driving it on record costs and scores as its arm does."""
    data = voting()
    table = EstimatedRouter(estimator=Domain(features=Lexical(bits=10, components=4)), policy=Utility(cost_weight=2.0))
    router = BestOf(router=table, counts=(1, 5)).fit(data)
    decision = router.decide(QUERY)
    assert decision.model == "small"
    assert "5 samples vote" in decision.reason
    found, arm = simulate(router, data), with_votes(data, (5,))
    assert found.cost_usd.mean() == pytest.approx(0.005)
    assert np.nanmean(found.quality) == pytest.approx(arm.mean_quality[arm.models.index("small×5")], abs=0.02)
    ran = run(router, QUERY, FakeModels(failures={"small": CallError("small", "busy", retryable=True)}))
    assert ran.answer is not None
    assert ran.answer.model == "large"
