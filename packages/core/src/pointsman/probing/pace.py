"""Pace: the calls of a model, spread so that no minute holds more of them than its provider allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from pointsman.errors import ConfigError

__all__ = ["Pace"]


class Pace:
    """Gives each call its turn; models without a limit never wait.

    Parameters:
        per_minute: Calls a minute, by model.
        clock: Seconds on a clock that never goes back.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        per_minute: Mapping[str, float],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        for model, calls in per_minute.items():
            if not calls > 0:
                raise ConfigError(f"Calls per minute must be more than 0; {model!r} has {calls}.")
        self._gaps = {model: 60.0 / calls for model, calls in per_minute.items()}
        self._next: dict[str, float] = {}
        self._clock = clock
        self._sleep = sleep

    async def turn(self, model: str) -> None:
        """Wait until this model may be called."""
        if model not in self._gaps:
            return
        now = self._clock()
        at = max(now, self._next.get(model, now))
        self._next[model] = at + self._gaps[model]
        if at > now:
            await self._sleep(at - now)
