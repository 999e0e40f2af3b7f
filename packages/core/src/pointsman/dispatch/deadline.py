"""Deadlines: what outlives its time is given up, recorded as interrupted, and still billed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future, wait
from contextvars import copy_context
from threading import Thread
from typing import Any, TypeVar

from pointsman.types import CallError

__all__ = ["OverdueError", "atimely", "atimely_stream", "timely", "timely_stream"]

T = TypeVar("T")
_END: Any = object()


class OverdueError(CallError):
    """A call that was given up at its deadline; `late` is its future, where it goes on in a thread."""

    def __init__(self, model: str, message: str, *, late: Future[Any] | None = None, **details: Any) -> None:
        super().__init__(model, message, **details)
        self.late = late

    @classmethod
    def after(cls, seconds: float, name: str, late: Future[Any] | None = None) -> OverdueError:
        """Make the error of a call that had this many seconds; another model may be faster, so it is retryable."""
        message = f"no answer within {seconds:.3g} s; it may have been billed"
        return cls(name, message, late=late, retryable=True, interrupted=True)


def timely(name: str, perform: Callable[[], T], seconds: float | None) -> T:
    """Return what a blocking function returns, or raise OverdueError and leave it to its thread.

    The thread sees the caller's context variables. Without a limit the function runs right here.
    """
    if seconds is None:
        return perform()
    future: Future[T] = Future()
    Thread(target=copy_context().run, args=(_fulfil, future, perform), daemon=True).start()
    if not wait([future], timeout=seconds).done:
        raise OverdueError.after(seconds, name, future)
    return future.result()


def _fulfil(future: Future[T], perform: Callable[[], T]) -> None:
    try:
        result = perform()
    except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
        future.set_exception(error)
    else:
        future.set_result(result)


async def atimely(name: str, performing: Awaitable[T], seconds: float | None) -> T:
    """Return what an awaitable returns, or cancel it and raise OverdueError."""
    if seconds is None:
        return await performing
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await performing
    except TimeoutError:
        if limit.expired():
            raise OverdueError.after(seconds, name) from None
        raise


def timely_stream(name: str, opening: Callable[[], Iterator[T]], seconds: float | None) -> Iterator[T]:
    """Yield the pieces of a stream that must open, and show its first piece, within its time."""

    def begin() -> tuple[Iterator[T], T]:
        pieces = iter(opening())
        return pieces, next(pieces, _END)

    try:
        pieces, first = timely(name, begin, seconds)
    except OverdueError as error:
        if error.late is not None:
            error.late.add_done_callback(_close_late)
        raise
    try:
        if first is not _END:
            yield first
            yield from pieces
    finally:
        _close(pieces)


def _close_late(future: Future[tuple[Iterator[T], T]]) -> None:
    if future.exception() is None:
        _close(future.result()[0])


def _close(pieces: object) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()


async def atimely_stream(
    name: str, opening: Callable[[], AsyncIterator[T]], seconds: float | None
) -> AsyncGenerator[T, None]:
    """Yield the pieces of a stream that must show its first piece within its time."""
    pieces = opening()
    try:
        first = await atimely(name, anext(pieces, _END), seconds)
        if first is not _END:
            yield first
            async for piece in pieces:
                yield piece
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
