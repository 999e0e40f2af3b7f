"""What a chat completion looks like on the wire: the request's body, and the response in it or the malformed reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pointsman.callers.base import messages_of
from pointsman.callers.token_logprobs import TokenLogprobs
from pointsman.types import Call, CallError, Message, Query, Response, Usage

__all__ = ["request_body", "response_of"]


def request_body(model: str, call: Call, query: Query, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON body of a call; the call's own parameters go before the defaults."""
    messages = [{"role": message.role, "content": _content(message)} for message in messages_of(call, query)]
    return {**params, **call.params, "model": model, "messages": messages}


def _content(message: Message) -> str | list[dict[str, Any]]:
    return message.content if isinstance(message.content, str) else [dict(part) for part in message.content]


def response_of(model: str, body: Any) -> Response:
    """Return the response of `model` in a reply; raise CallError where there is none.

    A reply that cannot be understood may have been billed, so its error is marked as interrupted.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        text = message.get("content") or message.get("refusal") or ""
    except (KeyError, IndexError, TypeError, AttributeError):
        raise CallError(model, f"the reply holds no message: {str(body)[:200]}", interrupted=True) from None
    if not isinstance(text, str):
        raise CallError(model, f"the message holds no text: {str(text)[:200]}", interrupted=True)
    return Response(
        model=model,
        text=text,
        content=message if message.get("tool_calls") else None,
        usage=_usage(body.get("usage")),
        **TokenLogprobs.of(choice.get("logprobs"))._asdict(),
        served_model=served if isinstance(served := body.get("model"), str) else None,
        raw=body,
    )


def _usage(given: Any) -> Usage | None:
    """Return the tokens a reply reports, or None; cached and reasoning tokens are parts of the two totals."""
    if not isinstance(given, Mapping):
        return None
    return Usage(
        input_tokens=_count(given, "prompt_tokens"),
        output_tokens=_count(given, "completion_tokens"),
        cached_input_tokens=_count(given.get("prompt_tokens_details"), "cached_tokens") or 0,
        reasoning_tokens=_count(given.get("completion_tokens_details"), "reasoning_tokens") or 0,
    )


def _count(given: Any, name: str) -> int | None:
    value = given.get(name) if isinstance(given, Mapping) else None
    return value if isinstance(value, int) and value >= 0 else None
