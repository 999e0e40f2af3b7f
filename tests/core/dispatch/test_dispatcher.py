"""Dispatcher: what a run returns, raises and reports, in all four ways to have a query answered."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pointsman.budgets import Budget
from pointsman.dispatch import Dispatcher, Retry
from pointsman.errors import AllModelsFailedError, ConfigError, NoEligibleModelError, PointsmanError
from pointsman.flow import embed
from pointsman.types import (
    Call,
    CallError,
    Constraints,
    Context,
    Delta,
    Embed,
    Feedback,
    Message,
    Query,
    Response,
    Trace,
    Usage,
)

QUERY = Query(text="why?", id="q1")


def busy(model: str = "small", **details: Any) -> CallError:
    """Return an error that another model may not have."""
    return CallError(model, "busy", retryable=True, status=429, **details)


def test_a_run_returns_its_trace(answer: Any, ladder: Any, world: Any) -> None:
    """The trace has the query, the router's digest, every step with its money, and the answer."""
    router, told = ladder("small"), []
    trace = answer(Dispatcher(router, observers=[told.append]), world(), QUERY)
    assert (trace.query, trace.router, trace.ended) == (QUERY, router.digest(), "answered")
    assert trace.answer.content == "small: ?"
    assert trace.response.model == "small"
    assert [(step.path, step.cost_usd) for step in trace.steps] == [((0, 0, 0), 0.01)]
    assert told == [trace]


def test_a_run_leaves_nothing_for_the_garbage_collector(ladder: Any, world: Any) -> None:
    """What a run made is freed with its trace, at once: no part of it holds on to one that holds on to it."""
    dispatcher, models = Dispatcher(ladder("small"), budget=Budget(1.0, on_unknown="ignore")), world()
    dispatcher.run(QUERY, perform=models.perform)
    gc.collect()
    gc.disable()
    try:
        dispatcher.run(QUERY, perform=models.perform)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_all_ways_to_answer_leave_the_same_steps(ways: Any, ladder: Any, world: Any) -> None:
    """Blocking, awaited and streamed runs of one plan have equal records, retries and fallbacks included."""
    dispatcher = Dispatcher(ladder("small", "large"), retry=Retry(attempts=2, base_s=0))
    traces = [way(dispatcher, world(small=[busy(), busy(cost_usd=0.25)]), QUERY) for way in ways.values()]
    assert [trace.steps for trace in traces] == [traces[0].steps] * 4
    assert [trace.answer for trace in traces] == [traces[0].answer] * 4
    assert [step.path for step in traces[0].steps] == [(0, 0, 0), (0, 0, 1), (1, 0, 0)]
    assert [trace.cost_usd for trace in traces] == [0.26] * 4
    assert len({trace.id for trace in traces}) == 4


def test_the_context_is_filled_and_kept(answer: Any, ladder: Any, world: Any) -> None:
    """What the caller left open is filled in, what it set stays, and the trace has it all for a replay."""
    dispatcher = Dispatcher(ladder("small", "large"))
    given = Context(unavailable={"small": "resting"}, operating_point=0.5)
    trace = answer(dispatcher, world(), QUERY, given)
    assert trace.answer.model == "large"
    assert (trace.context.unavailable, trace.context.operating_point) == ({"small": "resting"}, 0.5)
    assert trace.context.clock is not None
    assert given.clock is None
    assert answer(dispatcher, world(), QUERY, Context(clock=5.0)).context.clock == 5.0


def test_a_query_without_an_id_gets_its_traces(answer: Any, ladder: Any, world: Any) -> None:
    """Random draws are keyed by the query's id, so two queries without one must not share it."""
    dispatcher = Dispatcher(ladder("small"))
    first, second = (answer(dispatcher, world(), Query(text="why?")) for _ in range(2))
    assert (first.query.id, second.query.id) == (first.id, second.id)
    assert first.id != second.id
    assert answer(dispatcher, world(), QUERY).query.id == "q1"


def test_a_performer_of_all_queries_gets_the_messages(ladder: Any, world: Any) -> None:
    """The dispatcher's own performer cannot know the query, so its calls carry the conversation; the plan's are on record."""
    models = world()
    dispatcher = Dispatcher(ladder("small"), perform=models.perform)
    trace = dispatcher.run(QUERY)
    dispatcher.run(Query(text="and?", messages=(Message(role="system", content="Be brief."),)))
    assert [call.messages for call in models.calls] == [
        (Message(role="user", content="why?"),),
        (Message(role="system", content="Be brief."),),
    ]
    assert trace.answer.content == "small: why?"
    assert trace.steps[0].effect.messages is None


def test_a_performer_of_one_run_gets_calls_as_the_plan_wrote_them(answer: Any, ladder: Any, world: Any) -> None:
    """Who closes over the query knows its conversation in the framework's own form: None means that one."""
    models = world()
    answer(Dispatcher(ladder("small")), models, QUERY)
    assert [call.messages for call in models.calls] == [None]


def test_an_awaitable_performer_is_preferred_when_awaited(ladder: Any, world: Any) -> None:
    """`aperform` serves awaited runs, `perform` blocking ones."""
    blocking, awaitable = world(), world()
    dispatcher = Dispatcher(ladder("small"), perform=blocking.perform, aperform=awaitable.aperform)
    asyncio.run(dispatcher.arun(QUERY))
    dispatcher.run(QUERY)
    assert (len(blocking.calls), len(awaitable.calls)) == (1, 1)


async def test_a_blocking_performer_is_awaited_in_a_thread(ladder: Any) -> None:
    """Without `aperform` the loop stays free, and the thread sees the caller's context variables."""
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    variable.set("outer")
    seen: list[Any] = []

    def perform(effect: Any) -> Response:
        seen.append((variable.get(), threading.get_ident() != here))
        return Response(model="small", text=effect.messages[0].text)

    here = threading.get_ident()
    trace = await Dispatcher(ladder("small"), perform=perform).arun(QUERY)
    assert trace.answer is not None
    assert (trace.answer.content, seen) == ("why?", [("outer", True)])


def test_without_a_performer_the_error_says_so(ladder: Any) -> None:
    """A run that nobody performs fails, and names what to give."""
    dispatcher = Dispatcher(ladder("small"))
    with pytest.raises(ConfigError, match="`perform`"):
        dispatcher.run(QUERY)
    with pytest.raises(ConfigError, match="`aperform`"):
        asyncio.run(dispatcher.arun(QUERY))


def test_when_every_model_fails_the_error_has_the_trace(answer: Any, ladder: Any, world: Any) -> None:
    """The errors are all there, the trace says failed, and the observers heard of it."""
    told: list[Trace] = []
    dispatcher = Dispatcher(ladder("small", "large"), observers=[told.append])
    with pytest.raises(AllModelsFailedError) as raised:
        answer(dispatcher, world(small=[busy()], large=[busy("large")]), QUERY)
    assert [error.model for error in raised.value.errors] == ["small", "large"]
    assert told == [raised.value.trace]
    assert (told[0].ended, told[0].answer, told[0].cost_usd) == ("failed", None, 0.0)


def test_the_providers_exception_is_the_cause(answer: Any, ladder: Any, world: Any) -> None:
    """An error that no other model would avoid is raised at once, with what caused it and its trace."""
    error = CallError("small", "no such tool", status=400)
    error.__cause__ = KeyError("tool")
    with pytest.raises(CallError, match="no such tool") as raised:
        answer(Dispatcher(ladder("small", "large")), world(small=[error]), QUERY)
    assert isinstance(raised.value.__cause__, KeyError)
    assert [step.effect.model for step in raised.value.trace.steps] == ["small"]


@pytest.mark.parametrize(
    ("usage", "cost"), [(None, 0.0), (Usage(input_tokens=1_000_000, output_tokens=0), 2.0)], ids=["free", "billed"]
)
def test_an_error_object_that_runs_share_is_not_written_to(
    answer: Any, ladder: Any, world: Any, usage: Usage | None, cost: float
) -> None:
    """A client that raises one error object again and again gets it back untouched; each run raises its own."""
    shared = CallError("small", "down", usage=usage)
    row = {"name": "small", "price": {"input_per_mtok": 2, "output_per_mtok": 2}}
    dispatcher = Dispatcher(ladder(row))
    traces = []
    for _ in range(2):
        with pytest.raises(CallError) as raised:
            answer(dispatcher, world(small=[shared]), QUERY)
        assert raised.value is not shared
        traces.append(raised.value.trace)
    assert (shared.cost_usd, shared.trace) == (None, None)
    assert traces[0].id != traces[1].id
    assert [trace.cost_usd for trace in traces] == [cost, cost]


def test_a_bug_propagates_as_it_is(answer: Any, ladder: Any, world: Any) -> None:
    """What is no error of a call is not swallowed; the observers hear of a failed run, its cost unknown."""
    told: list[Trace] = []
    with pytest.raises(ZeroDivisionError):
        answer(Dispatcher(ladder("small", "large"), observers=[told.append]), world(small=[ZeroDivisionError()]), QUERY)
    assert [(trace.ended, trace.cost_usd) for trace in told] == [("failed", None)]


def test_when_no_model_is_eligible_nothing_is_called(answer: Any, ladder: Any, world: Any) -> None:
    """The error says why for each model, and its trace has no steps."""
    query = Query(text="why?", constraints=Constraints(deny=frozenset({"small"})))
    with pytest.raises(NoEligibleModelError, match="deny list") as raised:
        answer(Dispatcher(ladder("small")), world(), query)
    assert (raised.value.trace.ended, raised.value.trace.steps) == ("failed", ())


@pytest.mark.parametrize("outcome", [((1.0,),), "text"])
def test_a_performer_is_held_to_its_contract(answer: Any, ladder: Any, outcome: Any) -> None:
    """A call that returns no Response is a bug, and the error names the model."""

    class Odd:
        def perform(self, effect: Any) -> Any:
            return outcome

        async def aperform(self, effect: Any) -> Any:
            return outcome

        open_stream = aopen_stream = None

    with pytest.raises(TypeError, match="'small' must return a Response"):
        answer(Dispatcher(ladder("small")), Odd(), QUERY)


def test_a_plan_may_want_an_embedding_first(ladder: Any, world: Any) -> None:
    """Embeddings go through the same performer, are on record, and draw on no budget, as their price is the embedder's."""
    plain = ladder("small", expected_usd=0.01)

    class Looking(type(plain)):  # type: ignore[misc]
        def plan(self, query: Query, context: Context = Context()) -> Any:  # noqa: B008
            (vector,) = yield from embed(Embed(embedder="e", texts=(query.text,)))
            return (yield from super().plan(replace(query, embedding=np.array(vector)), context))

    def perform(effect: Any) -> Any:
        return ((1.0, 0.0),) if isinstance(effect, Embed) else world().perform(effect)

    budget = Budget(0.01)
    dispatcher = Dispatcher(
        Looking(ladder=("small",), pool=plain.pool, expected_usd=0.01), perform=perform, budget=budget
    )
    trace = dispatcher.run(QUERY)
    assert [(type(step.effect), step.cost_usd) for step in trace.steps] == [(Embed, 0.0), (Call, 0.01)]
    assert budget.left_usd == 0.0


def test_an_error_that_is_returned_counts_as_raised(answer: Any, ladder: Any, world: Any) -> None:
    """A performer may hand over its CallError: it is retried, recorded and answered like a raised one."""
    models = world(small=[busy])
    models.open_stream = models.aopen_stream = None
    trace = answer(Dispatcher(ladder("small", "large"), retry=Retry(attempts=2, base_s=0)), models, QUERY)
    assert [step.path for step in trace.steps] == [(0, 0, 0), (0, 0, 1)]


async def test_a_cancelled_task_ends_as_a_cancelled_trace(ladder: Any) -> None:
    """The observers hear of it, and the call under way is on record with unknown cost."""
    told: list[Trace] = []
    begun = asyncio.Event()

    async def aperform(_effect: Any) -> Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    task = asyncio.create_task(Dispatcher(ladder("small"), observers=[told.append]).arun(QUERY, aperform=aperform))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [(trace.ended, trace.cost_usd, len(trace.steps)) for trace in told] == [("cancelled", None, 1)]


def test_an_interrupt_ends_as_a_cancelled_trace(ladder: Any, world: Any) -> None:
    """Ctrl-C is no failure of a model."""
    told: list[Trace] = []
    with pytest.raises(KeyboardInterrupt):
        Dispatcher(ladder("small"), observers=[told.append]).run(
            QUERY, perform=world(small=[KeyboardInterrupt()]).perform
        )
    assert [(trace.ended, trace.cost_usd) for trace in told] == [("cancelled", None)]


def test_a_stream_shows_its_pieces_and_then_its_trace(ladder: Any, world: Any) -> None:
    """The trace does not exist while pieces come, and does when they end."""
    stream = Dispatcher(ladder("small")).stream(QUERY, open_stream=world().open_stream, perform=world().perform)
    with pytest.raises(PointsmanError, match="not ended"):
        _ = stream.trace
    assert "".join(delta.text for delta in stream) == "small: ?"
    assert stream.trace.ended == "answered"
    stream.close()
    assert stream.trace.ended == "answered"


async def test_an_asynchronous_stream_shows_its_pieces_and_then_its_trace(ladder: Any, world: Any) -> None:
    """The same, awaited."""
    stream = Dispatcher(ladder("small")).astream(QUERY, aopen_stream=world().aopen_stream, aperform=world().aperform)
    with pytest.raises(PointsmanError, match="not ended"):
        _ = stream.trace
    assert "".join([delta.text async for delta in stream]) == "small: ?"
    await stream.aclose()
    assert stream.trace.ended == "answered"


def test_a_stream_that_is_left_early_ends_cancelled(ladder: Any, world: Any) -> None:
    """Leaving the context closes the provider's stream; what was shown is on record."""
    told: list[Trace] = []
    dispatcher = Dispatcher(ladder("small"), observers=[told.append])
    with dispatcher.stream(QUERY, open_stream=world().open_stream, perform=world().perform) as stream:
        assert next(stream) == Delta(text="s")
    assert told == [stream.trace]
    assert (stream.trace.ended, stream.trace.cost_usd) == ("cancelled", None)
    assert stream.trace.steps[0].outcome.emitted == 1


async def test_an_asynchronous_stream_that_is_left_early_ends_cancelled(ladder: Any, world: Any) -> None:
    """The same, awaited."""
    told: list[Trace] = []
    dispatcher = Dispatcher(ladder("small"), observers=[told.append])
    async with dispatcher.astream(QUERY, aopen_stream=world().aopen_stream, aperform=world().aperform) as stream:
        assert await anext(stream) == Delta(text="s")
    assert told == [stream.trace]
    assert (stream.trace.ended, stream.trace.steps[0].outcome.emitted) == ("cancelled", 1)


async def test_a_stream_that_is_closed_unread_ends_cancelled_without_steps(ladder: Any, world: Any) -> None:
    """Nothing was performed, nothing is paid, and there is a trace all the same."""
    dispatcher = Dispatcher(ladder("small"))
    with dispatcher.stream(QUERY, perform=world().perform) as stream:
        pass
    async with dispatcher.astream(QUERY, aperform=world().aperform) as astream:
        pass
    for trace in (stream.trace, astream.trace):
        assert (trace.ended, trace.steps) == ("cancelled", ())


def test_a_stream_that_breaks_off_raises_with_its_trace(ways: Any, ladder: Any, world: Any) -> None:
    """After the first piece no other model is tried; the error says how much was shown."""
    for way in ("stream", "astream"):
        broken = world(small=[busy(emitted=3, cost_usd=0.5)])
        with pytest.raises(CallError) as raised:
            ways[way](Dispatcher(ladder("small", "large"), retry=Retry(attempts=3, base_s=0)), broken, QUERY)
        assert raised.value.emitted == 3
        assert (raised.value.trace.ended, raised.value.trace.cost_usd) == ("failed", 0.5)
        assert len(broken.calls) == 1


def test_an_observer_that_fails_breaks_nothing(
    answer: Any, ladder: Any, world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Its error is logged, the answer stands, and the next observer still hears."""
    told: list[Trace] = []

    def broken(_trace: Trace) -> None:
        raise RuntimeError("disk full")

    with caplog.at_level(logging.ERROR, logger="pointsman"):
        trace = answer(Dispatcher(ladder("small"), observers=[broken, told.append]), world(), QUERY)
    assert told == [trace]
    assert "disk full" in caplog.text


def test_feedback_goes_to_the_observers_that_listen(ladder: Any) -> None:
    """An observer with `on_feedback` gets it; one without is left alone; a broken one breaks nothing."""

    class Store:
        def __init__(self) -> None:
            self.kept: list[Feedback] = []

        def __call__(self, trace: Trace) -> None:
            """Ignore traces."""

        def on_feedback(self, feedback: Feedback) -> None:
            """Keep feedback."""
            self.kept.append(feedback)

    class Broken(Store):
        def on_feedback(self, feedback: Feedback) -> None:
            """Fail."""
            raise RuntimeError

    store = Store()
    given = Feedback(trace_id="t", model="small", reward=1.0)
    Dispatcher(ladder("small"), observers=[lambda _trace: None, Broken(), store]).feedback(given)
    assert store.kept == [given]


def test_another_router_takes_over_at_once(answer: Any, ladder: Any, world: Any) -> None:
    """`replace` returns the old router; the next run is the new one's, with its digest."""
    first, second = ladder("small"), ladder("large")
    dispatcher = Dispatcher(first)
    assert answer(dispatcher, world(), QUERY).answer.model == "small"
    assert dispatcher.replace(second) is first
    assert dispatcher.router is second
    trace = answer(dispatcher, world(), QUERY)
    assert (trace.answer.model, trace.router) == ("large", second.digest())


def test_a_run_under_way_ends_with_the_router_it_began_with(ladder: Any, world: Any) -> None:
    """A replacement in the middle of a stream does not show in it."""
    first = ladder("small")
    dispatcher = Dispatcher(first)
    stream = dispatcher.stream(QUERY, open_stream=world().open_stream, perform=world().perform)
    next(stream)
    dispatcher.replace(ladder("large"))
    assert {step.effect.model for step in _drained(stream).steps} == {"small"}
    assert stream.trace.router == first.digest()


def _drained(stream: Any) -> Trace:
    for _ in stream:
        pass
    trace: Trace = stream.trace
    return trace


def test_results_never_mix_between_threads(ladder: Any, world: Any) -> None:
    """Of a thousand concurrent queries every answer, trace and message belongs to its own."""
    dispatcher = Dispatcher(ladder("small"), perform=world().perform)

    def ask(i: int) -> bool:
        trace = dispatcher.run(Query(text=f"question {i}", id=str(i)))
        return trace.answer.content == f"small: question {i}" and trace.query.id == str(i) and len(trace.steps) == 1

    with ThreadPoolExecutor(max_workers=32) as threads:
        assert sum(threads.map(ask, range(1_000))) == 1_000


async def test_results_never_mix_between_tasks(ladder: Any, world: Any) -> None:
    """The same holds for a thousand tasks."""
    dispatcher = Dispatcher(ladder("small"), aperform=world().aperform)
    traces = await asyncio.gather(*(dispatcher.arun(Query(text=f"question {i}", id=str(i))) for i in range(1_000)))
    assert [trace.answer.content for trace in traces] == [f"small: question {i}" for i in range(1_000)]


def test_a_wrong_deadline_is_refused(ladder: Any) -> None:
    """A deadline is more than no time."""
    with pytest.raises(ConfigError, match=r"deadline_s must be more than 0 seconds, got 0"):
        Dispatcher(ladder("small"), deadline_s=0)


def test_a_stream_may_be_opened_by_a_plain_function(ladder: Any) -> None:
    """`open_stream` need not be a generator: an error that it raises itself is an ordinary failure of the model."""

    def open_stream(call: Call) -> Iterator[Delta | Response]:
        if call.model == "small":
            raise busy()
        return iter([Delta(text="Hi"), Response(model=call.model, text="Hi", cost_usd=0.5)])

    stream = Dispatcher(ladder("small", "large")).stream(QUERY, open_stream=open_stream, perform=pytest.fail)
    assert [delta.text for delta in stream] == ["Hi"]
    assert [(step.effect.model, step.cost_usd) for step in stream.trace.steps] == [("small", 0.0), ("large", 0.5)]
