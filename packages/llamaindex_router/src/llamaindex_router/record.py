"""The record: what the router did, on the response that the user gets and as an event of LlamaIndex's instrumentation."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, MessageRole
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.events import BaseEvent
from pydantic import Field

from llamaindex_router.spans import heard
from pointsman.dispatch import source_of
from pointsman.types import Trace

__all__ = ["KEY", "RouterDecisionEvent", "output_of", "stamped", "tell"]

KEY = "router"
"""Where a response's `additional_kwargs` hold the record."""

_dispatcher = get_dispatcher(__name__)
_STAMPED = ChatResponse | CompletionResponse


class RouterDecisionEvent(BaseEvent):
    """What a router decided for one call and what came of it, once the call has ended; None is unknown."""

    trace_id: str = Field(description="The core's trace, for feedback.")
    ended: str = Field(description='"answered", "failed" or "cancelled".')
    query: str = Field(description="The question that was routed on.")
    model: str | None = Field(description="Who answered.")
    ranking: list[str] = Field(description="Who was to be tried, in order.")
    tried: list[str] = Field(description="Who was called for it, in order.")
    reason: str
    propensity: float | None = Field(description="How likely the policy was to pick the first model.")
    estimates: dict[str, dict[str, float | None]] = Field(description="What the router expected of each model.")
    excluded: dict[str, str] = Field(description="Who was left out, and why.")
    degraded: list[str] = Field(description="What could not be honoured.")
    cost_usd: float | None = Field(description="Of all calls together, rejected drafts and judges too.")
    total_usage: dict[str, int] | None = Field(description="Of all calls together.")

    @classmethod
    def class_name(cls) -> str:
        """Return the name under which handlers know the event."""
        return "RouterDecisionEvent"


def tell(trace: Trace, record: dict[str, Any], span_id: str | None) -> None:
    """Send the event of a call that has ended, under the router's span, if anybody listens."""
    if not heard():
        return
    decision = trace.decisions[0] if trace.decisions else None
    _dispatcher.event(
        RouterDecisionEvent(
            **record,
            ended=trace.ended,
            query=trace.query.text,
            ranking=list(decision.ranking) if decision is not None else [],
            estimates={name: one._asdict() for name, one in decision.estimates.items()} if decision is not None else {},
            span_id=span_id,
        )
    )


def stamped(output: Any, record: dict[str, Any]) -> Any:
    """Return a response with the record beside what its provider told; anything else comes back as it is."""
    if isinstance(output, _STAMPED):
        return output.model_copy(update={"additional_kwargs": {**output.additional_kwargs, KEY: record}})
    return output


def output_of(trace: Trace) -> Any:
    """Return what the user gets: LlamaIndex's own object behind the answer, or a response made of the answer's content."""
    if trace.answer is None:
        return None
    source, support = source_of(trace)
    if source is not None:
        return source.raw
    text = str(trace.answer.content)
    if support and isinstance(support[0].raw, CompletionResponse):
        return CompletionResponse(text=text)
    if support and not isinstance(support[0].raw, ChatResponse):
        return support[0].raw
    return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text))
