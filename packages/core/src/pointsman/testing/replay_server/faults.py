"""What can go wrong on the way, on demand: refusals, delays, dropped and broken connections, damaged replies."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Fault", "FaultQueue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failure that the next matching requests meet instead of their answer.

    At most one of `status`, `after_tokens`, `hang`, `drop` and `malformed`; `delay_s` goes with any, and alone
    only makes the answer late.

    Parameters:
        model: The model whose requests fail; None: any.
        status: Answer with this HTTP error (400 to 599).
        count: How many requests it strikes; None: all from now on.
        retry_after: Seconds in the Retry-After header beside `status`.
        delay_s: Seconds of silence first, which a client's time-out may end.
        after_tokens: Break the stream after so many tokens. A request that is not streamed is dropped.
        hang: Never answer; the client must give up.
        drop: Close the connection without a word.
        malformed: Answer with JSON that breaks off.

    Raises:
        ValueError: If nothing would go wrong, two things at once would, or a number is out of range.
    """

    model: str | None = None
    status: int | None = None
    count: int | None = 1
    retry_after: float | None = None
    delay_s: float = 0.0
    after_tokens: int | None = None
    hang: bool = False
    drop: bool = False
    malformed: bool = False

    def __post_init__(self) -> None:
        kinds = {
            "status": self.status is not None,
            "after_tokens": self.after_tokens is not None,
            "hang": self.hang,
            "drop": self.drop,
            "malformed": self.malformed,
        }
        chosen = [name for name, wanted in kinds.items() if wanted]
        if len(chosen) > 1:
            raise ValueError(f"a fault does one thing, got {' and '.join(chosen)}")
        if not chosen and not self.delay_s:
            raise ValueError(f"a fault needs delay_s or one of {', '.join(kinds)}")
        if self.status is not None and not 400 <= self.status <= 599:  # noqa: PLR2004 - the error statuses of HTTP
            raise ValueError(f"status must be from 400 to 599, got {self.status}")
        if self.retry_after is not None and (self.status is None or not self.retry_after >= 0):
            raise ValueError(f"retry_after is 0 or more and goes with a status, got {self.retry_after}")
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be 1 or more, or None for ever, got {self.count}")
        if not self.delay_s >= 0 or (self.after_tokens is not None and self.after_tokens < 0):
            raise ValueError(f"delay_s and after_tokens must be 0 or more, got {self.delay_s}, {self.after_tokens}")


class FaultQueue:
    """Faults still to come, each request taking the first that fits its model. Safe between threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._left: list[int | None] = []
        self.add(faults)

    def add(self, faults: Iterable[Fault]) -> None:
        """Queue `faults` behind those still waiting."""
        new = list(faults)
        with self._lock:
            self._waiting += new
            self._left += [fault.count for fault in new]

    def take(self, model: str) -> Fault | None:
        """Use up one stroke of the first waiting fault that fits `model`, if any does."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.model not in (None, model):
                    continue
                left = self._left[place]
                if left == 1:
                    del self._waiting[place], self._left[place]
                elif left is not None:
                    self._left[place] = left - 1
                return fault
        return None
