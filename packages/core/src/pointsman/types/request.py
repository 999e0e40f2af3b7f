"""What is asked, and what holds at the moment it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

__all__ = ["UNCONSTRAINED", "Constraints", "Context", "Message", "Query", "Session"]

_empty = partial(field, default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation; `content` is text, or parts such as `{"type": "image", ...}`."""

    role: str
    content: str | tuple[Mapping[str, Any], ...]

    @property
    def text(self) -> str:
        """The text of all parts."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part["text"] for part in self.content if isinstance(part.get("text"), str))


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Hard limits of one request; None means unconstrained.

    Costs are US dollars and latencies seconds, both as predicted for the one answering call.
    `allow` and `deny` hold model names.
    """

    max_cost_usd: float | None = None
    max_latency_s: float | None = None
    min_quality: float | None = None
    allow: frozenset[str] | None = None
    deny: frozenset[str] = frozenset()


UNCONSTRAINED = Constraints()
"""The limits of a request that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One request as a router sees it.

    `text` is the question that is routed on; `messages` is the whole conversation that will be sent, where it is more than
    that question. `required` names capabilities the model must have ("tools", "image", ...). `domain` and `tags` are what
    the caller knows about it; `embedding` is a vector computed elsewhere. `max_output_tokens` is the longest answer asked for.
    """

    text: str
    id: str = ""
    messages: tuple[Message, ...] = ()
    session_id: str | None = None
    required: frozenset[str] = frozenset()
    constraints: Constraints = UNCONSTRAINED
    domain: str | None = None
    tags: Mapping[str, str] = _empty()
    embedding: Array | None = field(default=None, compare=False, repr=False)
    max_output_tokens: int | None = None

    @property
    def modalities(self) -> frozenset[str]:
        """The kinds of content in the conversation besides text: "image", "audio", "file", ..."""
        parts = (part for message in self.messages if not isinstance(message.content, str) for part in message.content)
        kinds = (str(part.get("type", "text")).removeprefix("input_").removesuffix("_url") for part in parts)
        return frozenset(kinds) - {"text"}

    @property
    def input_chars(self) -> int:
        """The length of everything that will be sent, in characters of text."""
        return sum(len(message.text) for message in self.messages) if self.messages else len(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What earlier turns of the same conversation settled: who answered last, and whether its tool call is still open."""

    last_model: str | None = None
    open_tool_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What holds at the moment of one decision; kept in the trace so that a replay decides alike.

    `operating_point` overrides the policy's fitted setting (its own unit: a λ, a threshold, dollars per query).
    `unavailable` maps models that are cooling down to the reason. `budget_left_usd` is what the ledger can still reserve.
    """

    operating_point: float | None = None
    unavailable: Mapping[str, str] = _empty()
    budget_left_usd: float | None = None
    session: Session = Session()
    clock: float | None = None
