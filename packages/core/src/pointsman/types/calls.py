"""What a plan wants performed, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, TypeAlias

from pointsman.errors import PointsmanError
from pointsman.types.decision import Decision
from pointsman.types.request import Message

__all__ = ["Call", "CallError", "Delta", "Embed", "Path", "Response", "Usage"]

Path: TypeAlias = tuple[int, ...]
"""Where a step stands in its plan: (round, position in the batch, attempt)."""

_empty = partial(field, default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call; None is unknown. `input_tokens` includes the cached ones, `output_tokens` the reasoning ones."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A model call that a plan wants performed; `messages` None sends the query's own conversation."""

    model: str
    messages: tuple[Message, ...] | None = None
    params: Mapping[str, Any] = _empty()
    purpose: str = "answer"
    stream: bool = False
    decision: Decision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """An embedding that a plan wants computed by a named embedder."""

    embedder: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a model answered and what it cost; `raw` is the framework's own object, untouched.

    `answer` is the final answer within `text`, where somebody has read it out, as benchmarks do. `logprobs` are natural
    logarithms of the probabilities of the tokens of `text`; `top_logprobs` those of the likeliest tokens at each place, highest
    first.
    """

    model: str
    text: str
    step: Path = ()
    content: Any = None
    usage: Usage | None = None
    cost_usd: float | None = None
    latency_s: float | None = field(default=None, compare=False)
    logprobs: tuple[float, ...] | None = None
    top_logprobs: tuple[tuple[float, ...], ...] | None = None
    answer: str | None = None
    served_model: str | None = None
    raw: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One piece of a streamed answer; `raw` is the framework's own chunk."""

    text: str
    raw: Any = field(default=None, compare=False, repr=False)


class CallError(PointsmanError):
    """A model call failed; an outcome like any other, which the plan may answer by trying another model.

    `emitted` counts characters that were already shown. `interrupted` marks a call that was cut off before its outcome was
    known: it may have been billed, so `usage` None keeps its reservation.
    """

    def __init__(
        self,
        model: str,
        message: str,
        *,
        retryable: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        emitted: int = 0,
        interrupted: bool = False,
        usage: Usage | None = None,
        cost_usd: float | None = None,
    ) -> None:
        super().__init__(f"{model}: {message}")
        self.model = model
        self.message = message
        self.retryable = retryable
        self.status = status
        self.retry_after = retry_after
        self.emitted = emitted
        self.interrupted = interrupted
        self.usage = usage
        self.cost_usd = cost_usd

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self._details()), (self.model, self.message)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CallError):
            return NotImplemented
        return (self.model, self.message, self._details()) == (other.model, other.message, other._details())

    def __hash__(self) -> int:
        return hash((self.model, self.message))

    def changed(self, **details: Any) -> Self:
        """Return a copy with other details, the same cause and the same traceback."""
        copy = type(self)(self.model, self.message, **{**self._details(), **details})
        copy.__cause__ = self.__cause__
        return copy.with_traceback(self.__traceback__)

    def _details(self) -> dict[str, Any]:
        names = ("retryable", "status", "retry_after", "emitted", "interrupted", "usage", "cost_usd")
        return {name: getattr(self, name) for name in names}
