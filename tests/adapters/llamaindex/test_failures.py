"""Failures: what another model may mend goes down the ranking, and the rest surfaces as the provider's own."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

pytest.importorskip("llama_index.llms.openai_like", reason="llama-index is not installed")

import openai
from llama_index.core.llms import ChatMessage
from llama_index.core.llms.mock import MockLLM
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel, Field

from llamaindex_router import RouterDecisionEvent
from llamaindex_router.failures import call_error
from pointsman.budgets import Budget
from pointsman.dispatch import Retry
from pointsman.errors import BudgetExceededError
from pointsman.testing.replay_server import Fault, Recorded, ReplayServer
from pointsman.types import Trace

WAYS = ("sync", "async", "stream", "astream")
FAULTS = {
    "429": Fault(model="small", status=429, retry_after=0.01),
    "500": Fault(model="small", status=500),
    "dropped connection": Fault(model="small", drop=True),
    "timeout": Fault(model="small", hang=True),
}
HI = [ChatMessage(role="user", content="hi")]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_next_model_answers(
    build: Any, ask: Any, client: Any, server: ReplayServer, fault: str, way: str
) -> None:
    """Overload, server errors, lost connections and timeouts go to the next model, however the call is made."""
    server.fail(FAULTS[fault])
    impatient = client("small", timeout=0.5) if fault == "timeout" else client("small")
    llm = build({"small": impatient, "medium": client("medium"), "large": client("large")})
    response = await ask(llm, way, HI)
    record = response.additional_kwargs["router"]
    assert response.message.content == "medium heard 2 characters"
    assert (record["tried"], record["model"]) == (["small", "medium"], "medium")
    assert "after small: " in record["reason"]
    if fault in {"429", "500"}:
        assert record["total_usage"]["total_tokens"] == 10
        assert record["cost_usd"] == pytest.approx(server.cost_usd())
    else:  # a call that was cut off may have been billed
        assert (record["total_usage"], record["cost_usd"]) == (None, None)


@pytest.mark.parametrize("way", WAYS)
async def test_the_providers_own_error_surfaces(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """When nothing is left to try, the last provider's exception is raised, with a note on all that was tried."""
    server.fail(Fault(status=429, count=2), Fault(status=503, count=None))
    with pytest.raises(openai.InternalServerError) as caught:
        await ask(build(), way, HI)
    assert caught.value.status_code == 503
    [note] = caught.value.__notes__
    assert note.startswith("All models failed: small: ")
    assert [entry.model for entry in server.ledger] == ["small", "medium", "large"]
    assert "CallError" not in "".join(traceback.format_exception(caught.value)).replace(note, "")


@pytest.mark.parametrize("way", WAYS)
async def test_failed_calls_are_told_of(build: Any, ask: Any, server: ReplayServer, heard: Any, way: str) -> None:
    """A call that failed everywhere sends its event too, with what was tried."""
    server.fail(Fault(status=503, count=None))
    with pytest.raises(openai.InternalServerError):
        await ask(build(), way, HI)
    [event] = [event for event in heard if isinstance(event, RouterDecisionEvent)]
    assert (event.ended, event.model, event.tried) == ("failed", None, ["small", "medium", "large"])


class Buggy(MockLLM):
    """A candidate whose code has a bug."""

    def chat(self, *_: Any, **__: Any) -> Any:
        """Fail."""
        raise ValueError("a bug, not the provider")

    stream_chat = chat

    async def achat(self, *_: Any, **__: Any) -> Any:
        """Fail."""
        raise ValueError("a bug, not the provider")

    astream_chat = achat


@pytest.mark.parametrize("way", WAYS)
async def test_a_bug_is_not_swallowed(build: Any, ask: Any, client: Any, server: ReplayServer, way: str) -> None:
    """An exception that is no provider's error goes straight up, and no other model hides it."""
    traces: list[Trace] = []
    models = {"small": Buggy(), "medium": client("medium"), "large": client("large")}
    with pytest.raises(ValueError, match="a bug, not the provider"):
        await ask(build(models, observers=[traces.append]), way, HI)
    assert server.ledger == ()
    assert [trace.ended for trace in traces] == ["failed"]


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_no_other_model_after_the_first_token(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """A stream that breaks once something was shown raises; the answer is never begun anew by another model."""
    server.fail(Fault(model="small", after_tokens=2))
    seen: list[Any] = []
    traces: list[Trace] = []
    with pytest.raises(Exception, match=r"[Cc]onnection"):
        await ask(build(observers=[traces.append]), way, HI, seen=seen)
    assert "".join(piece.delta or "" for piece in seen) == "small he"
    assert [entry.model for entry in server.ledger] == ["small"]
    assert [trace.ended for trace in traces] == ["failed"]
    assert traces[0].cost_usd is None


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_is_left_is_recorded(build: Any, heard: Any, way: str) -> None:
    """A stream closed early ends its call as cancelled, with an event, and what it cost is unknown."""
    traces: list[Trace] = []
    llm = build(observers=[traces.append])
    if way == "stream":
        pieces = llm.stream_chat(HI)
        next(pieces)
        pieces.close()
    else:
        apieces = await llm.astream_chat(HI)
        await anext(apieces)
        await apieces.aclose()
    assert [trace.ended for trace in traces] == ["cancelled"]
    [event] = [event for event in heard if isinstance(event, RouterDecisionEvent)]
    assert (event.ended, event.cost_usd) == ("cancelled", None)


def test_retry_and_deadline_are_the_dispatchers(build: Any, server: ReplayServer) -> None:
    """`retry` repeats a call before the model is changed; a model that outlives `deadline_s` is left."""
    server.fail(Fault(model="small", status=429, retry_after=0.01))
    llm = build(retry=Retry(attempts=2, base_s=0.01))
    assert llm.chat(HI).additional_kwargs["router"]["tried"] == ["small"]
    assert [entry.model for entry in server.ledger] == ["small", "small"]
    server.fail(Fault(model="small", hang=True))
    late = build(deadline_s=2.0).chat(HI).additional_kwargs["router"]
    assert late["tried"] == ["small", "medium"]


def test_a_spent_budget_is_the_cores_error(build: Any) -> None:
    """What no provider refused is raised as it is, and nothing is called."""
    budget = Budget(1e-9)
    with pytest.raises(BudgetExceededError):
        build(budget=budget).chat(HI)
    assert budget.spent_usd == 0


class Year(BaseModel):
    """A year that no answer of the server can be."""

    year: int = Field(gt=5000)


@pytest.mark.parametrize("way", ["sync", "async"])
async def test_an_answer_that_cannot_be_read_is_paid(ask: Any, build: Any, client: Any, way: str) -> None:
    """When only the reading fails, the error is the reader's, the call is paid, and no other model is asked."""
    traces: list[Trace] = []
    prices = {"large": (10.0, 40.0), "medium": (2.0, 8.0), "small": (0.5, 1.5)}
    with ReplayServer(
        {}, default=lambda *_: Recorded(text='{"year": 7}', input_tokens=30, output_tokens=6), prices=prices
    ) as server:
        models = {name: client(name, api_base=server.url, should_use_structured_outputs=True) for name in prices}
        if "should_use_structured_outputs" not in type(models["small"]).model_fields:
            pytest.skip("this client cannot read an object out of a text itself")
        llm = build(models, observers=[traces.append])
        with pytest.raises(ValueError, match="greater than 5000"):
            await ask(llm, way, (Year, PromptTemplate("{query_str}")), endpoint="structured_predict", query_str="when?")
        assert len(server.ledger) == 1
        assert [step.cost_usd for trace in traces for step in trace.steps] == [pytest.approx(server.cost_usd())]


def test_what_is_a_failure() -> None:
    """Status and name decide: a refusal for now is retryable, a wrong request is not, and a bug is none at all."""
    busy, wrong = TimeoutError("slow"), ValueError("x")
    assert (call_error("m", busy) or wrong).retryable  # type: ignore[union-attr]
    assert call_error("m", wrong) is None
    wrong.status_code = 401  # type: ignore[attr-defined]
    refused = call_error("m", wrong)
    assert refused is not None
    assert (refused.retryable, refused.status, refused.interrupted) == (False, 401, False)
