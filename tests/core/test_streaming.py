"""Streaming drivers: what is shown, what is not, what a failure or an early close leaves on record; blocking and awaited."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pointsman.errors import AllModelsFailedError, PointsmanError
from pointsman.flow import (
    Effect,
    Held,
    Outcome,
    Plan,
    Recorder,
    adrive_stream,
    arecorded,
    arecorded_stream,
    ask,
    drive_stream,
    recorded,
    recorded_stream,
)
from pointsman.types import Answer, Call, CallError, Delta, Response, Step, Usage

Script = list[Delta | Response | Exception]


def model(name: str, *texts: str, content: Any = None) -> Script:
    """Script a model that streams these texts and succeeds."""
    whole = Response(model=name, text="".join(texts), cost_usd=0.5, content=content)
    return [*(Delta(text=text) for text in texts), whole]


def failing(name: str, *texts: str, **details: Any) -> Script:
    """Script a model that fails after these texts."""
    return [*(Delta(text=text) for text in texts), CallError(name, "broke off", retryable=True, **details)]


@dataclass
class Models:
    """Scripted models that can be performed or streamed, and that know which streams were closed."""

    scripts: dict[str, Script]
    performed: list[str]
    closed: list[str]

    def perform(self, effect: Effect) -> Outcome:
        """Answer with the end of the model's script."""
        assert isinstance(effect, Call)
        self.performed.append(effect.model)
        end = self.scripts[effect.model][-1]
        if isinstance(end, Exception):
            raise end
        assert isinstance(end, Response)
        return end

    async def aperform(self, effect: Effect) -> Outcome:
        """Answer as `perform` does."""
        return self.perform(effect)

    def open(self, call: Call) -> Iterator[Delta | Response]:
        """Stream the model's script."""
        try:
            for piece in self.scripts[call.model]:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed.append(call.model)

    async def aopen(self, call: Call) -> AsyncIterator[Delta | Response]:
        """Stream the model's script, giving way to others between its pieces."""
        try:
            for piece in self.scripts[call.model]:
                await asyncio.sleep(0)
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed.append(call.model)


@dataclass
class Showing:
    """What came of a streamed plan."""

    shown: list[str]
    result: Any
    error: Exception | None
    steps: tuple[Step, ...]
    performed: list[str]
    closed: list[str]


def blocking(plan: Plan[Any], scripts: dict[str, Script], *, take: int | None, streams: bool) -> Showing:
    """Stream a plan and stop after `take` deltas."""
    models, recorder = Models(scripts, [], []), Recorder()
    opened = recorded_stream(models.open, recorder) if streams else None
    stream = drive_stream(plan, recorded(models.perform, recorder), opened)
    shown: list[str] = []
    result, error = None, None
    try:
        while take is None or len(shown) < take:
            shown.append(next(stream).text)
        stream.close()
    except StopIteration as end:
        result = end.value
    except Exception as raised:  # noqa: BLE001 - told to the test
        error = raised
    return Showing(shown, result, error, recorder.steps, models.performed, models.closed)


def awaited(plan: Plan[Any], scripts: dict[str, Script], *, take: int | None, streams: bool) -> Showing:
    """Do the same, awaited."""
    models, recorder = Models(scripts, [], []), Recorder()

    async def consume() -> Showing:
        opened = arecorded_stream(models.aopen, recorder) if streams else None
        stream = adrive_stream(plan, arecorded(models.aperform, recorder), opened)
        shown: list[str] = []
        result, error = None, None
        try:
            while take is None or len(shown) < take:
                shown.append((await anext(stream)).text)
            await stream.aclose()
        except StopAsyncIteration:
            result = stream.result
        except Exception as raised:  # noqa: BLE001 - told to the test
            error = raised
        return Showing(shown, result, error, recorder.steps, models.performed, models.closed)

    return asyncio.run(consume())


def show(
    make: Callable[[], Plan[Any]], scripts: dict[str, Script], *, take: int | None = None, streams: bool = True
) -> Showing:
    """Stream a plan both ways, see that they agree, and return what came of it."""
    one = blocking(make(), scripts, take=take, streams=streams)
    two = awaited(make(), scripts, take=take, streams=streams)
    assert (one.shown, one.result, repr(one.error), one.steps) == (two.shown, two.result, repr(two.error), two.steps)
    assert (one.performed, one.closed) == (two.performed, two.closed)
    return one


def final(*names: str) -> Callable[[], Plan[Answer]]:
    """Return a plan that streams the first of these models that answers."""

    def plan() -> Plan[Answer]:
        errors = []
        for name in names:
            try:
                response = yield from ask(Call(model=name, stream=True))
            except CallError as error:
                if not error.retryable or error.emitted:
                    raise
                errors.append(error)
            else:
                return Answer.of(response)
        raise AllModelsFailedError(errors)

    return plan


def drafting() -> Plan[Answer]:
    """Have a draft written and judged unseen, then stream the final answer."""
    yield (Call(model="draft"), Call(model="judge", purpose="judge"))
    return Answer.of((yield from ask(Call(model="large", stream=True))))


def test_the_final_call_is_shown_as_it_comes() -> None:
    """Its deltas are the pieces, its response the answer, and the step has its money."""
    showing = show(final("small"), {"small": model("small", "Hel", "lo")})
    assert showing.shown == ["Hel", "lo"]
    assert showing.result == Answer(content="Hello", support=((0, 0, 0),), model="small")
    assert [step.cost_usd for step in showing.steps] == [0.5]
    assert (showing.performed, showing.closed) == ([], ["small"])


def test_everything_before_the_final_call_is_unseen() -> None:
    """Drafts and judges are performed, not shown, and paid like all else."""
    scripts = {name: model(name, name) for name in ("draft", "judge", "large")}
    showing = show(drafting, scripts)
    assert showing.shown == ["large"]
    assert sorted(showing.performed) == ["draft", "judge"]
    assert [step.cost_usd for step in showing.steps] == [0.5] * 3


def test_a_call_without_stream_is_not_shown() -> None:
    """An answer that was not streamed is yielded once, as a whole."""
    showing = show(lambda: (yield from answered(Call(model="small"))), {"small": model("small", "Hel", "lo")})
    assert (showing.shown, showing.performed) == (["Hello"], ["small"])


def answered(*calls: Call) -> Plan[Answer]:
    """Make an answer of the first response to a batch."""
    outcomes = yield calls
    return Answer.of(next(outcome for outcome in outcomes if isinstance(outcome, Response)))


def test_calls_of_a_batch_are_never_shown() -> None:
    """Only a single call can be shown, even where all of a batch say they may."""
    calls = (Call(model="small", stream=True), Call(model="large", stream=True))
    scripts = {name: model(name, "a", "b") for name in ("small", "large")}
    assert show(lambda: answered(*calls), scripts).shown == ["ab"]


def test_without_streams_the_final_call_is_performed() -> None:
    """A caller that cannot stream gets the answer as one piece."""
    showing = show(final("small"), {"small": model("small", "Hel", "lo")}, streams=False)
    assert (showing.shown, showing.performed, showing.closed) == (["Hello"], ["small"], [])


def test_an_answer_in_parts_is_shown_as_its_text() -> None:
    """Where the content is no text, the piece is that of the response behind the answer."""
    content = [{"type": "text", "text": "Hello"}, {"type": "image"}]
    showing = show(final("small"), {"small": model("small", "Hello", content=content)}, streams=False)
    assert (showing.shown, showing.result.content) == (["Hello"], content)


def test_a_plan_without_an_answer_shows_nothing() -> None:
    """A plan may return anything; only an Answer has a text to show."""

    def plan() -> Plan[int]:
        yield from ask(Call(model="small"))
        return 3

    showing = show(plan, {"small": model("small", "Hello")})
    assert (showing.shown, showing.result) == ([], 3)


def test_a_streamed_answer_without_text_is_not_repeated() -> None:
    """A response that only calls a tool has shown what it had, with no text of its own."""
    script: Script = [Delta(text=""), Response(model="small", text="", content="called a tool", cost_usd=0.5)]
    assert show(final("small"), {"small": script}).shown == [""]


def test_a_failure_before_the_first_delta_goes_to_the_next_model() -> None:
    """Nothing was shown, so the plan may try another model, and what it shows is the answer alone."""
    showing = show(final("small", "large"), {"small": failing("small"), "large": model("large", "Hi")})
    assert showing.shown == ["Hi"]
    assert showing.result.model == "large"
    assert [(step.effect.model, step.cost_usd) for step in showing.steps] == [("small", 0.0), ("large", 0.5)]


def test_when_all_fail_unseen_the_plan_fails() -> None:
    """Every model's error before its first delta is in the plan's own."""
    showing = show(final("small", "large"), {"small": failing("small"), "large": failing("large")})
    assert isinstance(showing.error, AllModelsFailedError)
    assert [error.model for error in showing.error.errors] == ["small", "large"]


def test_a_failure_after_the_first_delta_ends_the_plan() -> None:
    """The error tells what was emitted and its usage; no other model is tried, and the cost is what the error says."""
    usage = Usage(input_tokens=5, output_tokens=2)
    scripts = {"small": failing("small", "Hel", "lo", usage=usage, cost_usd=0.1), "large": model("large", "Hi")}
    showing = show(final("small", "large"), scripts)
    assert showing.shown == ["Hel", "lo"]
    assert isinstance(showing.error, CallError)
    assert (showing.error.emitted, showing.error.usage) == (5, usage)
    assert [(step.outcome.emitted, step.cost_usd) for step in showing.steps] == [(5, 0.1)]


def test_a_plan_cannot_talk_over_a_partly_shown_failure() -> None:
    """A plan that would fall back after the reader saw something is ended all the same."""

    def stubborn() -> Plan[Answer]:
        try:
            yield from ask(Call(model="small", stream=True))
        except CallError:
            return Answer.of((yield from ask(Call(model="large"))))
        raise AssertionError("unreachable")

    showing = show(stubborn, {"small": failing("small", "H"), "large": model("large", "Hi")})
    assert (showing.shown, showing.performed) == (["H"], [])
    assert isinstance(showing.error, CallError)


def test_a_piece_without_text_counts_as_shown() -> None:
    """A tool call that began to stream has no text, yet another model must not take over."""
    scripts = {"small": failing("small", "", ""), "large": model("large", "Hi")}
    showing = show(final("small", "large"), scripts)
    assert isinstance(showing.error, CallError)
    assert showing.error.emitted == 2


def test_the_cause_of_a_failure_is_kept() -> None:
    """An error that is told how much was emitted still has the provider's exception as its cause."""

    def open_(_call: Call) -> Iterator[Delta | Response]:
        yield Delta(text="Hi")
        raise CallError("small", "gone") from ConnectionResetError("peer")

    stream = drive_stream(final("small")(), pytest.fail, recorded_stream(open_, Recorder()))
    with pytest.raises(CallError) as raised:
        list(stream)
    assert isinstance(raised.value.__cause__, ConnectionResetError)
    assert raised.value.emitted == 2


def test_an_error_that_models_share_is_left_as_it_was() -> None:
    """What was emitted is told on a copy: a client may raise the same error object again."""
    script = failing("small", "Hi")
    show(final("small"), {"small": script})
    assert script[-1].emitted == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("take", [1, 2])
def test_closing_early_leaves_an_interrupted_step(take: int) -> None:
    """A reader that stops has the open stream closed, and the call on record with what it saw, cost unknown."""
    showing = show(drafting, {name: model(name, "Hel", "lo") for name in ("draft", "judge", "large")}, take=take)
    draft, judge, cut = showing.steps
    assert (draft.cost_usd, judge.cost_usd, cut.cost_usd) == (0.5, 0.5, None)
    assert (cut.outcome.interrupted, cut.outcome.emitted) == (True, [3, 5][take - 1])
    assert showing.closed == ["large"]


def test_a_stream_that_is_never_read_does_nothing() -> None:
    """Nothing is performed before the first piece is asked for."""
    showing = show(drafting, {name: model(name, "x") for name in ("draft", "judge", "large")}, take=0)
    assert (showing.steps, showing.performed) == ((), [])


def test_a_dropped_stream_is_closed() -> None:
    """A reader that just forgets the stream leaves the same record as one that closes it."""
    models, recorder = Models({"small": model("small", "Hel", "lo")}, [], []), Recorder()
    stream = drive_stream(final("small")(), pytest.fail, recorded_stream(models.open, recorder))
    next(stream)
    del stream
    gc.collect()
    assert models.closed == ["small"]
    assert recorder.steps[0].outcome.interrupted


async def test_cancelling_the_reader_leaves_an_interrupted_step() -> None:
    """A task that is cancelled while it waits for a piece closes the stream and records the call."""
    recorder, closed, waiting = Recorder(), asyncio.Event(), asyncio.Event()

    async def open_(_call: Call) -> AsyncIterator[Delta | Response]:
        try:
            yield Delta(text="Hel")
            waiting.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def read() -> None:
        async for _ in adrive_stream(final("small")(), pytest.fail, arecorded_stream(open_, recorder)):
            pass

    task = asyncio.create_task(read())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (step,) = recorder.steps
    assert closed.is_set()
    assert (step.cost_usd, step.outcome.interrupted, step.outcome.emitted) == (None, True, 3)


def test_a_bug_in_a_stream_propagates_with_the_call_on_record() -> None:
    """What is no CallError is raised as it is; the call may have been billed, so its cost is unknown."""
    showing = show(final("small"), {"small": [Delta(text="Hi"), ZeroDivisionError("a bug")]})
    assert isinstance(showing.error, ZeroDivisionError)
    assert [(step.cost_usd, step.outcome.emitted) for step in showing.steps] == [(None, 2)]


def test_a_stream_ends_in_exactly_one_response() -> None:
    """A stream without its response, with two, or with more after it breaks its contract, which the error names."""
    whole = Response(model="small", text="Hi")
    for script, told in (
        ([Delta(text="Hi")], "ended without its Response"),
        ([whole, whole], "two Responses"),
        ([whole, Delta(text="Hi")], "goes on after its Response"),
    ):
        showing = show(final("small"), {"small": script})
        assert isinstance(showing.error, PointsmanError)
        assert told in str(showing.error)


def test_a_piece_is_a_delta_or_the_response() -> None:
    """Anything else is a bug of the stream, and the error names its kind."""
    showing = show(final("small"), {"small": ["Hi"]})  # type: ignore[list-item]
    assert isinstance(showing.error, TypeError)
    assert "'small' yields Delta and, last, a Response; not str" in str(showing.error)


def test_more_after_a_streamed_success_is_a_bug() -> None:
    """Nothing but the answer may follow what the reader has seen."""

    def plan() -> Plan[Answer]:
        response = yield from ask(Call(model="small", stream=True))
        yield (Call(model="judge"),)
        return Answer.of(response)

    showing = show(plan, {"small": model("small", "Hi"), "judge": model("judge", "no")})
    assert isinstance(showing.error, PointsmanError)
    assert "after the streamed call of 'small'" in str(showing.error)
    assert [step.cost_usd for step in showing.steps] == [0.5]


def test_a_stream_may_be_any_iterator() -> None:
    """Streams need no close method: a plain iterator serves, and closing early still records."""
    recorder = Recorder()
    stream = drive_stream(
        final("small")(), pytest.fail, recorded_stream(lambda _call: iter(model("small", "Hel", "lo")), recorder)
    )
    assert next(stream).text == "Hel"
    stream.close()
    assert recorder.steps[0].outcome.emitted == 3


async def test_an_asynchronous_stream_may_be_any_iterator() -> None:
    """The same, awaited."""

    class Plain:
        def __init__(self) -> None:
            self.pieces = iter(model("small", "Hel", "lo"))

        def __aiter__(self) -> Plain:
            return self

        async def __anext__(self) -> Any:
            for piece in self.pieces:
                return piece
            raise StopAsyncIteration

    recorder = Recorder()
    opened = arecorded_stream(lambda _call: Plain(), recorder)
    stream = adrive_stream(final("small")(), pytest.fail, opened)
    assert [delta.text async for delta in stream] == ["Hel", "lo"]
    assert recorder.steps[0].cost_usd == 0.5


def test_unrecorded_streams_are_counted_as_well() -> None:
    """The driver itself knows what was shown, whoever records."""
    models = Models({"small": failing("small", "Hi"), "large": model("large", "Ho")}, [], [])
    stream = drive_stream(final("small", "large")(), pytest.fail, lambda call, _path: models.open(call))
    with pytest.raises(CallError) as raised:
        list(stream)
    assert raised.value.emitted == 2


async def test_the_result_stands_at_the_end_only() -> None:
    """Asking for it earlier raises."""
    models = Models({"small": model("small", "Hel", "lo")}, [], [])
    stream = adrive_stream(final("small")(), pytest.fail, lambda call, _path: models.aopen(call))
    with pytest.raises(PointsmanError, match="not ended"):
        _ = stream.result
    assert [delta.text async for delta in stream] == ["Hel", "lo"]
    assert stream.result.content == "Hello"


def test_pieces_that_are_out_are_let_go() -> None:
    """Pieces that each hold the whole text so far are not all kept until a stream ends: none is, once it is out."""

    class Piece:
        """A piece that shows something."""

    held = Held(lambda _: "shown")
    known = []
    for _ in range(3):
        piece = Piece()
        known.append(weakref.ref(piece))
        assert [delta.raw for delta in held.take(piece)] == [piece]
        del piece
    assert [one() for one in known] == [None] * 3
