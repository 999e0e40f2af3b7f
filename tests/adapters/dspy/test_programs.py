"""Programs: what DSPy's modules, optimizers and caches do to a language model, and plans that ask more than one."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy
from dspy.utils import exceptions

from pointsman.errors import ConfigError
from pointsman.flow import Plan, embed
from pointsman.flow import ask as asking
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.testing.replay_server import Fault, ReplayServer
from pointsman.types import Answer, Call, Context, Decision, Embed, Message, Query, Trace, Usage

WAYS = ["sync", "async"]
NAMES = ("large", "medium", "small")


class Plain(Router):
    """Decides for the small model."""

    @property
    def models(self) -> ModelPool:
        """The three models."""
        return ModelPool(NAMES)

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Decide."""
        return Decision(model="small", ranking=("small",))


class Judged(Plain):
    """Lets the small model draft and the medium one judge, and shows what the large one answers."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Draft, judge, answer."""
        draft = yield from asking(Call(model="small", params={"temperature": 0.2}, purpose="draft"))
        judge = (Message(role="user", content=f"Is this right? {draft.text}"),)
        verdict = yield from asking(Call(model="medium", messages=judge, params={"temperature": 0.0}, purpose="judge"))
        final = yield from asking(Call(model="large", stream=True))
        return Answer.of(final, reason=verdict.text)


class Joined(Plain):
    """Asks two models at once and answers with both texts."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Ask both."""
        both = yield (Call(model="small"), Call(model="large"))
        texts = [getattr(outcome, "text", "") for outcome in both]
        return Answer(content=" + ".join(texts), support=tuple(getattr(outcome, "step", ()) for outcome in both))


class Embedded(Plain):
    """Decides by the greatest coordinate of an embedding that it asks for."""

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Embed, then call."""
        (vector,) = yield from embed(Embed(embedder="mine", texts=(query.text,)))
        return Answer.of((yield from asking(Call(model=NAMES[int(np.argmax(vector))]))))


def mine(texts: Sequence[str]) -> np.ndarray[Any, Any]:
    """Embed texts by which model they name."""
    return np.array([[float(name in text) for name in NAMES] for text in texts])


@pytest.mark.parametrize("way", WAYS)
async def test_a_longer_plan_is_paid_and_recorded(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """Drafts and judges are called, entered and counted like any call; a plan's options win, and a judge gets no others."""
    lm = build(router=Judged(), temperature=0.5, stop=["END"])
    with dspy.track_usage() as usage:
        assert await ask(lm, way, "hi") == ["large heard hi"]
    assert [entry.model for entry in server.ledger] == ["small", "medium", "large"]
    assert [entry.request.get("temperature") for entry in server.ledger] == [0.2, 0.0, 0.5]
    assert [entry.request.get("stop") for entry in server.ledger] == [["END"], None, ["END"]]
    assert server.ledger[1].request["messages"][0]["content"] == "Is this right? small heard hi"
    assert sorted(usage.get_total_tokens()) == ["openai/large", "openai/medium", "openai/small"]
    assert [entry["router"]["purpose"] for entry in lm.history] == ["draft", "judge", "answer"]
    assert {entry["router"]["answered_by"] for entry in lm.history} == {"large"}
    assert {tuple(entry["router"]["tried"]) for entry in lm.history} == {("small", "large")}


def test_paid_drafts_of_a_failed_run_say_so(build: Any, server: ReplayServer) -> None:
    """When a run fails after some calls were answered, their entries tell that it did, and what it cost."""
    server.fail(Fault(model="large", status=400))
    traces: list[Trace] = []
    lm = build(router=Judged(), settings={"observers": [traces.append]})
    with pytest.raises(exceptions.LMInvalidRequestError):
        lm("hi")
    assert [entry["router"]["ended"] for entry in lm.history] == ["failed", "failed"]
    assert {entry["router"]["trace_id"] for entry in lm.history} == {traces[0].id}
    assert {entry["router"]["answered_by"] for entry in lm.history} == {None}


async def test_drafts_are_not_streamed(build: Any, server: ReplayServer) -> None:
    """Of a longer plan only the final answer streams: drafts and judges never reach the user."""
    listener = dspy.streaming.StreamListener("answer")
    program = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener])
    with dspy.context(lm=build(router=Judged())):
        *chunks, prediction = [item async for item in program(question="hi")]
    assert "".join(chunk.chunk for chunk in chunks).strip() == prediction.answer == "large heard hi"
    assert [entry.streamed for entry in server.ledger] == [False, False, True]


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_made_of_several_comes_out_in_their_form(build: Any, ask: Any, way: str) -> None:
    """A content of the plan's own is a list with one text, or for a Request a Response with that text."""
    lm = build(router=Joined())
    joined = "small heard hi + large heard hi"
    assert await ask(lm, way, "hi") == [joined]
    request = dspy.lm15.Request(model=lm.model, messages=(dspy.lm15.Message.user("hi"),))
    assert (await ask(lm, way, request)).text == joined


@pytest.mark.parametrize("way", WAYS)
async def test_embeddings_are_computed(build: Any, ask: Any, way: str) -> None:
    """A router that asks for vectors gets them from the embedder of that name, and says so when there is none."""
    lm = build(router=Embedded(), embedders={"mine": dspy.Embedder(mine)})
    assert await ask(lm, way, "use medium") == ["medium heard use medium"]
    with pytest.raises(ConfigError, match="asks for the embedder 'mine'; embedders has none"):
        await ask(build(router=Embedded()), way, "hi")


@pytest.mark.parametrize("way", WAYS)
async def test_a_request_is_routed(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """A typed Request keeps its options, is sent under the chosen candidate's name, and returns its Response."""
    lm = build(temperature=0.9)
    user = dspy.lm15.Message.user
    turns = (user("an easy one"), dspy.lm15.Message.assistant("ok"), user("a hard one"))
    request = dspy.lm15.Request(model=lm.model, messages=turns, config=dspy.lm15.Config(temperature=0.1))
    response = await ask(lm, way, request)
    assert response.text == "large heard a hard one"
    assert server.ledger[0].request["temperature"] == 0.1
    assert (await ask(lm, way, request=request)).text == "large heard a hard one"
    with pytest.raises(ValueError, match="The model of a Request to this RouterLM is 'pointsman/router', not 'x'"):
        await ask(lm, way, replace(request, model="x"))


@pytest.mark.parametrize("way", WAYS)
async def test_cached_answers_are_free(build: Any, ask: Any, client: Any, server: ReplayServer, way: str) -> None:
    """DSPy's cache answers a repeated call at no cost; another rollout, and a RouterLM without cache, ask again."""
    traces: list[Trace] = []
    lm = build({name: client(name, cache=True) for name in NAMES}, settings={"observers": [traces.append]})
    question = f"cached {way}?"
    with dspy.track_usage() as usage:
        assert await ask(lm, way, question) == await ask(lm, way, question)
    assert len(server.ledger) == 1
    assert usage.get_total_tokens()["openai/small"]["prompt_tokens"] == server.ledger[0].input_tokens
    assert [trace.cost_usd for trace in traces] == [pytest.approx(server.cost_usd()), 0.0]
    assert [trace.response and trace.response.usage for trace in traces][1] == Usage(input_tokens=0, output_tokens=0)
    await ask(lm.copy(rollout_id=1, temperature=1.0), way, question)
    assert len(server.ledger) == 2
    lm.cache = False
    await ask(lm, way, question)
    assert len(server.ledger) == 3


def test_cached_answers_are_free_at_any_price(build: Any, client: Any) -> None:
    """Where nobody knows a model's price, its answer costs an unknown amount, and the same out of the cache nothing."""
    traces: list[Trace] = []
    lms = {name: client(name, cache=True) for name in NAMES}
    lm = build(lms, router=Plain(), settings={"observers": [traces.append]})
    for _ in range(2):
        lm("a question of its own")
    assert [trace.cost_usd for trace in traces] == [None, 0.0]


def test_copies_share_what_matters(build: Any) -> None:
    """Copies share candidates and dispatcher, and have histories and options of their own."""
    lm = build(temperature=0.5)
    lm("hi")
    for twin, entries in ((lm.copy(temperature=0.7), 0), (copy.copy(lm).copy(), 0), (copy.deepcopy(lm), 1)):
        assert twin.lms is lm.lms
        assert twin.dispatcher is lm.dispatcher
        assert len(twin.history) == entries
        twin("ho")
        assert len(twin.history) == entries + 1
    assert len(lm.history) == 1
    assert lm.kwargs == {"temperature": 0.5}


def test_programs_are_copied_with_it(build: Any) -> None:
    """An optimizer's deep copy of a program keeps the RouterLM, sharing its candidates."""
    program, lm = dspy.ChainOfThought("question -> answer"), build()
    program.set_lm(lm)
    twin = program.deepcopy()
    assert twin.predictors()[0].lm.lms is lm.lms
    assert twin(question="a hard one").answer.startswith("large heard")


def test_what_a_file_cannot_hold_is_not_saved(build: Any, tmp_path: Path) -> None:
    """A RouterLM with a dispatcher of its own says what to save instead."""
    program = dspy.Predict("question -> answer")
    program.set_lm(build())
    for save in (lambda: program.save(tmp_path / "program.json"), lambda: pickle.dumps(program.lm), program.dump_state):
        with pytest.raises(
            ConfigError, match=r"a 'dispatcher' of its own is not saved .* the router by pointsman\.save"
        ):
            save()
    program.set_lm(None)
    program.save(tmp_path / "program.json")
    assert "secret-key" not in json.dumps(json.loads((tmp_path / "program.json").read_text(encoding="utf-8")))


class Able(dspy.LM):
    """A language model that says what it can do."""

    def __init__(self, *abilities: str, params: Sequence[str] = ()) -> None:
        super().__init__("openai/able")
        self.abilities, self.params = abilities, set(params)

    @property
    def supports_function_calling(self) -> bool:
        """Tell."""
        return "tools" in self.abilities

    @property
    def supports_reasoning(self) -> bool:
        """Tell."""
        return "reasoning" in self.abilities

    @property
    def supports_response_schema(self) -> bool:
        """Tell."""
        return "schema" in self.abilities

    @property
    def supported_params(self) -> set[str]:
        """Tell."""
        return self.params


def test_it_can_what_all_can(build: Any) -> None:
    """DSPy may plan on what every candidate can do, and on nothing else."""
    lm = build(
        {
            "large": Able("tools", "schema", "reasoning", params=("tools", "seed")),
            "medium": Able("tools", "schema", params=("tools", "stop")),
            "small": Able("tools", params=("tools", "seed", "stop")),
        }
    )
    assert lm.supports_function_calling
    assert not lm.supports_response_schema
    assert not lm.supports_reasoning
    assert lm.supported_params == {"tools"}


def test_optimizers_and_evaluation_run(build: Any) -> None:
    """Bootstrapping, evaluating in threads, and several completions at once work as with any language model."""
    data = [dspy.Example(question=f"{kind} {i}").with_inputs("question") for i in range(4) for kind in ("easy", "hard")]

    def metric(example: Any, prediction: Any, _trace: Any = None) -> bool:
        wanted = "large" if "hard" in example.question else "small"
        return prediction.answer == f"{wanted} heard {example.question}"

    with dspy.context(lm=build()):
        score = dspy.Evaluate(devset=data, metric=metric, num_threads=4)(dspy.Predict("question -> answer")).score
        tuned = dspy.BootstrapFewShot(metric=metric, max_bootstrapped_demos=2, max_labeled_demos=0).compile(
            dspy.Predict("question -> answer"), trainset=data
        )
    assert score == 100.0
    assert len(tuned.demos) == 2
    assert build()("hi", n=2) == ["small heard hi", "small heard hi"]


def test_without_history_the_usage_is_unknown(build: Any) -> None:
    """Where DSPy keeps no history, calls work, and what they used is unknown rather than nothing."""
    traces: list[Trace] = []
    with dspy.context(disable_history=True):
        assert build(settings={"observers": [traces.append]})("hi") == ["small heard hi"]
    assert traces[0].response is not None
    assert (traces[0].response.usage, traces[0].cost_usd) == (None, None)


def test_histories_do_not_grow_without_end(build: Any) -> None:
    """DSPy's limit on histories holds for the RouterLM's and the candidates' too."""
    lm = build()
    with dspy.context(max_history_size=2):
        for i in range(4):
            lm(f"question {i}")
    assert [entry["prompt"] for entry in lm.history] == ["question 2", "question 3"]
    assert len(lm.lms["small"].history) == 2


@pytest.mark.parametrize("way", WAYS)
async def test_other_adapters_work(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """The adapter that asks for JSON gets it from the chosen model."""
    signature = dspy.Signature("question -> label: Literal['yes', 'no']")
    with dspy.context(lm=build(), adapter=dspy.JSONAdapter()):
        prediction = await ask(dspy.Predict(signature), way, question="a hard one")
    assert prediction.label == "yes"
    assert {entry.model for entry in server.ledger} == {"large"}


async def test_a_deadline_moves_on(build: Any, server: ReplayServer) -> None:
    """A model that outlives the dispatcher's deadline is given up for the next one, called or awaited."""
    lm = build(settings={"deadline_s": 2.0})  # which the next one must keep to as well, on a slow machine too
    for way in WAYS:
        server.fail(Fault(model="small", hang=True))
        outputs = await lm.acall("hi") if way == "async" else await asyncio.to_thread(lm, "hi")
        assert outputs == ["medium heard hi"]
