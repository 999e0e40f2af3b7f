"""Streaming drivers: the last call of a plan is shown as it comes, everything before it is performed unseen."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from typing import Generic, Self, TypeVar

from pointsman.errors import PointsmanError
from pointsman.flow.driving import aperform_batch, perform_batch
from pointsman.flow.grammar import AsyncOpenStream, AsyncPerform, OpenStream, Outcome, Perform, Plan, Run
from pointsman.flow.recording import Keep, Records
from pointsman.types import Answer, Call, CallError, Delta, Path, Response

__all__ = [
    "AsyncStream",
    "Shown",
    "adrive_stream",
    "arecorded_stream",
    "drive_stream",
    "recorded_stream",
]

T = TypeVar("T")


def drive_stream(plan: Plan[T], perform: Perform, open_stream: OpenStream | None) -> Generator[Delta, None, T]:
    """Perform a plan and yield its answer piece by piece; the generator returns the plan's result.

    A single call with `stream=True` is opened with `open_stream`, which yields deltas and the response last; every other
    effect is performed. A plan that ends without such a call has its answer's text yielded once. Closing early closes the
    open stream. Without `open_stream` everything is performed.
    """
    with Run(plan) as run:
        shown: Shown | None = None
        while not run.done:
            if run.final_call is None or open_stream is None:
                run.send(perform_batch(run.requests(), perform))
                continue
            shown = Shown(run.final_call)
            try:
                outcome: Outcome = yield from shown.deltas(open_stream(run.final_call, (run.round, 0)))
            except CallError as error:
                outcome = error
            run.send((outcome,))
        if shown is None or shown.response is None:
            yield from _unshown(run.result)
        return run.result


class AsyncStream(Generic[T]):
    """The pieces of an answer, asynchronously; `result` is the plan's result once they are exhausted."""

    def __init__(self, plan: Plan[T], perform: AsyncPerform, open_stream: AsyncOpenStream | None) -> None:
        self._ended: tuple[T] | None = None
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
                    async with aclosing(shown.adeltas(open_stream(run.final_call, (run.round, 0)))) as deltas:
                        async for delta in deltas:
                            yield delta
                    outcome: Outcome = shown.complete()
                except CallError as error:
                    outcome = error
                run.send((outcome,))
            if shown is None or shown.response is None:
                for delta in _unshown(run.result):
                    yield delta
            self._ended = (run.result,)

    @property
    def result(self) -> T:
        """What the plan returned."""
        if self._ended is None:
            raise PointsmanError("The stream has not ended; its result does not exist yet.")
        return self._ended[0]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delta:
        return await anext(self._deltas)

    async def aclose(self) -> None:
        """Close the open stream; what it emitted stays on record as interrupted."""
        await self._deltas.aclose()


def adrive_stream(plan: Plan[T], perform: AsyncPerform, open_stream: AsyncOpenStream | None) -> AsyncStream[T]:
    """Return the pieces of a plan's answer as an asynchronous iterator, by the rules of `drive_stream`."""
    return AsyncStream(plan, perform, open_stream)


def _unshown(result: object) -> Iterator[Delta]:
    if isinstance(result, Answer):
        text = result.content if isinstance(result.content, str) else str(result.content)
        yield Delta(text=text)


class Shown:
    """What one streamed call has shown so far, and the response it ended in.

    `emitted` counts the characters shown; a piece without text, such as of a tool call, counts as one.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.emitted = 0
        self.response: Response | None = None
        self.failed = False

    def deltas(self, pieces: Iterator[Delta | Response]) -> Generator[Delta, None, Response]:
        """Yield the deltas and return the response; a CallError raised on the way carries what was emitted."""
        try:
            for piece in pieces:
                if self._takes(piece):
                    yield piece
        except CallError as error:
            raise self._failing(error) from error.__cause__
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        return self.complete()

    async def adeltas(self, pieces: AsyncIterator[Delta | Response]) -> AsyncGenerator[Delta, None]:
        """Yield the deltas; `complete` returns the response afterwards."""
        try:
            async for piece in pieces:
                if self._takes(piece):
                    yield piece
        except CallError as error:
            raise self._failing(error) from error.__cause__
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    def complete(self) -> Response:
        """Return the response that ended the stream."""
        if self.response is None:
            raise PointsmanError(f"The stream of {self.call.model!r} ended without its Response, which comes last.")
        return self.response

    def interrupted(self) -> CallError:
        """Return what to record of a stream that was cut off."""
        return CallError(
            self.call.model,
            f"cut off after {self.emitted} characters; it may have been billed",
            emitted=self.emitted,
            interrupted=True,
        )

    def _takes(self, piece: Delta | Response) -> bool:
        if self.response is not None:
            raise PointsmanError(f"The stream of {self.call.model!r} goes on after its Response, which comes last.")
        if isinstance(piece, Response):
            self.response = piece
            return False
        self.emitted += len(piece.text) or 1
        return True

    def _failing(self, error: CallError) -> CallError:
        self.failed = True
        error.emitted = max(error.emitted, self.emitted)
        return error


def recorded_stream(open_stream: Callable[[Call], Iterator[Delta | Response]], recorder: Records) -> OpenStream:
    """Make a stream record what it ends in: its response, its error, or that it was cut off."""

    def streaming(call: Call, path: Path) -> Iterator[Delta | Response]:
        with recorder.recording(call, path) as keep:
            shown = Shown(call)
            try:
                response = keep((yield from shown.deltas(open_stream(call))))
            finally:
                _keep_interruption(shown, keep)
        yield response

    return streaming


def arecorded_stream(
    open_stream: Callable[[Call], AsyncIterator[Delta | Response]], recorder: Records
) -> AsyncOpenStream:
    """Make an asynchronous stream record what it ends in: its response, its error, or that it was cut off."""

    async def streaming(call: Call, path: Path) -> AsyncIterator[Delta | Response]:
        with recorder.recording(call, path) as keep:
            shown = Shown(call)
            try:
                async with aclosing(shown.adeltas(open_stream(call))) as deltas:
                    async for delta in deltas:
                        yield delta
                response = keep(shown.complete())
            finally:
                _keep_interruption(shown, keep)
        yield response

    return streaming


def _keep_interruption(shown: Shown, keep: Keep) -> None:
    if shown.response is None and not shown.failed:
        keep(shown.interrupted())
