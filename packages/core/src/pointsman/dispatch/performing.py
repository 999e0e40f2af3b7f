"""Performers with deadlines and retries: the same attempts, blocking or awaited, whole or streamed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from pointsman.dispatch.deadline import atimely, atimely_stream, timely, timely_stream
from pointsman.dispatch.journey import Journey
from pointsman.dispatch.retry import Retry, Tries
from pointsman.errors import ConfigError
from pointsman.flow import (
    AsyncOpenStream,
    AsyncPerform,
    Effect,
    OpenStream,
    Outcome,
    Perform,
    addressee,
    arecorded_stream,
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
    """Wraps a caller's functions: every attempt has its deadline and is recorded, and is made again where that may help."""

    retry: Retry
    deadline_s: float | None

    def __post_init__(self) -> None:
        if self.deadline_s is not None and not self.deadline_s > 0:
            raise ConfigError(f"Dispatcher.deadline_s must be more than 0 seconds, got {self.deadline_s}.")

    def _tries(self, journey: Journey, path: Path) -> Tries:
        return Tries(self.retry, self.deadline_s, journey.id, path)

    def calls(self, journey: Journey, perform: Performer) -> Perform:
        """Wrap a blocking performer."""

        def performing(effect: Effect, path: Path) -> Outcome:
            tries = self._tries(journey, path)
            while True:
                try:
                    with journey.attempts.recording(effect, path) as keep:
                        return keep(_checked(effect, _performed(perform, effect, tries.left_s)))
                except CallError as error:
                    pause_s = tries.pause_after(error)
                time.sleep(pause_s)

        return performing

    def acalls(self, journey: Journey, perform: AsyncPerformer) -> AsyncPerform:
        """Wrap an awaitable performer."""

        async def performing(effect: Effect, path: Path) -> Outcome:
            tries = self._tries(journey, path)
            while True:
                try:
                    with journey.attempts.recording(effect, path) as keep:
                        return keep(_checked(effect, await atimely(addressee(effect), perform(effect), tries.left_s)))
                except CallError as error:
                    pause_s = tries.pause_after(error)
                await asyncio.sleep(pause_s)

        return performing

    def streams(self, journey: Journey, open_stream: Opener) -> OpenStream:
        """Wrap a blocking stream; its deadline is for the first piece, and it is tried again only before that."""

        def streaming(call: Call, path: Path) -> Iterator[Delta | Response]:
            tries = self._tries(journey, path)
            attempt = recorded_stream(
                lambda call: timely_stream(call.model, partial(open_stream, call), tries.left_s), journey.attempts
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

    def astreams(self, journey: Journey, open_stream: AsyncOpener) -> AsyncOpenStream:
        """Wrap an asynchronous stream; its deadline is for the first piece, and it is tried again only before that."""

        async def streaming(call: Call, path: Path) -> AsyncGenerator[Delta | Response, None]:
            tries = self._tries(journey, path)
            attempt = arecorded_stream(
                lambda call: atimely_stream(call.model, partial(open_stream, call), tries.left_s), journey.attempts
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


def _performed(perform: Performer, effect: Effect, seconds: float | None) -> Outcome:
    """Perform an effect within its time."""
    if seconds is None:
        return perform(effect)
    return timely(addressee(effect), partial(perform, effect), seconds)


def _checked(effect: Effect, outcome: Outcome) -> Outcome:
    """Hold a performer to its contract."""
    if isinstance(outcome, Response):
        return outcome
    if isinstance(outcome, CallError):
        raise outcome
    if isinstance(effect, Call):
        raise TypeError(f"The performer of {effect.model!r} must return a Response, not {type(outcome).__name__}.")
    return outcome
