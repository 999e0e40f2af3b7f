"""Performers with deadlines and retries: the same attempts, blocking or awaited, whole or streamed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from pointsman.dispatch.attempts import Attempts
from pointsman.dispatch.deadline import atimely, atimely_stream, timely, timely_stream
from pointsman.dispatch.retry import Retry, Tries
from pointsman.flow import (
    AsyncOpenStream,
    AsyncPerform,
    Effect,
    OpenStream,
    Outcome,
    Perform,
    addressee,
    arecorded,
    arecorded_stream,
    recorded,
    recorded_stream,
)
from pointsman.types import Call, CallError, Delta, Path, Response

__all__ = ["AsyncOpener", "AsyncPerformer", "Opener", "Performer", "Performing"]

Performer: TypeAlias = Callable[[Effect], Outcome]
AsyncPerformer: TypeAlias = Callable[[Effect], Awaitable[Outcome]]
Opener: TypeAlias = Callable[[Call], Iterator[Delta | Response]]
AsyncOpener: TypeAlias = Callable[[Call], AsyncIterator[Delta | Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performing:
    """Wraps a caller's functions: every attempt is held to its deadline and recorded, and tried again where that may help."""

    attempts: Attempts
    retry: Retry
    deadline_s: float | None
    key: str

    def _tries(self, path: Path) -> Tries:
        return Tries(self.retry, self.deadline_s, f"{self.key}:{path}")

    def calls(self, perform: Performer) -> Perform:
        """Wrap a blocking performer."""

        def performing(effect: Effect, path: Path) -> Outcome:
            tries = self._tries(path)
            attempt = recorded(
                lambda effect: _checked(effect, timely(addressee(effect), partial(perform, effect), tries.left_s)),
                self.attempts,
            )
            while True:
                try:
                    return attempt(effect, path)
                except CallError as error:
                    pause_s = tries.pause_after(error)
                time.sleep(pause_s)

        return performing

    def acalls(self, perform: AsyncPerformer) -> AsyncPerform:
        """Wrap an awaitable performer."""

        async def performing(effect: Effect, path: Path) -> Outcome:
            tries = self._tries(path)

            async def timed(effect: Effect) -> Outcome:
                return _checked(effect, await atimely(addressee(effect), perform(effect), tries.left_s))

            attempt = arecorded(timed, self.attempts)
            while True:
                try:
                    return await attempt(effect, path)
                except CallError as error:
                    pause_s = tries.pause_after(error)
                await asyncio.sleep(pause_s)

        return performing

    def streams(self, open_stream: Opener) -> OpenStream:
        """Wrap a blocking stream; its deadline is for the first piece, and it is tried again only before that."""

        def streaming(call: Call, path: Path) -> Iterator[Delta | Response]:
            tries = self._tries(path)
            attempt = recorded_stream(
                lambda call: timely_stream(call.model, partial(open_stream, call), tries.left_s), self.attempts
            )
            while True:
                try:
                    yield from attempt(call, path)
                except CallError as error:
                    pause_s = tries.pause_after(error)
                else:
                    return
                time.sleep(pause_s)

        return streaming

    def astreams(self, open_stream: AsyncOpener) -> AsyncOpenStream:
        """Wrap an asynchronous stream; its deadline is for the first piece, and it is tried again only before that."""

        async def streaming(call: Call, path: Path) -> AsyncGenerator[Delta | Response, None]:
            tries = self._tries(path)
            attempt = arecorded_stream(
                lambda call: atimely_stream(call.model, partial(open_stream, call), tries.left_s), self.attempts
            )
            while True:
                try:
                    async with aclosing(attempt(call, path)) as pieces:
                        async for piece in pieces:
                            yield piece
                except CallError as error:
                    pause_s = tries.pause_after(error)
                else:
                    return
                await asyncio.sleep(pause_s)

        return streaming


def _checked(effect: Effect, outcome: Outcome) -> Outcome:
    """Hold a performer to its contract."""
    if isinstance(outcome, CallError):
        raise outcome
    if isinstance(effect, Call) and not isinstance(outcome, Response):
        raise TypeError(f"The performer of {effect.model!r} must return a Response, not {type(outcome).__name__}.")
    return outcome
