"""Streams of an answer: iterate them for its pieces, read the trace at their end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Self

from pointsman.dispatch.journey import Journey
from pointsman.errors import PointsmanError
from pointsman.types import Delta, Trace

__all__ = ["AnswerStream", "AsyncAnswerStream"]


class AnswerStream(Iterator[Delta]):
    """The pieces of one answer; nothing is performed before the first is asked for.

    `trace` stands once the pieces are exhausted, an error was raised or the stream was closed. Leave early with `close`, or
    use it as a context manager: what was shown by then is recorded, and the call is marked as interrupted.
    """

    def __init__(self, journey: Journey, deltas: Generator[Delta, None, None]) -> None:
        self._journey = journey
        self._deltas = deltas

    def __next__(self) -> Delta:
        return next(self._deltas)

    def close(self) -> None:
        """Stop here; the trace ends as cancelled unless it had ended."""
        self._deltas.close()
        self._journey.end("cancelled")

    @property
    def trace(self) -> Trace:
        """Everything that happened; raise PointsmanError while it is still happening."""
        return _ended(self._journey)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncAnswerStream(AsyncIterator[Delta]):
    """The pieces of one answer, asynchronously; the rules are those of AnswerStream."""

    def __init__(self, journey: Journey, deltas: AsyncGenerator[Delta, None]) -> None:
        self._journey = journey
        self._deltas = deltas

    async def __anext__(self) -> Delta:
        return await anext(self._deltas)

    async def aclose(self) -> None:
        """Stop here; the trace ends as cancelled unless it had ended."""
        await self._deltas.aclose()
        self._journey.end("cancelled")

    @property
    def trace(self) -> Trace:
        """Everything that happened; raise PointsmanError while it is still happening."""
        return _ended(self._journey)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _ended(journey: Journey) -> Trace:
    if journey.trace is None:
        raise PointsmanError("The stream has not ended; its trace does not exist yet.")
    return journey.trace
