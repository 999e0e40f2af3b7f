"""The server's own books: what every request used, cost and came to."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pointsman.testing.replay_server.tokens import Tokens

__all__ = ["Ledger", "LedgerEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One request that named a model, as it stood when the ledger was read.

    Parameters:
        request_id: The reply's `x-request-id`.
        model: The model asked.
        path: The endpoint asked.
        status: The reply's HTTP status; None while, or if, nothing was replied.
        input_tokens: Tokens of the prompt that count; 0 for a refused request.
        output_tokens: Tokens of the reply that count; of an unfinished stream those sent.
        cached_tokens: Those of the input read from a cache.
        reasoning_tokens: Those of the output the client never sees.
        cost_usd: What that costs in US dollars; None when tokens were used and the model has no price.
        streamed: Whether a stream was asked for.
        completed: Whether the client got the whole reply, be it an answer or an error.
        request: The request's body.
        started_at: When it came, in seconds of the monotonic clock.
    """

    request_id: str
    model: str
    path: str
    status: int | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float | None = 0.0
    streamed: bool = False
    completed: bool = False
    request: Mapping[str, Any]
    started_at: float


class Ledger:
    """Entries in the order the requests came. Safe between threads.

    Parameters:
        prices: model -> US dollars a million (input, output) tokens; a cached token costs as any other.
    """

    def __init__(self, prices: Mapping[str, tuple[float, float]]) -> None:
        self._prices = dict(prices)
        self._lock = threading.Lock()
        self._entries: dict[str, LedgerEntry] = {}

    @property
    def entries(self) -> tuple[LedgerEntry, ...]:
        """All entries so far, those of requests still under way included."""
        with self._lock:
            return tuple(self._entries.values())

    def open(self, request_id: str, *, model: str, path: str, streamed: bool, request: Mapping[str, Any]) -> None:
        """Enter a request that has just come."""
        entry = LedgerEntry(
            request_id=request_id,
            model=model,
            path=path,
            streamed=streamed,
            request=request,
            started_at=time.monotonic(),
        )
        with self._lock:
            self._entries[request_id] = entry

    def reply(self, request_id: str, *, status: int, tokens: Tokens) -> None:
        """Note what the reply is, and what it has used so far."""
        with self._lock:
            entry = self._entries[request_id]
            self._entries[request_id] = replace(
                entry,
                status=status,
                input_tokens=tokens.input,
                output_tokens=tokens.output,
                cached_tokens=tokens.cached,
                reasoning_tokens=tokens.reasoning,
                cost_usd=self._cost(entry.model, tokens),
            )

    def complete(self, request_id: str, *, completed: bool) -> None:
        """Note whether the client got the whole reply."""
        with self._lock:
            self._entries[request_id] = replace(self._entries[request_id], completed=completed)

    def cost_usd(self) -> float | None:
        """Return the cost of all completed requests in US dollars; None if that of one is unknown."""
        costs = [entry.cost_usd for entry in self.entries if entry.completed]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    def _cost(self, model: str, tokens: Tokens) -> float | None:
        if not (tokens.input or tokens.output):
            return 0.0
        if model not in self._prices:
            return None
        per_input, per_output = self._prices[model]
        return (tokens.input * per_input + tokens.output * per_output) / 1e6
