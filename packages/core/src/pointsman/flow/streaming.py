"""Streaming drivers: the last call of a plan is shown as it comes, everything before it is performed unseen."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from functools import partial
from typing import Generic, Self, TypeVar

from pointsman.errors import PointsmanError
from pointsman.flow.driving import aperform_batch, perform_batch
from pointsman.flow.grammar import AsyncOpenStream, AsyncPerform, OpenStream, Outcome, Perform, Plan, Run
from pointsman.flow.recording import Recorder
from pointsman.flow.shown import Shown
from pointsman.types import Answer, Call, CallError, Delta, Path, Response

__all__ = ["AsyncStream", "adrive_stream", "arecorded_stream", "drive_stream", "recorded_stream"]

T = TypeVar("T")


def drive_stream(plan: Plan[T], perform: Perform, open_stream: OpenStream | None) -> Generator[Delta, None, T]:
    """Perform a plan and yield its answer piece by piece; the generator returns the plan's result.

    A single call with `stream=True` is opened with `open_stream`, which yields deltas and the Response last; every other
    effect is performed, and so is all of it without `open_stream`. A failure before the first delta goes into the plan like
    any other; one after it ends the plan. An answer that was not shown by then is yielded as one piece. Closing early closes
    the open stream.
    """
    with Run(plan) as run:
        shown: Shown | None = None
        while not run.done:
            if run.final_call is None or open_stream is None:
                run.send(perform_batch(run.requests(), perform))
                continue
            shown = Shown(run.final_call)
            try:
                yield from shown.deltas(partial(open_stream, run.final_call, (run.round, 0)))
                outcome: Outcome = shown.complete()
            except CallError as error:
                outcome = error
            run.send((outcome,))
        yield from _unshown(run, shown)
        return run.result


class AsyncStream(Generic[T]):
    """The pieces of a plan's answer, asynchronously; `result` is what the plan returned, once they are exhausted."""

    def __init__(self, plan: Plan[T], perform: AsyncPerform, open_stream: AsyncOpenStream | None) -> None:
        self._run: Run[T] | None = None
        self._deltas = self._drive(plan, perform, open_stream)

    async def _drive(
        self, plan: Plan[T], perform: AsyncPerform, open_stream: AsyncOpenStream | None
    ) -> AsyncGenerator[Delta, None]:
        with Run(plan) as run:
            shown: Shown | None = None
            while not run.done:
                if run.final_call is None or open_stream is None:
                    run.send(await aperform_batch(run.requests(), perform))
                    continue
                shown = Shown(run.final_call)
                try:
                    async with aclosing(shown.adeltas(partial(open_stream, run.final_call, (run.round, 0)))) as deltas:
                        async for delta in deltas:
                            yield delta
                    outcome: Outcome = shown.complete()
                except CallError as error:
                    outcome = error
                run.send((outcome,))
            for delta in _unshown(run, shown):
                yield delta
            self._run = run

    @property
    def result(self) -> T:
        """What the plan returned; raise PointsmanError while there is more to come."""
        if self._run is None:
            raise PointsmanError("The stream has not ended; its result does not exist yet.")
        return self._run.result

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delta:
        return await anext(self._deltas)

    async def aclose(self) -> None:
        """Close the open stream and end here."""
        await self._deltas.aclose()


def adrive_stream(plan: Plan[T], perform: AsyncPerform, open_stream: AsyncOpenStream | None) -> AsyncStream[T]:
    """Perform a plan and return its answer's pieces as an asynchronous iterator; the rules are those of `drive_stream`."""
    return AsyncStream(plan, perform, open_stream)


def _unshown(run: Run[T], shown: Shown | None) -> Iterator[Delta]:
    """Yield the answer's text once where no stream has shown it."""
    answer = run.result
    if not isinstance(answer, Answer) or (shown is not None and shown.response is not None):
        return
    if isinstance(answer.content, str):
        yield Delta(text=answer.content)
        return
    texts = [response.text for response in run.responses if response.step in answer.support]
    yield Delta(text="\n".join(texts))


def recorded_stream(open_stream: Callable[[Call], Iterator[Delta | Response]], recorder: Recorder) -> OpenStream:
    """Make a stream record what it ends in: its response, its error, or that it was cut off."""

    def streaming(call: Call, path: Path) -> Iterator[Delta | Response]:
        with recorder.recording(call, path) as keep:
            shown = Shown(call)
            try:
                yield from shown.deltas(partial(open_stream, call))
                response = keep(shown.complete())
            finally:
                if shown.cut_off:
                    keep(shown.interrupted())
        yield response

    return streaming


def arecorded_stream(
    open_stream: Callable[[Call], AsyncIterator[Delta | Response]], recorder: Recorder
) -> Callable[[Call, Path], AsyncGenerator[Delta | Response, None]]:
    """Make an asynchronous stream record what it ends in: its response, its error, or that it was cut off."""

    async def streaming(call: Call, path: Path) -> AsyncGenerator[Delta | Response, None]:
        with recorder.recording(call, path) as keep:
            shown = Shown(call)
            try:
                async with aclosing(shown.adeltas(partial(open_stream, call))) as deltas:
                    async for delta in deltas:
                        yield delta
                response = keep(shown.complete())
            finally:
                if shown.cut_off:
                    keep(shown.interrupted())
        yield response

    return streaming
