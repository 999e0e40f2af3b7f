"""Per call: what a caller says of the routed calls within a block, since engines and agents pass no arguments through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from pointsman.errors import ConfigError, choices
from pointsman.types import UNCONSTRAINED, Constraints

__all__ = ["Wishes", "routing", "wishes"]

_LIMITS = ("max_cost_usd", "max_latency_s", "min_quality")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What holds for the calls of a block; None leaves it open."""

    query: str | None = None
    model: str | None = None
    max_cost_usd: float | None = None
    max_latency_s: float | None = None
    min_quality: float | None = None
    operating_point: float | None = None
    session_id: str | None = None
    query_id: str | None = None
    domain: str | None = None

    def __post_init__(self) -> None:
        for name in (*_LIMITS, "operating_point"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
                raise ConfigError(f"routing({name}=...) must be a finite number, got {value!r}.")
            if name in _LIMITS and value < 0:
                raise ConfigError(f"routing({name}=...) must be at least 0, got {value!r}.")

    def constraints(self, candidates: Any) -> Constraints:
        """Return the hard limits of a call; a pinned model leaves a single candidate, which must be one."""
        if self.model is not None and self.model not in candidates:
            raise ConfigError(f"Unknown model {self.model!r}; the candidates are {choices(candidates)}.")
        if self is _OPEN:
            return UNCONSTRAINED
        return Constraints(
            max_cost_usd=self.max_cost_usd,
            max_latency_s=self.max_latency_s,
            min_quality=self.min_quality,
            allow=None if self.model is None else frozenset({self.model}),
        )


_OPEN = Wishes()
_WISHES: ContextVar[Wishes] = ContextVar("llamaindex_router_wishes", default=_OPEN)


def wishes() -> Wishes:
    """Return what holds here."""
    return _WISHES.get()


@contextmanager
def routing(**wanted: Any) -> Iterator[None]:
    """Say for the routed calls within a block how to route them, whatever engine or agent makes them.

    A block within another changes what it names. Tasks and workflows that are started inside keep what held then.

    Args:
        wanted: `query` (the question to route on), `model` (the candidate that must answer), `max_cost_usd`, `max_latency_s`
            and `min_quality` (limits on what the router expects of the answering call), `operating_point` (the trade-off, in
            the policy's own unit), `session_id`, `query_id` and `domain`.

    Raises:
        ConfigError: For an unknown name, or a limit that is no number of at least 0.

    >>> with routing(query="Who wrote it?", max_cost_usd=0.001):
    ...     wishes().max_cost_usd
    0.001
    """
    known = Wishes.__slots__
    if unknown := set(wanted) - set(known):
        raise ConfigError(f"routing knows no {choices(unknown)}; it knows {choices(known)}.")
    token = _WISHES.set(replace(_WISHES.get(), **wanted))
    try:
        yield
    finally:
        _WISHES.reset(token)
