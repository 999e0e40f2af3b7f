"""The record: what the router did, in the metadata of the message the user gets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langchain_core.messages import AIMessage, AIMessageChunk

from pointsman.types import Call, CallError, Embed, Response, Trace

__all__ = ["KEY", "as_chunk", "output_of", "record_of", "stamped"]

KEY = "router"
"""Where a message's `response_metadata` holds the record."""


def record_of(trace: Trace, run_id: UUID) -> dict[str, Any]:
    """Return the record of an answered trace as plain data.

    `cost_usd` and `total_usage` are those of all calls together, failed and rejected ones included; None is unknown.
    """
    answer, decision = trace.answer, None
    tried: dict[str, None] = {}
    for step in trace.steps:
        call = step.effect
        if isinstance(call, Call):
            decision = call.decision or decision
            if call.messages is None:  # the user's request, not a judge's
                tried[call.model] = None
    return {
        "model": answer.model if answer is not None else None,
        "tried": list(tried),
        "trace_id": trace.id,
        "run_id": str(run_id),
        "propensity": decision.propensity if decision is not None else None,
        "reason": answer.reason if answer is not None else "",
        "cost_usd": trace.cost_usd,
        "total_usage": _total_usage(trace),
        "excluded": dict(decision.excluded) if decision is not None else {},
        "degraded": list(decision.degraded) if decision is not None else [],
    }


def _total_usage(trace: Trace) -> dict[str, int] | None:
    """Add up the tokens of all calls; None when those of any paid one are unknown."""
    into = out = 0
    for step in trace.steps:
        outcome = step.outcome
        if isinstance(step.effect, Embed) or not isinstance(outcome, Response | CallError):
            continue
        usage = outcome.usage
        if usage is None and isinstance(outcome, CallError) and not (outcome.emitted or outcome.interrupted):
            continue  # refused before it was billed
        if usage is None or usage.input_tokens is None or usage.output_tokens is None:
            return None
        into += usage.input_tokens
        out += usage.output_tokens
    return {"input_tokens": into, "output_tokens": out, "total_tokens": into + out}


def output_of(trace: Trace) -> Any:
    """Return what the user gets: the framework's own object behind the answer, or a message made of the answer's content."""
    answer = trace.answer
    if answer is None:
        return None
    outcomes = {step.path: step.outcome for step in trace.steps}
    support = [one for path in answer.support if isinstance(one := outcomes.get(path), Response)]
    for response in support:
        if answer.content == (response.text if response.content is None else response.content):
            return response.raw
    template = next(
        (response.raw for response in support if isinstance(response.raw, AIMessage)), AIMessage(content="")
    )
    return template.model_copy(update={"content": str(answer.content)})


def stamped(output: Any, record: Mapping[str, Any]) -> Any:
    """Return the output with the record on its message; what has no message comes back as it is."""
    if isinstance(output, AIMessage):
        return output.model_copy(update={"response_metadata": {**output.response_metadata, KEY: dict(record)}})
    if isinstance(output, Mapping) and isinstance(output.get("raw"), AIMessage):
        return {**output, "raw": stamped(output["raw"], record)}
    return output


def as_chunk(message: Any) -> Any:
    """Return a whole message as the one chunk of a stream, so that chunks can be added up."""
    if not isinstance(message, AIMessage) or isinstance(message, AIMessageChunk):
        return message
    return AIMessageChunk(
        content=message.content,
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
        name=message.name,
        id=message.id,
        usage_metadata=message.usage_metadata,
        tool_call_chunks=[
            {
                "name": call["name"],
                "args": json.dumps(call["args"]),
                "id": call["id"],
                "index": i,
                "type": "tool_call_chunk",
            }
            for i, call in enumerate(message.tool_calls)
        ],
        chunk_position="last",
    )
