"""Health: a circuit breaker that leaves a model alone for a while after it failed several times in a row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Lock

from pointsman.dispatch.reserving import refused
from pointsman.errors import ConfigError
from pointsman.types import Call, CallError, Context, Response, Step

__all__ = ["Health"]


@dataclass(frozen=True, slots=True)
class _Record:
    failures: int = 0
    until: float = 0.0
    error: str = ""


class Health:
    """Which models are cooling down, and why; safe across threads.

    After `failures` retryable errors in a row a model is unavailable for `cooldown_s` seconds, or as long as the provider
    asked for. Its next call decides: a success clears it, another failure sends it back. Errors that are the request's own
    fault do not count.

    Parameters:
        failures: Errors in a row that open the circuit, at least 1.
        cooldown_s: Seconds to leave the model alone.
        clock: Seconds on a clock that never goes back.
    """

    def __init__(
        self, *, failures: int = 3, cooldown_s: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if failures < 1:
            raise ConfigError(f"Health.failures must be at least 1, got {failures}.")
        if not cooldown_s >= 0:
            raise ConfigError(f"Health.cooldown_s must be at least 0, got {cooldown_s}.")
        self.failures = failures
        self.cooldown_s = cooldown_s
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._lock = Lock()

    def observe(self, step: Step) -> None:
        """Take note of how one step ended."""
        if not isinstance(step.effect, Call):
            return
        model, outcome = step.effect.model, step.outcome
        with self._lock:
            if isinstance(outcome, Response):
                self._records.pop(model, None)
            elif isinstance(outcome, CallError) and outcome.retryable and not refused(outcome):
                self._records[model] = self._after(self._records.get(model, _Record()), outcome)

    def _after(self, record: _Record, error: CallError) -> _Record:
        failures = record.failures + 1
        if failures < self.failures:
            return replace(record, failures=failures)
        wait = max(self.cooldown_s, error.retry_after or 0.0)
        return _Record(failures=failures, until=self._clock() + wait, error=error.message)

    def unavailable(self) -> dict[str, str]:
        """Return the models that are cooling down, each with the reason."""
        now = self._clock()
        with self._lock:
            records = dict(self._records)
        return {
            model: f"cooling down for {record.until - now:.0f} s after {record.failures} failures ({record.error})"
            for model, record in records.items()
            if record.until > now
        }

    def fill(self, context: Context, models: Iterable[str]) -> Context:
        """Return the context with the models that are cooling down added to `unavailable`.

        When that would leave none of `models`, the one whose turn comes first is kept: trying beats refusing.
        """
        cooling = {model: why for model, why in self.unavailable().items() if model not in context.unavailable}
        if not cooling:
            return context
        if all(model in cooling or model in context.unavailable for model in models):
            with self._lock:
                first = min(cooling, key=lambda model: (self._records.get(model, _Record()).until, model))
            del cooling[first]
        return replace(context, unavailable={**context.unavailable, **cooling})
