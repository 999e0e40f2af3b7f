"""What routers decide and how their plans go on after errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import AllModelsFailedError, ConfigError, DataError, NoEligibleModelError
from pointsman.estimators.constant import Constant
from pointsman.estimators.nearest import Nearest
from pointsman.features.embedding import Embedding
from pointsman.flow import Effect, Outcome, Recorder, drive, recorded
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.policies.budget import MeanBudget
from pointsman.policies.threshold import Threshold
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.fallback import FallbackRouter
from pointsman.routers.rules import Rule, RulesRouter
from pointsman.types import Call, CallError, Constraints, Context, Embed, Message, Query, Response, Session

POOL = ModelPool(
    [
        ModelSpec(
            name="eyes", price=Price(input_per_mtok=5, output_per_mtok=9), capabilities=frozenset({"image", "tools"})
        ),
        ModelSpec(
            name="mini", price=Price(input_per_mtok=1, output_per_mtok=2), capabilities=frozenset(), context_window=50
        ),
        ModelSpec(name="plain", price=Price(input_per_mtok=2, output_per_mtok=4), capabilities=frozenset({"tools"})),
    ]
)


def always(name: str, *rules: Rule) -> RulesRouter:
    """Return a router whose default is the given model."""
    return RulesRouter(pool=POOL, default=name, rules=rules)


def answering(failing: dict[str, CallError]) -> Callable[[Effect], Outcome]:
    """Return a performer where the given models fail."""

    def perform(effect: Effect) -> Outcome:
        assert isinstance(effect, Call)
        if effect.model in failing:
            raise failing[effect.model]
        return Response(model=effect.model, text=f"from {effect.model}", cost_usd=0.01)

    return perform


def error(model: str, **facts: bool | int) -> CallError:
    """Return a retryable error, or another one."""
    return CallError(model, "went wrong", **{"retryable": True, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "query"),
    [
        (Rule(model="plain", contains=("Prove", "théorème")), Query(text="please PROVE this")),
        (Rule(model="plain", matches=r"\d{4}"), Query(text="in 1984")),
        (Rule(model="plain", min_chars=3, max_chars=5), Query(text="four")),
        (Rule(model="plain", domains=frozenset({"law"})), Query(text="?", domain="law")),
        (Rule(model="plain", requires=frozenset({"tools"})), Query(text="?", required=frozenset({"tools"}))),
        (Rule(model="plain", tags={"tier": "free"}), Query(text="?", tags={"tier": "free", "x": "y"})),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_each_condition_of_a_rule_decides(rule: Rule, query: Query) -> None:
    """A rule applies when its condition holds, and not to an ordinary query."""
    router = always("eyes", rule)
    assert router.decide(query).model == "plain"
    assert "rule 1" in router.decide(query).reason
    assert router.decide(Query(text="an ordinary question")).model == "eyes"


def test_the_first_rule_that_can_serve_wins() -> None:
    """Rules are tried in order; one whose model cannot serve the query is passed over, and the decision says so."""
    router = always("plain", Rule(model="mini", max_chars=10), Rule(model="eyes"))
    assert router.decide(Query(text="short")).ranking == ("mini", "eyes", "plain")
    decision = router.decide(Query(text="short", required=frozenset({"tools"})))
    assert decision.ranking == ("eyes", "plain")
    assert decision.degraded == ("rule 1 wants mini, which is left out (cannot do 'tools')",)


def test_wrong_rules_are_refused() -> None:
    """A rule for a model that is not there, and a broken pattern, are errors that show them."""
    with pytest.raises(ConfigError, match="'gone'"):
        always("plain", Rule(model="gone"))
    with pytest.raises(ConfigError, match=r"\[a-"):
        Rule(model="plain", matches="[a-")


def test_models_that_cannot_serve_are_left_out_with_reasons() -> None:
    """Capabilities, content, window, lists and cool-downs exclude models before anything is scored."""
    image = Message(role="user", content=({"type": "text", "text": "what is this?"}, {"type": "image_url"}))
    assert always("plain").decide(Query(text="?", messages=(image,))).ranking == ("eyes",)
    assert always("mini").decide(Query(text="x" * 400)).excluded["mini"].startswith("about 100 input tokens")
    denied = Query(text="?", constraints=Constraints(deny=frozenset({"eyes"}), allow=frozenset({"eyes", "plain"})))
    assert always("eyes").decide(denied).ranking == ("plain",)
    cooling = Context(unavailable={"plain": "3 failures"})
    assert always("plain").decide(Query(text="?"), cooling).excluded == {"plain": "unavailable: 3 failures"}
    with pytest.raises(NoEligibleModelError, match="'telepathy'"):
        always("plain").decide(Query(text="?", required=frozenset({"telepathy"})))
    with pytest.raises(ConfigError, match="'gone'"):
        always("plain").decide(Query(text="?", constraints=Constraints(allow=frozenset({"gone"}))))


def test_an_open_tool_call_keeps_its_model() -> None:
    """While a tool call is open its model goes on; when it cannot, the decision says so."""
    session = Session(last_model="plain", open_tool_call=True)
    assert always("eyes").decide(Query(text="?"), Context(session=session)).ranking == ("plain",)
    gone = Context(session=session, unavailable={"plain": "down"})
    decision = always("eyes").decide(Query(text="?"), gone)
    assert decision.model == "eyes"
    assert "open tool call" in decision.degraded[0]


def test_the_plan_goes_down_the_ranking() -> None:
    """After a retryable error the next model answers; every call is on record; other errors end it at once."""
    recorder = Recorder()
    answer = drive(always("plain").plan(Query(text="?")), recorded(answering({"plain": error("plain")}), recorder))
    assert answer.content == "from mini"
    assert "went wrong" in answer.reason
    assert [step.effect.model for step in recorder.steps if isinstance(step.effect, Call)] == ["plain", "mini"]
    with pytest.raises(CallError):
        drive(
            always("plain").plan(Query(text="?")),
            recorded(answering({"plain": error("plain", retryable=False)}), Recorder()),
        )
    everything = {name: error(name) for name in POOL}
    with pytest.raises(AllModelsFailedError) as caught:
        drive(always("plain").plan(Query(text="?")), recorded(answering(everything), Recorder()))
    assert len(caught.value.errors) == 3


def test_a_fallback_goes_on_where_a_router_ends() -> None:
    """The second router takes over when the first finds no model, or when all of its models fail."""
    small = RulesRouter(pool=POOL.restrict(["mini"]), default="mini")
    router = FallbackRouter(routers=(small, always("plain")))
    decision = router.decide(Query(text="?", required=frozenset({"tools"})))
    assert (decision.model, decision.path) == ("plain", ("1:RulesRouter",))
    assert router.decide(Query(text="?")).path == ("0:RulesRouter",)
    answer = drive(router.plan(Query(text="?")), recorded(answering({"mini": error("mini")}), Recorder()))
    assert answer.model == "plain"
    with pytest.raises(NoEligibleModelError, match="'telepathy'"):
        drive(router.plan(Query(text="?", required=frozenset({"telepathy"}))), recorded(answering({}), Recorder()))


def outcomes(**changes: object) -> RoutingDataset:
    """Return outcomes of three models: dear is best, cheap nearly as good."""
    rng = np.random.default_rng(0)
    n = 60
    made = RoutingDataset.from_arrays(
        [f"question {i}" for i in range(n)],
        {
            "eyes": (rng.random(n) < 0.9).astype(float),
            "mini": (rng.random(n) < 0.3) + 0.0,
            "plain": (rng.random(n) < 0.8) + 0.0,
        },
        {"eyes": [0.1] * n, "mini": [0.001] * n, "plain": [0.02] * n},
        embeddings=rng.standard_normal((n, 4)),
        pool=POOL,
    )
    for name, value in changes.items():
        object.__setattr__(made, name, value)
    return made


def test_limits_of_a_request_are_honoured() -> None:
    """Cost and latency limits exclude models; a quality nobody reaches is noted and the best is taken."""
    router = EstimatedRouter(estimator=Constant()).fit(outcomes())
    assert router.decide(Query(text="?")).ranking == ("eyes", "plain", "mini")
    capped = router.decide(Query(text="?", constraints=Constraints(max_cost_usd=0.05)))
    assert capped.ranking == ("plain", "mini")
    assert capped.excluded == {"eyes": "expected cost $0.1 exceeds $0.05"}
    good = Query(text="?", constraints=Constraints(min_quality=0.5))
    assert (
        EstimatedRouter(estimator=Constant(), policy=Utility(cost_weight=1e6)).fit(outcomes()).decide(good).model
        == "plain"
    )
    impossible = router.decide(Query(text="?", constraints=Constraints(min_quality=0.999)))
    assert impossible.model == "eyes"
    assert "quality 0.999" in impossible.degraded[0]
    with pytest.raises(NoEligibleModelError, match="exceeds"):
        router.decide(Query(text="?", constraints=Constraints(max_cost_usd=1e-6)))
    with pytest.raises(NoEligibleModelError, match="latency is unknown"):
        router.decide(Query(text="?", constraints=Constraints(max_latency_s=1.0)))


def test_the_operating_point_is_chosen_at_call_time() -> None:
    """The context's operating point overrides the policy's own without a new fit."""
    router = EstimatedRouter(estimator=Constant()).fit(outcomes())
    assert router.decide(Query(text="?"), Context(operating_point=1e6)).model == "mini"


def test_a_budgeted_router_records_its_propensity() -> None:
    """A mixed decision is drawn by query id alone, and its propensity is the share of its setting."""
    router = EstimatedRouter(estimator=Constant(), policy=MeanBudget(usd=0.05), random_state=3).fit(outcomes())
    decisions = [router.decide(Query(text="?", id=str(i))) for i in range(400)]
    shares = {decision.model: decision.propensity for decision in decisions}
    assert sum(shares.values()) == pytest.approx(1)
    for name, share in shares.items():
        assert np.mean([decision.model == name for decision in decisions]) == pytest.approx(share, abs=0.08)
    assert [router.decide(Query(text="?", id=str(i))) for i in range(400)] == decisions


def test_an_embedding_is_asked_for_when_it_is_needed() -> None:
    """A router with an embedder has its plan ask for the vector of a query that brings none, and only then."""
    router = EstimatedRouter(estimator=Nearest(features=Embedding(), k=3), embedder="mini-lm").fit(outcomes())
    seen: list[Effect] = []

    def perform(effect: Effect) -> Outcome:
        seen.append(effect)
        return ((0.1, 0.2, 0.3, 0.4),) if isinstance(effect, Embed) else Response(model=effect.model, text="ok")

    query = Query(text="vector, please")
    drive(router.plan(query), recorded(perform, Recorder()))
    assert seen[0] == Embed(embedder="mini-lm", texts=("vector, please",))
    assert isinstance(seen[1], Call)
    given = replace(query, embedding=np.array([0.1, 0.2, 0.3, 0.4]))
    drive(router.plan(given), recorded(perform, Recorder()))
    assert [type(effect) for effect in seen] == [Embed, Call, Call]
    assert seen[2] == seen[1]
    with pytest.raises(DataError, match="no embeddings"):
        EstimatedRouter(estimator=Nearest(features=Embedding())).fit(outcomes()).decide(query)


def test_the_order_of_outcomes_settles_nothing() -> None:
    """A policy that is fitted out of fold is the same one for rows of repeated texts given in any order."""
    rng = np.random.default_rng(0)
    texts = [f"q{i % 9}" for i in range(40)]
    vectors = rng.normal(size=(9, 3))[[i % 9 for i in range(40)]]
    quality, cost = rng.random((40, 2)).round(2), np.tile([0.001, 0.002], (40, 1))

    def fitted(rows: list[int]) -> EstimatedRouter:
        data = RoutingDataset.from_arrays(
            [texts[i] for i in rows],
            {"m": quality[rows, 0].tolist(), "n": quality[rows, 1].tolist()},
            {"m": cost[rows, 0].tolist(), "n": cost[rows, 1].tolist()},
            ids=[str(i) for i in rows],
            embeddings=vectors[rows],
        )
        nearest = Nearest(features=Embedding(), k=3)
        return EstimatedRouter(estimator=nearest, policy=Threshold(strong="n", weak="m", strong_share=0.3)).fit(data)

    digests = {fitted(rng.permutation(40).tolist()).digest() for _ in range(5)}
    assert digests == {fitted(list(range(40))).digest()}


@pytest.mark.parametrize("texts", [["x" * 400, "short"], ["x" * 400, "y" * 300], ["short", "brief"]])
def test_many_queries_at_once_meet_the_same_windows(texts: list[str]) -> None:
    """A text that is too long for a model does not go there, decided alone, in a list, in columns or in a sweep."""
    pool = ModelPool([ModelSpec(name="best", context_window=50), ModelSpec(name="roomy", context_window=5_000)])
    data = RoutingDataset.from_arrays(texts, {"best": [1, 1], "roomy": [0, 0]}, pool=pool)
    router = EstimatedRouter(estimator=Constant(), policy=Utility()).fit(data)
    alone = [router.decide(query).model for query in data.queries]
    assert alone == ["roomy" if len(text) > 200 else "best" for text in texts]
    assert router.decide_many(data.queries).names == alone
    assert router.decide_many(list(data.queries)).names == alone
    assert [found.names for found in router.sweep(data.queries, [0.0])] == [alone]


def test_a_text_too_long_for_every_model_is_refused_among_others() -> None:
    """The same error as for that query alone."""
    pool = ModelPool([ModelSpec(name="m", context_window=50)])
    data = RoutingDataset.from_arrays(["x" * 400, "short"], {"m": [1, 1]}, pool=pool)
    router = EstimatedRouter(estimator=Constant(), policy=Utility()).fit(data)
    with pytest.raises(NoEligibleModelError, match="context window of 50"):
        router.decide_many(data.queries)
