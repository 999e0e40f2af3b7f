"""Replies: a chat model's message as a response of the core, with its usage and the model that served it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from pydantic import BaseModel

from pointsman.callers.token_logprobs import TokenLogprobs
from pointsman.types import Response, Usage

__all__ = ["response_of", "usage_of"]


def response_of(model: str, output: Any, message: BaseMessage | None) -> Response:
    """Return a response for what a candidate returned.

    `message` is the provider's own reply behind `output`: `output` itself, unless the candidate parsed it into something else.
    A reply out of LangChain's cache costs nothing.
    """
    metadata = message.response_metadata if isinstance(message, AIMessage) else {}
    usage = message.usage_metadata if isinstance(message, AIMessage) else None
    cached = usage is not None and usage.get("total_cost") == 0
    served = metadata.get("model_name")
    likely = TokenLogprobs.of(metadata.get("logprobs"))
    return Response(
        model=model,
        text=_text(message),
        content=_content(output),
        usage=usage_of(usage),
        cost_usd=0.0 if cached else None,
        logprobs=likely.logprobs,
        top_logprobs=likely.top_logprobs,
        served_model=served if isinstance(served, str) else None,
        raw=output,
    )


def usage_of(metadata: UsageMetadata | None) -> Usage | None:
    """Return LangChain's token counts as the core's; None is unknown."""
    if metadata is None:
        return None
    into, out = metadata.get("input_token_details") or {}, metadata.get("output_token_details") or {}
    return Usage(
        input_tokens=metadata["input_tokens"],
        output_tokens=metadata["output_tokens"],
        cached_input_tokens=into.get("cache_read") or 0,
        cache_write_tokens=into.get("cache_creation") or 0,
        reasoning_tokens=out.get("reasoning") or 0,
    )


def _text(message: BaseMessage | None) -> str:
    if message is None:
        return ""
    return message.content if isinstance(message.content, str) else str(message.text)


def _content(output: Any) -> Any:
    """Return what an answer consists of besides its text, as plain data; None if it is text alone."""
    if isinstance(output, AIMessage):
        if not output.tool_calls and isinstance(output.content, str):
            return None
        return {"content": output.content, "tool_calls": output.tool_calls}
    if isinstance(output, BaseModel):
        return output.model_dump()
    if isinstance(output, Mapping) and "parsing_error" in output:
        return _content(output["parsed"])
    return output
