"""Deadlines: what is late is given up, recorded as interrupted, and its money is not forgotten."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from threading import Event
from typing import Any

import pytest

from pointsman.budgets import Budget
from pointsman.dispatch import Dispatcher
from pointsman.dispatch.deadline import OverdueError, atimely, atimely_stream, timely, timely_stream
from pointsman.errors import AllModelsFailedError
from pointsman.types import Call, CallError, Delta, Query, Response

QUERY = Query(text="why?")
ROW = {"name": "slow", "price": {"input_per_mtok": 1_000, "output_per_mtok": 1_000}}


def test_what_is_in_time_is_returned_or_raised() -> None:
    """A function's result and its error come through, with a limit and without."""
    for seconds in (None, 30):
        assert timely("m", lambda: 3, seconds) == 3
        with pytest.raises(ZeroDivisionError):
            timely("m", lambda: 1 // 0, seconds)


def test_a_functions_own_timeout_is_its_own() -> None:
    """A TimeoutError that the function raises is not taken for the deadline's."""

    def raising() -> None:
        raise TimeoutError("socket")

    async def araising() -> None:
        raising()

    with pytest.raises(TimeoutError, match="socket"):
        timely("m", raising, 30)
    with pytest.raises(TimeoutError, match="socket"):
        asyncio.run(atimely("m", araising(), 30))


def test_what_is_late_is_given_up_and_goes_on_in_its_thread() -> None:
    """The error is retryable and interrupted, and its future has the result once that arrives."""
    go = Event()
    with pytest.raises(OverdueError, match=r"m: no answer within 0\.02 s") as raised:
        timely("m", lambda: go.wait(30) and "late", 0.02)
    assert (raised.value.retryable, raised.value.interrupted, raised.value.usage) == (True, True, None)
    go.set()
    assert raised.value.late is not None
    assert raised.value.late.result(timeout=30) == "late"


def test_threads_with_a_deadline_see_the_callers_context_variables() -> None:
    """A tracing framework's context reaches the call; without a limit there is no thread at all."""
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    variable.set("outer")
    assert timely("m", variable.get, 30) == "outer"
    assert timely("m", threading.get_ident, None) == threading.get_ident()
    assert timely("m", threading.get_ident, 30) != threading.get_ident()


def test_an_abandoned_call_does_not_hold_up_the_interpreter() -> None:
    """Its thread is a daemon."""
    assert timely("m", lambda: threading.current_thread().daemon, 30)


async def test_an_awaited_call_that_is_late_is_cancelled() -> None:
    """There it can be stopped, and is."""
    stopped = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    with pytest.raises(OverdueError) as raised:
        await atimely("m", slow(), 0.02)
    assert stopped.is_set()
    assert raised.value.late is None


def test_the_first_piece_of_a_stream_has_a_deadline_and_the_others_none() -> None:
    """A stream that has begun may take its time."""

    def pieces() -> Iterator[int]:
        yield 1
        time.sleep(0.05)
        yield 2

    async def apieces() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(0.05)
        yield 2

    async def read() -> list[int]:
        return [piece async for piece in atimely_stream("m", apieces, 0.04)]

    assert list(timely_stream("m", pieces, 0.04)) == [1, 2]
    assert asyncio.run(read()) == [1, 2]
    assert list(timely_stream("m", lambda: iter(()), 30)) == []


def test_a_stream_that_begins_late_is_closed_when_it_does() -> None:
    """Its thread cannot be stopped; what it opened is closed as soon as it arrives, not when it is forgotten."""
    go, closed = Event(), Event()

    class Pieces:
        def __iter__(self) -> Pieces:
            return self

        def __next__(self) -> int:
            go.wait(30)
            return 1

        def close(self) -> None:
            """Close the connection."""
            closed.set()

    with pytest.raises(OverdueError):
        next(timely_stream("m", Pieces, 0.02))
    assert not closed.is_set()
    go.set()
    assert closed.wait(30)


def test_a_stream_whose_opening_fails_late_is_let_go() -> None:
    """There is nothing to close then."""
    go = Event()

    def opening() -> Iterator[int]:
        go.wait(30)
        raise ZeroDivisionError

    with pytest.raises(OverdueError) as raised:
        next(timely_stream("m", opening, 0.02))
    go.set()
    assert raised.value.late is not None
    assert isinstance(raised.value.late.exception(timeout=30), ZeroDivisionError)


def test_closing_a_timed_stream_closes_what_it_reads() -> None:
    """Whether it has begun in a thread or not, leaving early reaches the provider's stream."""
    closed: list[str] = []

    def pieces() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append("blocking")

    async def apieces() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append("awaited")

    async def read() -> None:
        stream = atimely_stream("m", apieces, 30)
        await anext(stream)
        await stream.aclose()

    stream = timely_stream("m", pieces, 30)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    asyncio.run(read())
    assert closed == ["blocking", "awaited"]


def test_the_next_model_answers_for_one_that_is_late(ladder: Any, world: Any) -> None:
    """A missed deadline is an interrupted step of unknown cost, and an ordinary failure to the plan; in all four ways."""
    go = Event()

    async def forever() -> None:
        await asyncio.Event().wait()

    class Slow(world):  # type: ignore[misc]
        def perform(self, effect: Any) -> Any:
            if effect.model == "slow":
                go.wait(30)
            return super().perform(effect)

        async def aperform(self, effect: Any) -> Any:
            if effect.model == "slow":
                await forever()
            return await super().aperform(effect)

        async def aopen_stream(self, call: Any) -> AsyncIterator[Any]:
            if call.model == "slow":
                await forever()
            for piece in self.open_stream(call):
                yield piece

    try:
        for trace in _all_ways(Dispatcher(ladder("slow", "fast"), deadline_s=0.05), Slow()):
            late, answered = trace.steps
            assert (late.cost_usd, late.outcome.interrupted) == (None, True)
            assert 0.05 <= late.latency_s < 5
            assert (answered.cost_usd, trace.answer.model) == (0.01, "fast")
    finally:
        go.set()


def _all_ways(dispatcher: Dispatcher, models: Any) -> list[Any]:
    async def awaited() -> list[Any]:
        stream = dispatcher.astream(QUERY, aopen_stream=models.aopen_stream, aperform=models.aperform)
        async for _ in stream:
            pass
        return [await dispatcher.arun(QUERY, aperform=models.aperform), stream.trace]

    shown = dispatcher.stream(QUERY, open_stream=models.open_stream, perform=models.perform)
    for _ in shown:
        pass
    return [dispatcher.run(QUERY, perform=models.perform), shown.trace, *asyncio.run(awaited())]


def test_the_cost_of_a_late_call_reaches_the_budget_when_it_arrives(ladder: Any) -> None:
    """Until then its reservation stands; then the ledger has what it really cost."""
    go, budget = Event(), Budget(10.0)
    done = Event()

    def perform(_effect: Any) -> Response:
        go.wait(30)
        try:
            return Response(model="slow", text="at last", cost_usd=0.5)
        finally:
            done.set()

    dispatcher = Dispatcher(ladder(ROW), budget=budget, deadline_s=0.05)
    with pytest.raises(AllModelsFailedError) as raised:
        dispatcher.run(QUERY, perform=perform)
    assert raised.value.trace.cost_usd is None
    assert (budget.spent_usd, budget.unknown_calls) == (0.0, 1)
    assert budget.reserved_usd == pytest.approx(1.025)
    go.set()
    assert done.wait(30)
    _wait_for(lambda: budget.unknown_calls == 0)
    assert (budget.spent_usd, budget.reserved_usd) == (0.5, 0.0)


def test_a_late_failure_that_was_never_billed_gives_its_reservation_back(ladder: Any) -> None:
    """A late error says what a timely one would: nothing was billed."""
    go, budget = Event(), Budget(10.0)

    def perform(_effect: Any) -> Response:
        go.wait(30)
        raise CallError("slow", "overloaded")

    with pytest.raises(AllModelsFailedError):
        Dispatcher(ladder(ROW), budget=budget, deadline_s=0.05).run(QUERY, perform=perform)
    go.set()
    _wait_for(lambda: budget.unknown_calls == 0)
    assert (budget.spent_usd, budget.reserved_usd) == (0.0, 0.0)


def test_a_late_bug_is_logged_and_leaves_the_reservation(ladder: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What ends in neither a response nor an error of the call may have been billed; nobody else would hear of it."""
    go, budget = Event(), Budget(10.0)

    def perform(_effect: Any) -> Response:
        go.wait(30)
        raise ZeroDivisionError

    with pytest.raises(AllModelsFailedError):
        Dispatcher(ladder(ROW), budget=budget, deadline_s=0.05).run(QUERY, perform=perform)
    go.set()
    _wait_for(lambda: "ended in ZeroDivisionError()" in caplog.text)
    assert budget.unknown_calls == 1
    assert budget.reserved_usd == pytest.approx(1.025)


def test_a_stream_that_begins_late_keeps_its_reservation(ladder: Any) -> None:
    """It is closed when it arrives, and may have been billed all the same."""
    go, closed, budget = Event(), Event(), Budget(10.0)

    def open_stream(call: Call) -> Iterator[Delta | Response]:
        try:
            go.wait(30)
            yield Delta(text=call.model)
        finally:
            closed.set()

    stream = Dispatcher(ladder(ROW), budget=budget, deadline_s=0.05).stream(
        QUERY, open_stream=open_stream, perform=pytest.fail
    )
    with pytest.raises(AllModelsFailedError):
        next(stream)
    go.set()
    assert closed.wait(30)
    assert (budget.unknown_calls, budget.spent_usd) == (1, 0.0)


def _wait_for(holds: Any) -> None:
    ends = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.001)


def test_a_call_in_time_is_not_touched(answer: Any, ladder: Any, world: Any) -> None:
    """With a deadline that is met, everything is as without one."""
    plain = answer(Dispatcher(ladder("small")), world(), QUERY)
    timed = answer(Dispatcher(ladder("small"), deadline_s=30), world(), QUERY)
    assert timed.steps == plain.steps


def test_shown_pieces_are_no_reason_to_give_up(ladder: Any) -> None:
    """A stream that began in time is read to its end, however long that takes."""

    def open_stream(call: Call) -> Iterator[Delta | Response]:
        yield Delta(text="H")
        time.sleep(0.1)
        yield Delta(text="i")
        yield Response(model=call.model, text="Hi")

    stream = Dispatcher(ladder("small"), deadline_s=0.05).stream(QUERY, open_stream=open_stream, perform=pytest.fail)
    assert [delta.text for delta in stream] == ["H", "i"]
