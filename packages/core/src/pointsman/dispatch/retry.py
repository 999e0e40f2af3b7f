"""Retry: how often, and after which pause, the same model is tried again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import inf

from pointsman.dispatch.reserving import refused
from pointsman.errors import ConfigError
from pointsman.routers.base import uniform
from pointsman.types import CallError

__all__ = ["Retry", "Tries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try one model again after retryable errors, with exponential back-off.

    Changing the model is the plan's business; this is only about the same one. A provider's `retry_after` is honoured: the
    pause is never shorter than that.

    Parameters:
        attempts: Calls of one model at most, the first one included.
        base_s: Seconds before the second attempt; they double from there.
        max_s: The longest pause. A provider that asks for a longer one is not tried again.
        jitter: The part of a pause, in [0, 1], that is left to chance.
    """

    attempts: int = 1
    base_s: float = 0.5
    max_s: float = 30.0
    jitter: float = 0.5

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ConfigError(f"Retry.attempts must be at least 1, got {self.attempts}.")
        if not 0 <= self.base_s <= self.max_s < inf:
            raise ConfigError(f"Retry needs 0 <= base_s <= max_s, got {self.base_s} and {self.max_s}.")
        if not 0 <= self.jitter <= 1:
            raise ConfigError(f"Retry.jitter must be in [0, 1], got {self.jitter}.")

    def pause_s(self, failures: int, error: CallError, chance: float = 0.0) -> float | None:
        """Return the seconds to wait after this many failures, or None to give up; `chance` is a number in [0, 1).

        >>> Retry(attempts=3, base_s=1, jitter=0).pause_s(2, CallError("small", "busy", retryable=True))
        2.0
        """
        if failures >= self.attempts or not error.retryable or error.emitted or refused(error):
            return None
        asked = error.retry_after or 0.0
        if asked > self.max_s:
            return None
        backed_off = min(self.max_s, self.base_s * 2.0 ** min(failures - 1, 1_000))
        return max(asked, backed_off * (1 - self.jitter * chance))


class Tries:
    """The attempts at one effect: how long is left for it, and how long to pause before the next."""

    __slots__ = ("_ends", "_failures", "_key", "_retry")

    def __init__(self, retry: Retry, deadline_s: float | None, *key: object) -> None:
        self._retry = retry
        self._key = key
        self._failures = 0
        self._ends = inf if deadline_s is None else time.monotonic() + deadline_s

    @property
    def left_s(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return None if self._ends == inf else max(0.0, self._ends - time.monotonic())

    def pause_after(self, error: CallError) -> float:
        """Return the seconds to wait before trying again, or raise the error: no attempt is left, or no time."""
        self._failures += 1
        pause = self._retry.pause_s(self._failures, error, uniform(self._failures, ":".join(map(str, self._key))))
        if pause is None or time.monotonic() + pause >= self._ends:
            raise error
        return pause
