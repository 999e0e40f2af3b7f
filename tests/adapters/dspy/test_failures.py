"""Failures: what another model may mend goes down the ranking, and the rest surfaces as DSPy's own error."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

import pytest

pytest.importorskip("dspy", reason="dspy is not installed")

import dspy
from dspy.utils import exceptions

from dspy_router.failures import call_error
from pointsman.budgets import Budget
from pointsman.dispatch import Retry
from pointsman.errors import BudgetExceededError, PointsmanError
from pointsman.testing.replay_server import Fault, ReplayServer
from pointsman.types import CallError, Trace

WAYS = ["sync", "async"]
FAULTS = {
    "429": Fault(model="small", status=429),
    "500": Fault(model="small", status=500),
    "dropped connection": Fault(model="small", drop=True),
    "timeout": Fault(model="small", hang=True),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_the_next_model_answers(
    build: Any, ask: Any, client: Any, server: ReplayServer, fault: str, way: str
) -> None:
    """Overload, server errors, lost connections and time-outs go to the next model, and what may be billed is unknown."""
    server.fail(FAULTS[fault])
    traces: list[Trace] = []
    lms = {"small": client("small", timeout=0.5)} | {name: client(name) for name in ("medium", "large")}
    lm = build(lms, settings={"observers": [traces.append]})
    with dspy.context(lm=lm), dspy.track_usage() as usage:
        prediction = await ask(dspy.Predict("question -> answer"), way, question="hi")
    assert prediction.answer == "medium heard hi"
    assert list(usage.get_total_tokens()) == ["openai/medium"]
    [entry] = lm.history
    assert entry["router"]["tried"] == ["small", "medium"]
    assert "after small: " in entry["router"]["reason"]
    assert [entry.model for entry in server.ledger] == ["small", "medium"]
    cost = server.cost_usd() if fault in {"429", "500"} else None
    assert traces[0].cost_usd == (None if cost is None else pytest.approx(cost))


def test_what_was_never_sent_costs_nothing(build: Any, client: Any, server: ReplayServer) -> None:
    """A connection that is refused bills nothing, so the cost of the run is that of the next model's answer."""
    lms = {name: client(name) for name in ("medium", "large")} | {
        "small": client("small", api_base="http://127.0.0.1:9/v1")
    }
    lm = build(lms)
    assert lm("hi") == ["medium heard hi"]
    assert lm.history[0]["router"]["cost_usd"] == pytest.approx(server.cost_usd())


@pytest.mark.parametrize("way", WAYS)
async def test_a_bad_request_is_nobody_elses(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """What the provider calls wrong is not sent anywhere else, and raises DSPy's own error for it."""
    server.fail(Fault(status=400))
    with pytest.raises(exceptions.LMInvalidRequestError):
        await ask(build(), way, "hi")
    assert [entry.model for entry in server.ledger] == ["small"]


def test_an_unreadable_reply_may_be_billed(build: Any, server: ReplayServer) -> None:
    """A reply that breaks off is no reason to ask another model, and what it costs is unknown."""
    server.fail(Fault(malformed=True))
    traces: list[Trace] = []
    with pytest.raises(exceptions.LMProviderError):
        build(settings={"observers": [traces.append]})("hi")
    assert (traces[0].ended, traces[0].cost_usd) == ("failed", None)


@pytest.mark.parametrize("way", WAYS)
async def test_the_providers_own_error_surfaces(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """When nothing is left to try, the last model's exception is raised, with a note on all that was tried."""
    server.fail(Fault(status=429, count=2), Fault(status=503, count=None))
    with pytest.raises(exceptions.LMServerError) as caught:
        await ask(build(), way, "hi")
    [note] = caught.value.__notes__
    assert note.startswith("All models failed: small: ")
    assert note.count("LMRateLimitError") == 2
    assert [entry.model for entry in server.ledger] == ["small", "medium", "large"]
    assert not isinstance(caught.value.__context__, PointsmanError)
    assert "CallError" not in "".join(traceback.format_exception(caught.value)).replace(note, "")


class Broken(dspy.LM):
    """A language model with a bug."""

    def copy(self, **kwargs: Any) -> Any:
        """Break."""
        raise ZeroDivisionError("a bug")


def test_a_bug_is_not_mended(build: Any, client: Any, server: ReplayServer) -> None:
    """An error that no provider raised propagates as it is: no other model hides it."""
    lms = {name: client(name) for name in ("medium", "large")} | {"small": Broken("openai/small")}
    with pytest.raises(ZeroDivisionError):
        build(lms)("hi")
    assert not server.ledger


def test_the_dispatcher_retries(build: Any, server: ReplayServer) -> None:
    """A dispatcher's retry repeats a call before the model is changed."""
    server.fail(Fault(model="small", status=429, retry_after=0.01))
    lm = build(settings={"retry": Retry(attempts=2, base_s=0.01)})
    assert lm("hi") == ["small heard hi"]
    assert lm.history[0]["router"]["tried"] == ["small"]
    assert [entry.model for entry in server.ledger] == ["small", "small"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_budget_is_kept(build: Any, ask: Any, server: ReplayServer, way: str) -> None:
    """Answers are paid from the dispatcher's budget, and a spent one asks no model."""
    budget = Budget(0.01)
    lm = build(settings={"budget": budget}, max_tokens=20)
    await ask(lm, way, "hi")
    assert budget.spent_usd == pytest.approx(server.cost_usd(), rel=1e-12)
    poor = build(settings={"budget": Budget(1e-9)}, max_tokens=20)
    with pytest.raises(BudgetExceededError):
        await ask(poor, way, "hi")
    assert len(server.ledger) == 1


async def streamed(lm: Any, question: str) -> list[Any]:
    """Return what DSPy streams of a program's answer: the chunks, then the prediction."""
    listener = dspy.streaming.StreamListener("answer")
    program = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener])
    with dspy.context(lm=lm):
        return [item async for item in program(question=question)]


async def test_the_next_model_streams(build: Any, server: ReplayServer) -> None:
    """A failure before the first chunk goes to the next model, whose answer streams as it comes."""
    server.fail(Fault(model="small", status=429))
    *chunks, prediction = await streamed(build(), "hi")
    assert prediction.answer == "medium heard hi"
    assert "".join(chunk.chunk for chunk in chunks).strip() == "medium heard hi"
    assert len(chunks) > 2


async def test_a_shown_answer_is_not_replaced(build: Any, server: ReplayServer) -> None:
    """Once something was shown, no other model is asked: the stream breaks with the provider's error."""
    server.fail(Fault(model="small", after_tokens=14))
    traces: list[Trace] = []
    with pytest.raises(exceptions.LMTransportError):
        await streamed(build(settings={"observers": [traces.append]}), "hi")
    [step] = traces[0].steps
    assert isinstance(step.outcome, CallError)
    assert step.outcome.emitted > 0
    assert step.cost_usd is None
    assert [entry.model for entry in server.ledger] == ["small"]


async def test_cancelling_is_recorded(build: Any, server: ReplayServer) -> None:
    """A cancelled call ends at once, with a trace that says it may have been billed."""
    server.fail(Fault(model="small", hang=True))
    traces: list[Trace] = []
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(build(settings={"observers": [traces.append]}).acall("hi"), 0.3)
    assert (traces[0].ended, traces[0].cost_usd) == ("cancelled", None)


class RateLimitError(Exception):
    """Named as litellm's is."""

    status_code = 429


class APIConnectionError(Exception):
    """Named as litellm's is, which gives it a status that no server sent."""

    status_code = 500


class BadRequestError(Exception):
    """Named as litellm's is."""

    status_code = 400


KINDS = {
    "rate limit": (RateLimitError("slow"), True, False),
    "lost connection": (APIConnectionError("gone"), True, True),
    "bad request": (BadRequestError("no"), False, False),
    "time-out": (TimeoutError("late"), True, True),
    "refused connection": (ConnectionRefusedError("closed"), True, False),
    "DSPy's lock": (exceptions.LMLockTimeoutError("locked"), True, False),
    "DSPy's context": (exceptions.ContextWindowExceededError(model="m"), False, False),
    "DSPy's billing": (exceptions.LMBillingError("no credit", status=429), False, False),
    "DSPy's stream": (exceptions.LMStreamAssemblyError("broke off"), True, True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_read_by_name_and_status(kind: str) -> None:
    """Errors that DSPy wrapped, and those that older language models let through, are read alike."""
    error, retryable, interrupted = KINDS[kind]
    read = call_error("m", error)
    assert read is not None
    assert (read.retryable, read.interrupted) == (retryable, interrupted)
    assert read.message.startswith(type(error).__name__)


@pytest.mark.parametrize("bug", [ValueError("n"), exceptions.LMUnexpectedError("engine bug"), KeyError("k")], ids=repr)
def test_bugs_are_not_outcomes(bug: Exception) -> None:
    """What is not the provider's doing is not read as a failed call."""
    assert call_error("m", bug) is None


def test_what_a_provider_says_is_kept_short() -> None:
    """The trace keeps the first line of a provider's message, cut, and the pause it asks for."""
    read = call_error("m", exceptions.LMRateLimitError("x" * 500 + "\nTo fix: wait", retry_after=2.5))
    assert read is not None
    assert read.retry_after == 2.5
    assert len(read.message) == 201
    assert "To fix" not in read.message
