"""Failures: what another model may mend goes down the ranking, and the rest surfaces as the provider's own."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import openai
import pytest
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from pointsman.budgets import Budget
from pointsman.dispatch import Retry
from pointsman.errors import BudgetExceededError, NoEligibleModelError
from pointsman.testing.replay_server import Fault, Recorded, ReplayServer
from pointsman.types import CallError, Response, Trace

FAULTS = {
    "429": Fault(model="small", status=429, retry_after=0.01),
    "500": Fault(model="small", status=500),
    "dropped connection": Fault(model="small", drop=True),
    "timeout": Fault(model="small", hang=True),
}


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_next_model_answers(
    build: Any, ask: Any, client: Any, server: ReplayServer, fault: str, way: str
) -> None:
    """Overload, server errors, lost connections and timeouts go to the next model, however the call is made."""
    server.fail(FAULTS[fault])
    impatient = client("small", timeout=0.3) if fault == "timeout" else client("small")
    llm = build({"small": impatient, "medium": client("medium"), "large": client("large")})
    result = await ask(llm, way, "hi")
    record = result.response_metadata["router"]
    assert result.text == "medium heard 1 messages"
    assert record["tried"] == ["small", "medium"]
    assert record["model"] == "medium"
    assert "after small: " in record["reason"]
    assert [entry.model for entry in server.ledger] == ["small", "medium"]
    if fault in {"429", "500"}:
        assert record["total_usage"]["total_tokens"] == 18
        assert record["cost_usd"] == pytest.approx(server.cost_usd())
    else:  # a call that was cut off may have been billed
        assert (record["total_usage"], record["cost_usd"]) == (None, None)


def test_bad_request_is_nobody_elses(build: Any, server: ReplayServer) -> None:
    """A request that the provider calls wrong is not sent anywhere else, and raises the provider's own error."""
    server.fail(Fault(status=400))
    with pytest.raises(openai.BadRequestError):
        build().invoke("hi")
    assert [entry.model for entry in server.ledger] == ["small"]


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_providers_own_error_surfaces(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """When nothing is left to try, the last provider's exception is raised, with a note on all that was tried."""
    server.fail(Fault(status=429, count=2), Fault(status=503, count=None))
    with pytest.raises(openai.InternalServerError) as caught:
        await ask(build(), way, "hi")
    assert caught.value.status_code == 503
    [note] = caught.value.__notes__
    assert note.startswith("All models failed: small: ")
    assert note.count("RateLimitError: Error code: 429") == 2
    assert [entry.model for entry in server.ledger] == ["small", "medium", "large"]
    assert "CallError" not in "".join(traceback.format_exception(caught.value)).replace(note, "")


def test_retry_asks_the_same_model_again(build: Any, server: ReplayServer) -> None:
    """`retry` and LangChain's `max_retries` repeat a call before the model is changed, and pay for nothing twice."""
    for settings in ({"retry": Retry(attempts=2, base_s=0.01)}, {"max_retries": 1, "timeout": 30}):
        server.fail(Fault(model="small", status=429, retry_after=0.01))
        record = build(**settings).invoke("hi").response_metadata["router"]
        assert record["tried"] == ["small"]
        assert record["total_usage"]["total_tokens"] == 18
    assert [entry.model for entry in server.ledger] == ["small"] * 4


def test_deadline_gives_a_model_up(build: Any, server: ReplayServer) -> None:
    """A model that outlives `deadline_s` is left, and its bill is unknown, not zero."""
    server.fail(Fault(model="small", hang=True))
    record = build(deadline_s=2.0).invoke("hi").response_metadata["router"]
    assert record["tried"] == ["small", "medium"]
    assert (record["cost_usd"], record["total_usage"]) == (None, None)


class Buggy(GenericFakeChatModel):
    """A candidate whose code has a bug."""

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise ValueError("a bug, not the provider")


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_bug_is_not_swallowed(build: Any, ask: Any, client: Any, server: ReplayServer, way: str) -> None:
    """An exception that is no provider's error goes straight up, and no other model hides it."""
    models = {"small": Buggy(messages=iter(())), "medium": client("medium"), "large": client("large")}
    traces: list[Trace] = []
    with pytest.raises(ValueError, match="a bug, not the provider"):
        await ask(build(models, observers=[traces.append]), way, "hi")
    assert server.ledger == ()
    assert [trace.ended for trace in traces] == ["failed"]


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_no_other_model_after_the_first_token(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """A stream that breaks once something was shown raises; the answer is never begun anew by another model."""
    server.fail(Fault(model="small", after_tokens=2))
    shown: list[AIMessageChunk] = []
    traces: list[Trace] = []
    with pytest.raises((openai.APIConnectionError, httpx.RemoteProtocolError)):  # by the version of langchain-openai
        await ask(build(observers=[traces.append]), way, "hi", seen=shown)
    assert "".join(chunk.text for chunk in shown) == "small he"
    assert [entry.model for entry in server.ledger] == ["small"]
    [trace] = traces
    [step] = trace.steps
    assert isinstance(step.outcome, CallError)
    assert step.outcome.emitted > 0
    assert step.cost_usd is None


class Framed(FakeListChatModel):
    """A candidate that sends an empty frame, as many providers do, before its stream breaks."""

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk(content=""))
        raise ConnectionError("gone")

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk(content=""))
        raise ConnectionError("gone")


async def test_an_empty_frame_is_not_a_token(build: Any, ask: Any, client: Any) -> None:
    """A failure after a chunk that shows nothing still goes to the next model, and that chunk never shows."""
    llm = build({"small": Framed(responses=[""]), "medium": client("medium"), "large": client("large")})
    for way in ("stream", "astream"):
        answer = await ask(llm, way, "hi")
        assert answer.text == "medium heard 1 messages"
        assert answer.response_metadata["router"]["tried"] == ["small", "medium"]


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_stream_left_early_is_accounted(build: Any, client: Any, way: str) -> None:
    """Leaving a stream closes the connection under it; its trace ends as cancelled, and its money as unknown."""
    slow = Recorded(text="a word at a time " * 20, latency_s=5)
    traces: list[Trace] = []
    with ReplayServer({(name, "story"): slow for name in ("small", "medium", "large")}) as server:
        models = {name: client(name, base_url=server.url) for name in ("small", "medium", "large")}
        llm = build(models, observers=[traces.append])
        if way == "stream":
            chunks = llm.stream("story")
            next(chunks)
            chunks.close()
        else:
            achunks = llm.astream("story")
            await anext(achunks)
            await achunks.aclose()
        [trace] = traces
        [entry] = server.ledger
    assert trace.ended == "cancelled"
    [step] = trace.steps
    assert isinstance(step.outcome, CallError)
    assert step.outcome.interrupted
    assert (step.cost_usd, trace.cost_usd) == (None, None)
    assert not entry.completed


async def test_cancelled_call_is_accounted(build: Any, server: ReplayServer) -> None:
    """A task that is cancelled ends its trace as cancelled; its money is unknown and stays set aside."""
    server.fail(Fault(model="small", hang=True))
    traces: list[Trace] = []
    budget = Budget(1.0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(build(observers=[traces.append], budget=budget).ainvoke("hi"), timeout=0.2)
    [trace] = traces
    assert (trace.ended, trace.cost_usd) == ("cancelled", None)
    assert budget.reserved_usd > 0
    assert [entry.model for entry in server.ledger] == ["small"]


def test_spent_budget_is_the_cores_error(build: Any, server: ReplayServer) -> None:
    """Where no provider failed, the core's own error is raised, and nothing is called."""
    with pytest.raises(BudgetExceededError):
        build(budget=Budget(1e-9)).invoke("hi")
    assert server.ledger == ()


def test_no_eligible_model_says_why(build: Any) -> None:
    """A request nobody can serve raises NoEligibleModelError with a reason for each model."""
    with pytest.raises(NoEligibleModelError) as caught:
        build({name: _toolless() for name in ("small", "medium", "large")}).bind_tools([str]).invoke("hi")
    assert set(caught.value.reasons) == {"large", "medium", "small"}
    assert caught.value.reasons["small"] == "unavailable: its profile rules out tools"


def _toolless() -> FakeListChatModel:
    return FakeListChatModel(responses=["x"], profile={"tool_calling": False})


def test_observers_see_what_failed(build: Any, server: ReplayServer) -> None:
    """Observers get the trace of a call with every attempt and its money: a refused one costs nothing."""
    server.fail(Fault(model="small", status=500))
    traces: list[Trace] = []
    build(observers=[traces.append]).invoke("hi")
    [trace] = traces
    refused, answered = trace.steps
    assert (refused.cost_usd, refused.outcome.status) == (0.0, 500)  # type: ignore[union-attr]
    assert isinstance(answered.outcome, Response)
    assert answered.outcome.served_model == "medium"
    assert trace.cost_usd == answered.cost_usd == pytest.approx((11 * 2 + 7 * 8) / 1e6)
