"""Calls: DSPy's programs get the chosen model's answer, and every book of DSPy's tells the same true story."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy
from dspy.clients.base_lm import GLOBAL_HISTORY

from dspy_router import Routed, RoutedPredict
from pointsman.testing.replay_server import ReplayServer
from pointsman.types import Trace

WAYS = ["sync", "async"]
QUESTIONS = {"an easy one": "small", "a hard one": "large"}


class Seen(dspy.utils.callback.BaseCallback):
    """Keeps which language models DSPy says were called."""

    def __init__(self) -> None:
        self.models: list[str] = []

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Keep the model's name."""
        self.models.append(instance.model)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_chosen_model_answers(build: Any, ask: Any, server: ReplayServer, way: str, question: str) -> None:
    """A program and a direct call reach the model that the router chose for the question, called or awaited."""
    lm, chosen = build(), QUESTIONS[question]
    with dspy.context(lm=lm):
        prediction = await ask(dspy.Predict("question -> answer"), way, question=question)
    assert prediction.answer == f"{chosen} heard {question}"
    assert await ask(lm, way, question) == [f"{chosen} heard {question}"]
    assert [entry.model for entry in server.ledger] == [chosen, chosen]


@pytest.mark.parametrize("way", WAYS)
async def test_all_books_agree(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """Tokens are counted once, under the candidate's name, alike by DSPy, the trace and the server; dollars too."""
    traces: list[Trace] = []
    lm = build(settings={"observers": [traces.append]})
    with dspy.context(lm=lm), dspy.track_usage() as usage:
        for question in QUESTIONS:
            await ask(dspy.Predict("question -> answer"), way, question=question)
    tracked = usage.get_total_tokens()
    assert list(tracked) == ["openai/small", "openai/large"]
    for entry, trace in zip(server.ledger, traces, strict=True):
        told = tracked[f"openai/{entry.model}"]
        assert (told["prompt_tokens"], told["completion_tokens"]) == (entry.input_tokens, entry.output_tokens)
        assert trace.response is not None
        assert trace.response.usage is not None
        assert trace.response.usage.input_tokens == entry.input_tokens
        assert trace.response.usage.output_tokens == entry.output_tokens
        assert trace.cost_usd == pytest.approx(entry.cost_usd, rel=1e-12)
        assert trace.cost_usd is not None
        assert trace.cost_usd > 0


@pytest.mark.parametrize("way", WAYS)
async def test_one_entry_for_each_call(build: Any, ask: Any, way: str) -> None:
    """The global history, the program's, the router's and the candidate's get the very same entry, once, with the record."""
    traces: list[Trace] = []
    lm, program = build(settings={"observers": [traces.append]}), dspy.Predict("question -> answer")
    before = len(GLOBAL_HISTORY)
    with dspy.context(lm=lm):
        await ask(program, way, question="a hard one")
    [entry] = lm.history
    assert [one is entry for one in (*GLOBAL_HISTORY[before:], *program.history, *lm.lms["large"].history)] == [
        True
    ] * 3
    assert not lm.lms["small"].history
    assert entry["model"] == "openai/large"
    assert entry["router"] == {
        "model": "large",
        "purpose": "answer",
        "propensity": 1.0,
        "excluded": {},
        "degraded": [],
        "trace_id": traces[0].id,
        "ended": "answered",
        "answered_by": "large",
        "tried": ["large"],
        "reason": "rule 1 applies",
        "cost_usd": traces[0].cost_usd,
    }


@pytest.mark.parametrize("way", WAYS)
async def test_one_event_for_each_call(build: Any, ask: Any, way: str) -> None:
    """DSPy's callbacks and those of the RouterLM each see one call, the candidate's."""
    overall, own = Seen(), Seen()
    lm = build(callbacks=[own])
    with dspy.context(lm=lm, callbacks=[overall]):
        await ask(dspy.Predict("question -> answer"), way, question="a hard one")
    assert overall.models == own.models == ["openai/large"]


async def check_attribution(lm: Any, traces: list[Trace], entries: list[Any], server: ReplayServer) -> None:
    """Check that each of the calls was answered, recorded and paid as itself."""
    assert {trace.query.text for trace in traces} == {asked(i) for i in range(50)}
    assert len(server.ledger) == len(entries) == 50
    by_id = {trace.id: trace for trace in traces}
    for entry in entries:
        trace = by_id.pop(entry["router"]["trace_id"])
        assert entry["outputs"] == [f"{entry['router']['model']} heard {trace.query.text}"]
        assert entry["router"]["model"] == ("large" if "hard" in trace.query.text else "small")
        assert trace.response is not None
        assert trace.response.usage is not None
        assert entry["usage"]["prompt_tokens"] == trace.response.usage.input_tokens == len(trace.query.text)
    assert sum(trace.cost_usd or 0.0 for trace in traces) == pytest.approx(server.cost_usd(), rel=1e-12)
    assert {name: len(one.history) for name, one in lm.lms.items()} == {"large": 25, "medium": 0, "small": 25}


def asked(i: int) -> str:
    """Return the i-th question; their lengths differ."""
    return f"{'hard' if i % 2 else 'easy'} question x{'x' * i}"


async def test_fifty_tasks_are_told_apart(build: Any, server: ReplayServer) -> None:
    """Fifty calls awaited at once each get their own answer, entry and cost."""
    traces: list[Trace] = []
    lm = build(settings={"observers": [traces.append]})
    outputs = await asyncio.gather(*(lm.acall(asked(i)) for i in range(50)))
    assert [text.partition(" heard ")[2] for (text,) in outputs] == [asked(i) for i in range(50)]
    await check_attribution(lm, traces, lm.history, server)


async def test_fifty_threads_are_told_apart(build: Any, server: ReplayServer) -> None:
    """Fifty calls from eight threads each get their own answer, entry and cost."""
    traces: list[Trace] = []
    lm = build(settings={"observers": [traces.append]})
    with ThreadPoolExecutor(max_workers=8) as threads:
        started = [threads.submit(copy_context().run, lm, asked(i)) for i in range(50)]
        outputs = [one.result() for one in started]
    assert [text.partition(" heard ")[2] for (text,) in outputs] == [asked(i) for i in range(50)]
    await check_attribution(lm, traces, lm.history, server)


def test_options_are_merged(build: Any, server: ReplayServer) -> None:
    """A call's own options win over the RouterLM's, and those over the candidates'; what is left open stays theirs."""
    lm = build(temperature=0.25, max_tokens=77)
    lm("hi", temperature=0.5)
    lm.copy(temperature=0.75, rollout_id=3)("hi")
    sent = [(entry.request["temperature"], entry.request["max_completion_tokens"]) for entry in server.ledger]
    assert sent == [(0.5, 77), (0.75, 77)]
    assert build().kwargs == {}


def test_the_question_is_what_the_user_said_last(build: Any, server: ReplayServer) -> None:
    """The last user message is routed on, whatever stands before it; a function given as `query` may know better."""
    messages = [{"role": "user", "content": "a hard one"}, {"role": "assistant", "content": "hm"}]
    with dspy.context(lm=build()):
        history = dspy.History(messages=[{"question": "a hard one", "answer": "hm"}])
        dspy.Predict("history: dspy.History, question -> answer")(history=history, question="an easy one")
    first = build(query=lambda turns: turns[0].text)
    first(messages=[*messages, {"role": "user", "content": "an easy one"}])
    build()(messages=messages)
    assert [entry.model for entry in server.ledger] == ["small", "large", "large"]


def test_images_and_tools_are_needs(build: Any, server: ReplayServer) -> None:
    """What is not text, and tools and formats, are needs that only declared abilities meet."""
    traces: list[Trace] = []
    lm = build(settings={"observers": [traces.append]})
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    lm(messages=[{"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]}])
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    lm("hi", tools=[tool], response_format={"type": "json_object"})
    assert traces[0].query.modalities == {"image"}
    assert traces[0].query.text == "What is it?"
    assert traces[1].query.required == {"tools", "structured_output"}
    assert server.ledger[0].request["messages"][0]["content"][1]["type"] == "image_url"


@pytest.mark.parametrize("way", WAYS)
async def test_a_caller_may_say_what_it_knows(build: Any, ask: Any, way: str) -> None:
    """The settings name the query's id and domain, for language models, predictors and modules alike; else an id is made."""
    traces: list[Trace] = []
    lm = build(settings={"observers": [traces.append]})
    for asked in (lm, RoutedPredict("question -> answer", lm), Routed(dspy.Predict("question -> answer"), lm)):
        given = {"question": "hi"} if isinstance(asked, dspy.Module) else {"prompt": "hi"}
        with dspy.context(router_query_id="q7", router_domain="law"):
            await ask(asked, way, **given)
        await ask(asked, way, **given)
    assert [(trace.query.id, trace.query.domain) for trace in traces[::2]] == [("q7", "law")] * 3
    assert len({trace.query.id for trace in traces[1::2]} - {"", "q7"}) == 3
    assert {trace.query.domain for trace in traces[1::2]} == {None}


def test_parallel_calls_know_what_their_own_block_says(build: Any) -> None:
    """What is said in one thread of DSPy's holds there, and what was said outside holds in all."""
    traces: list[Trace] = []
    predict = RoutedPredict("question -> answer", build(settings={"observers": [traces.append]}))

    class Numbered(dspy.Module):
        def forward(self, number: int) -> Any:
            with dspy.context(router_query_id=f"q{number}"):
                return predict(question=f"question {number}")

    with dspy.context(router_domain="law"):
        dspy.Parallel(num_threads=4)([(Numbered(), {"number": number}) for number in range(8)])
    known = {(trace.query.id, trace.query.text, trace.query.domain) for trace in traces}
    assert known == {(f"q{number}", f"question {number}", "law") for number in range(8)}
