"""The record: what the router did, in the metadata of the message the user gets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langchain_core.messages import AIMessage, AIMessageChunk

from pointsman.dispatch import record_of, source_of
from pointsman.types import Trace

__all__ = ["KEY", "as_chunk", "output_of", "run_record", "stamped"]

KEY = "router"
"""Where a message's `response_metadata` holds the record."""


def run_record(trace: Trace, run_id: UUID, key: str = KEY) -> dict[str, Any]:
    """Return the record of an answered trace as metadata: plain data, with the id of the router's run, under its key."""
    return {key: {**record_of(trace), "run_id": str(run_id)}}


def output_of(trace: Trace) -> Any:
    """Return what the user gets: the framework's own object behind the answer, or a message made of the answer's content."""
    if trace.answer is None:
        return None
    source, support = source_of(trace)
    if source is not None:
        return source.raw
    template = next(
        (response.raw for response in support if isinstance(response.raw, AIMessage)), AIMessage(content="")
    )
    return template.model_copy(update={"content": str(trace.answer.content)})


def stamped(output: Any, metadata: Mapping[str, Any]) -> Any:
    """Return the output with the record on its message, an agent's last one; what has no message comes back as it is."""
    if isinstance(output, AIMessage):
        return output.model_copy(update={"response_metadata": {**output.response_metadata, **metadata}})
    if isinstance(output, Mapping) and isinstance(output.get("raw"), AIMessage):
        return {**output, "raw": stamped(output["raw"], metadata)}
    messages = output.get("messages") if isinstance(output, Mapping) else None
    if isinstance(messages, list) and messages and isinstance(messages[-1], AIMessage):
        return {**output, "messages": [*messages[:-1], stamped(messages[-1], metadata)]}
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
