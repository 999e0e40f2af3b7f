"""Routed predictors and modules: the input fields decide, the prediction tells, and every book has each call once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy
from dspy.clients.base_lm import GLOBAL_HISTORY
from dspy.utils import exceptions

from dspy_router import Routed, RoutedPredict, route_of, routed
from pointsman.errors import ConfigError
from pointsman.flow import Plan
from pointsman.flow import ask as asking
from pointsman.models import ModelPool, ModelSpec, Price
from pointsman.routers.base import Router
from pointsman.testing.replay_server import Fault, Recorded, ReplayServer
from pointsman.types import Answer, Call, Context, Decision, Query, Trace

WAYS = ["sync", "async"]
LONG = "This hard, hard passage goes on and on. " * 200


class Drafted(Router):
    """Lets the small model draft, and the large one answer."""

    @property
    def models(self) -> ModelPool:
        """The two models."""
        prices = {"large": (10.0, 40.0), "small": (0.5, 1.5)}
        return ModelPool(
            ModelSpec(name=name, price=Price(input_per_mtok=into, output_per_mtok=out))
            for name, (into, out) in prices.items()
        )

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Decide."""
        return Decision(model="small", ranking=("small", "large"))

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Draft, then answer."""
        yield from asking(Call(model="small", params={"temperature": 0.2}, purpose="draft"))
        return Answer.of((yield from asking(Call(model="large", stream=True))), reason="the draft is never good enough")


class Answered(dspy.Module):
    """Two predictors, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.draft = dspy.Predict("question -> draft")
        self.final = dspy.ChainOfThought("question, draft -> answer")

    def forward(self, question: str) -> Any:
        """Draft, then answer."""
        return self.final(question=question, draft=self.draft(question=question).draft)


@pytest.mark.parametrize("way", WAYS)
async def test_the_question_decides_and_not_its_context(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """An easy question about a long hard passage is easy; without `on`, as with a plain predictor, the passage decides."""
    signature = "context, question -> answer"
    for predictor in (RoutedPredict(signature, build(), on="question"), RoutedPredict(signature, build())):
        await ask(predictor, way, context=LONG, question="an easy one")
    assert [entry.model for entry in server.ledger] == ["small", "large"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_prediction_tells_its_route(build: Any, ask: Any, way: str) -> None:
    """The prediction carries what was decided, outside its fields, also where DSPy traces it."""
    traces: list[Trace] = []
    predictor = RoutedPredict("question -> answer", build(settings={"observers": [traces.append]}))
    with dspy.context(trace=[]):
        prediction = await ask(predictor, way, question="a hard one")
        [(of, inputs, traced)] = dspy.settings.trace
    assert (of, inputs, traced) == (predictor, {"question": "a hard one"}, prediction)
    route = route_of(prediction)
    assert route is not None
    assert (route["model"], route["reason"], route["tried"]) == ("large", "rule 1 applies", ["large"])
    assert route["trace_id"] == traces[0].id
    assert route["cost_usd"] == traces[0].cost_usd
    assert list(prediction.keys()) == ["answer"]
    assert route_of(dspy.Prediction(answer="x")) is None


@pytest.mark.parametrize("way", WAYS)
async def test_all_books_of_a_routed_predictor_agree(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """One entry in each history and one count of tokens for each real call, under the candidate's name."""
    traces: list[Trace] = []
    lm = build(settings={"observers": [traces.append]})
    predictor = RoutedPredict("question -> answer", lm)
    before = len(GLOBAL_HISTORY)
    with dspy.track_usage() as usage:
        for question in ("an easy one", "a hard one"):
            assert (await ask(predictor, way, question=question)).answer.endswith(question)
    books = [GLOBAL_HISTORY[before:], predictor.history, lm.history]
    assert [[entry["model"] for entry in book] for book in books] == [["openai/small", "openai/large"]] * 3
    assert [len(one.history) for one in lm.lms.values()] == [1, 0, 1]
    tracked = usage.get_total_tokens()
    for entry, trace in zip(server.ledger, traces, strict=True):
        assert tracked[f"openai/{entry.model}"]["prompt_tokens"] == entry.input_tokens
        assert trace.cost_usd == pytest.approx(entry.cost_usd, rel=1e-12)


@pytest.mark.parametrize("way", WAYS)
async def test_cascades_are_accounted_and_traced_once(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """A draft is paid and entered like any call, with its own options; DSPy's trace has the answer alone."""
    traces: list[Trace] = []
    lm = build(router=Drafted(), settings={"observers": [traces.append]}, temperature=0.5)
    predictor = RoutedPredict("question -> answer", lm)
    with dspy.track_usage() as usage, dspy.context(trace=[]):
        prediction = await ask(predictor, way, question="hi")
        assert [traced for _, _, traced in dspy.settings.trace] == [prediction]
    assert prediction.answer == "large heard hi"
    assert [entry.request["temperature"] for entry in server.ledger] == [0.2, 0.5]
    assert [entry["router"]["purpose"] for entry in predictor.history] == ["draft", "answer"]
    assert {entry["router"]["answered_by"] for entry in lm.history} == {"large"}
    assert sorted(usage.get_total_tokens()) == ["openai/large", "openai/small"]
    assert traces[0].cost_usd == pytest.approx(server.cost_usd(), rel=1e-12)


async def test_drafts_of_a_routed_predictor_are_not_streamed(build: Any, server: ReplayServer) -> None:
    """Only the final answer streams, through a listener or without one, and ends as it would without a stream."""
    predictor = RoutedPredict("question -> answer", build(router=Drafted()))
    program = dspy.streamify(predictor, stream_listeners=[dspy.streaming.StreamListener("answer", predict=predictor)])
    *chunks, prediction = [item async for item in program(question="hi")]
    assert "".join(chunk.chunk for chunk in chunks).strip() == prediction.answer == "large heard hi"
    assert route_of(prediction)["answered_by"] == "large"
    assert [entry.streamed for entry in server.ledger] == [False, True]


@pytest.mark.parametrize("way", WAYS)
async def test_an_unreadable_reply_goes_to_the_next_model(build: Any, ask: Any, client: Any, way: str) -> None:
    """A reply without the fields is paid for and is that model's failure; when nobody's can be read, DSPy's error is raised."""

    def garbled(model: str, _: Any) -> Recorded:
        text = "I would rather not." if model == "small" else "[[ ## answer ## ]]\nyes\n\n[[ ## completed ## ]]\n"
        return Recorded(text=text, input_tokens=10, output_tokens=2)

    prices = {"large": (10.0, 40.0), "medium": (2.0, 8.0), "small": (0.5, 1.5)}
    with ReplayServer({}, default=garbled, prices=prices) as server:
        lms = {name: client(name, api_base=server.url) for name in prices}
        predictor = RoutedPredict("question -> answer", build(lms))
        prediction = await ask(predictor, way, question="hi")
        assert prediction.answer == "yes"
        assert route_of(prediction)["tried"] == ["small", "medium"]
        assert route_of(prediction)["cost_usd"] == pytest.approx(server.cost_usd(), rel=1e-12)
        assert len(predictor.history) == len(server.ledger) == 3  # DSPy itself asks the small one again, for JSON
        with pytest.raises(exceptions.AdapterParseError):
            await ask(RoutedPredict("question -> answer: int", build(lms)), way, question="hi")


@pytest.mark.parametrize("way", WAYS)
async def test_failures_of_a_routed_predictor_move_on(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """An overloaded model's work goes to the next one, and a wrong request to nobody."""
    server.fail(Fault(model="small", status=429))
    prediction = await ask(RoutedPredict("question -> answer", build()), way, question="hi")
    assert route_of(prediction)["tried"] == ["small", "medium"]
    server.fail(Fault(status=400))
    with pytest.raises(exceptions.LMInvalidRequestError):
        await ask(RoutedPredict("question -> answer", build()), way, question="hi")


def test_any_router_in_charge_is_asked(build: Any, client: Any, server: ReplayServer) -> None:
    """The predictor's own RouterLM, that of the call or of the settings decides on the fields; other models are just used."""
    predictor = RoutedPredict("context, question -> answer", on=["question"])
    with dspy.context(lm=build()):
        predictor(context=LONG, question="easy")
    predictor(context=LONG, question="easy", lm=build())
    predictor(context=LONG, question="easy", lm=client("medium"))
    predictor.set_lm(client("large"))
    assert route_of(predictor(context=LONG, question="easy")) is None
    assert [entry.model for entry in server.ledger] == ["small", "small", "medium", "large"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_whole_module_is_routed_once(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """All predictors of a Routed module use the model that is chosen from the inputs; its calls are one run."""
    traces: list[Trace] = []
    lm = build(settings={"observers": [traces.append]})
    program = Routed(AsyncAnswered() if way == "async" else Answered(), lm, on="question")
    prediction = await ask(program, way, question="a hard one")
    assert [entry.model for entry in server.ledger] == ["large", "large"]
    assert route_of(prediction)["model"] == "large"
    assert traces[0].cost_usd == pytest.approx(server.cost_usd(), rel=1e-12)
    assert len(lm.history) == len(program.history) == 2
    assert [name for name, _ in program.named_predictors()] == ["module.draft", "module.final.predict"]


class AsyncAnswered(Answered):
    """The same, awaited."""

    async def aforward(self, question: str) -> Any:
        """Draft, then answer."""
        return await self.final.acall(question=question, draft=(await self.draft.acall(question=question)).draft)


def test_a_program_is_routed_by_its_predictors(build: Any, server: ReplayServer) -> None:
    """`routed` returns a copy whose predictors are routed, on the fields that are named for all or for each."""
    plain = Answered()
    program = routed(plain, build(), on="question")
    assert [(name, type(one).__name__, one.route_on) for name, one in program.named_predictors()] == [
        ("draft", "RoutedPredict", ("question",)),
        ("final.predict", "RoutedPredict", ("question",)),
    ]
    assert type(plain.draft) is dspy.Predict
    assert program(question="a hard one").answer.startswith("large heard")
    assert [entry.model for entry in server.ledger] == ["large", "large"]
    by_name = routed(plain, build(), on={"final.predict": "draft"})
    assert [one.route_on for _, one in by_name.named_predictors()] == [None, ("draft",)]
    assert type(routed(dspy.Predict("a -> b"), build(), on="a")) is RoutedPredict


WRONG: dict[str, tuple[Any, str]] = {
    "field": (
        lambda lm: RoutedPredict("question -> answer", lm, on="contxt"),
        "on must name input fields .* 'question'; got 'contxt'",
    ),
    "none": (lambda lm: RoutedPredict("question -> answer", lm, on=()), "got none"),
    "predictor": (
        lambda lm: routed(Answered(), lm, on={"final": "draft"}),
        "names the predictor 'final'; the program has 'draft', 'final.predict'",
    ),
    "input": (
        lambda lm: Routed(Answered(), lm, on="q")(question="x"),
        "route on 'q', but was called with 'question'",
    ),
    "router": (lambda _: Routed(Answered())(question="x"), "needs a RouterLM, its own or the settings'; got None"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_part_of_a_routed_program_is_named(build: Any, case: str) -> None:
    """A field, a predictor or a RouterLM that is missing is an error that names it and the choices."""
    make, message = WRONG[case]
    with dspy.context(lm=None), pytest.raises(ConfigError, match=message):
        make(build())


def asked(i: int) -> str:
    """Return the i-th question; their lengths differ."""
    return f"{'hard' if i % 2 else 'easy'} question x{'x' * i}"


async def check_told_apart(predictions: Sequence[Any], traces: list[Trace], server: ReplayServer) -> None:
    """Check that each prediction is the answer, the route and the cost of its own question."""
    costs = {trace.id: trace.cost_usd for trace in traces}
    used = {entry.request["messages"][-1]["content"]: entry for entry in server.ledger}
    assert len(costs) == len(used) == len(predictions)
    for i, prediction in enumerate(predictions):
        model, route = ("large" if i % 2 else "small"), route_of(prediction)
        assert prediction.answer == f"{model} heard {asked(i)}"
        assert (route["model"], route["answered_by"]) == (model, model)
        assert route["cost_usd"] == costs[route["trace_id"]]
        [entry] = [one for said, one in used.items() if f"\n{asked(i)}\n" in said]
        assert route["cost_usd"] == pytest.approx(entry.cost_usd, rel=1e-12)


async def test_hundreds_at_once_are_told_apart(build: Any, server: ReplayServer) -> None:
    """Of 500 calls in parallel, half of them threads and half tasks, each has its own answer, route, usage and cost."""
    traces: list[Trace] = []
    predictor = RoutedPredict("question -> answer", build(settings={"observers": [traces.append]}))
    pairs = [(predictor, dspy.Example(question=asked(i)).with_inputs("question")) for i in range(250)]
    parallel = dspy.Parallel(num_threads=16, disable_progress_bar=True)
    threads = await asyncio.to_thread(parallel, pairs)
    tasks = await asyncio.gather(*(predictor.acall(question=asked(i)) for i in range(250, 500)))
    await check_told_apart([*threads, *tasks], traces, server)


def test_evaluation_and_optimizers_take_routed_programs(build: Any) -> None:
    """dspy.Evaluate and BootstrapFewShot run a routed program; the demonstrations come, the routes stay."""
    data = [dspy.Example(question=f"{kind} {i}").with_inputs("question") for i in range(4) for kind in ("easy", "hard")]

    def metric(example: Any, prediction: Any, _trace: Any = None) -> bool:
        wanted = "large" if "hard" in example.question else "small"
        return prediction.answer == f"{wanted} heard {example.question}"

    program = RoutedPredict("question -> answer", build())
    assert dspy.Evaluate(devset=data, metric=metric, num_threads=4)(program).score == 100.0
    bootstrap = dspy.BootstrapFewShot(metric=metric, max_bootstrapped_demos=2, max_labeled_demos=0)
    tuned = bootstrap.compile(program, trainset=data)
    assert type(tuned) is RoutedPredict
    assert len(tuned.demos) == 2
    assert tuned.lm.lms is program.lm.lms
    assert dspy.Evaluate(devset=data, metric=metric, num_threads=4)(tuned).score == 100.0
