"""Replies: what an LLM returned, as a response of the core with its usage and the model that served it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse
from pydantic import BaseModel

from llamaindex_router.conversation import is_text
from pointsman.callers.token_logprobs import TokenLogprobs
from pointsman.types import Response, Usage

__all__ = ["response_of", "total_usage", "usage_of"]

_INPUT = ("prompt_tokens", "input_tokens", "prompt_token_count")
_OUTPUT = ("completion_tokens", "output_tokens", "candidates_token_count")


def response_of(model: str, output: Any, usage: Usage | None) -> Response:
    """Return a response for what a candidate returned: LlamaIndex's own response, a text, or an object."""
    text, content = _said(output)
    raw = getattr(output, "raw", None)
    served = None if raw is None else _field(raw, "model")
    likely = _logprobs(raw)
    return Response(
        model=model,
        text=text,
        content=content,
        usage=usage,
        logprobs=likely.logprobs,
        top_logprobs=likely.top_logprobs,
        served_model=served if isinstance(served, str) else None,
        raw=output,
    )


def _logprobs(raw: Any) -> TokenLogprobs:
    """Return the log-probabilities in the provider's own reply, where it is a chat completion that has some."""
    choices = None if raw is None else _field(raw, "choices")
    told = _field(choices[0], "logprobs") if choices else None
    return TokenLogprobs.of(told.model_dump() if isinstance(told, BaseModel) else told)


def _said(output: Any) -> tuple[str, Any]:
    """Return an answer's text, and what it consists of besides, as plain data; None if it is text alone."""
    if isinstance(output, ChatResponse):
        message = output.message
        content = None if is_text(message) else [block.model_dump() for block in message.blocks]
        return message.content or "", content
    if isinstance(output, CompletionResponse):
        return output.text, None
    if isinstance(output, BaseModel):
        return output.model_dump_json(), output.model_dump()
    return str(output or ""), None


def usage_of(response: Any) -> Usage | None:
    """Return the tokens that a response of LlamaIndex tells, wherever its provider puts them; None is unknown."""
    raw = getattr(response, "raw", None)
    if raw is None and not getattr(response, "additional_kwargs", None):
        return None
    told = _field(raw, "usage") or _field(raw, "usage_metadata") or getattr(response, "additional_kwargs", None)
    into, out = _first(told, _INPUT), _first(told, _OUTPUT)
    if into is None or out is None:
        return None
    details, written = _field(told, "prompt_tokens_details"), _count(told, "cache_creation_input_tokens")
    beside = _count(told, "cache_read_input_tokens")  # which Anthropic does not count among the input
    return Usage(
        input_tokens=into + beside + written,
        output_tokens=out,
        cached_input_tokens=beside or _count(details, "cached_tokens"),
        cache_write_tokens=written,
        reasoning_tokens=_count(_field(told, "completion_tokens_details"), "reasoning_tokens"),
    )


def total_usage(responses: Iterable[Any]) -> Usage | None:
    """Add up the tokens of the responses behind one output; None when there are none, or one does not tell."""
    each = [usage_of(response) for response in responses]
    known = [one for one in each if one is not None]
    if len(known) < len(each) or len(known) <= 1:
        return known[0] if len(known) == len(each) == 1 else None
    return Usage(
        input_tokens=sum(one.input_tokens or 0 for one in known),
        output_tokens=sum(one.output_tokens or 0 for one in known),
        cached_input_tokens=sum(one.cached_input_tokens for one in known),
        cache_write_tokens=sum(one.cache_write_tokens for one in known),
        reasoning_tokens=sum(one.reasoning_tokens for one in known),
    )


def _first(told: Any, names: Iterable[str]) -> int | None:
    return next((found for name in names if isinstance(found := _field(told, name), int)), None)


def _count(told: Any, name: str) -> int:
    found = _field(told, name)
    return found if isinstance(found, int) else 0


def _field(holder: Any, name: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(name)
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
