"""Deadlines: what outlives its time is given up, recorded as interrupted, and still billed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future, wait
from contextvars import copy_context
from threading import Thread
from typing import Any, TypeVar

from pointsman.types import CallError

__all__ = ["Overdue", "atimely", "atimely_stream", "timely", "timely_stream"]

T = TypeVar("T")
_END: Any = object()


class Overdue(CallError):
    """A call that was given up at its deadline; `late` is its future, where it still runs in a thread."""

    __slots__ = ("late",)

    @classmethod
    def after(cls, name: str, seconds: float, late: Future[Any] | None = None) -> Overdue:
        """Make the error of a call that had this many seconds left."""
        error = cls(
            name, f"no answer within {seconds:.3g} s; it may have been billed", retryable=True, interrupted=True
        )
        error.late = late
        return error


def timely(name: str, perform: Callable[[], T], seconds: float | None) -> T:
    """Return what a blocking function returns, or raise Overdue and leave it to its thread.

    The thread sees the caller's context variables. Without a limit the function runs right here.
    """
    if seconds is None:
        return perform()
    future: Future[T] = Future()
    Thread(target=copy_context().run, args=(_fulfil, future, perform), daemon=True).start()
    if not wait([future], timeout=seconds).done:
        raise Overdue.after(name, seconds, future)
    return future.result()


def _fulfil(future: Future[T], perform: Callable[[], T]) -> None:
    try:
        result = perform()
    except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
        future.set_exception(error)
    else:
        future.set_result(result)


async def atimely(name: str, performing: Awaitable[T], seconds: float | None) -> T:
    """Return what an awaitable returns, or cancel it and raise Overdue."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await performing
    except TimeoutError:
        if limit.expired() and seconds is not None:
            raise Overdue.after(name, seconds) from None
        raise


def timely_stream(name: str, pieces: Iterator[T], seconds: float | None) -> Iterator[T]:
    """Yield the pieces of a stream whose first one must come within its time."""
    try:
        first = timely(name, lambda: next(pieces, _END), seconds)
    except Overdue as error:
        if error.late is not None:
            error.late.add_done_callback(lambda _: _close(pieces))
        raise
    try:
        if first is not _END:
            yield first
            yield from pieces
    finally:
        _close(pieces)


async def atimely_stream(name: str, pieces: AsyncIterator[T], seconds: float | None) -> AsyncIterator[T]:
    """Yield the pieces of a stream whose first one must come within its time."""
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


def _close(pieces: object) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()
