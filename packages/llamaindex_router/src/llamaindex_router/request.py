"""The request as the core sees it: a query and its context, read from the call, the conversation and the caller's wishes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from os import urandom
from typing import Any, TypeAlias

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.llms.llm import LLM

from llamaindex_router.asking import Asked
from llamaindex_router.candidates import Window, tool_users
from llamaindex_router.conversation import is_text, question_of, turns_of
from llamaindex_router.per_call import Wishes
from llamaindex_router.sessions import ToolCalls
from pointsman.models import estimate_tokens
from pointsman.types import Context, Query

__all__ = ["Ask", "context_of", "query_of"]

Ask: TypeAlias = Callable[[Sequence[ChatMessage]], str]
"""Reads the question that is routed on out of a conversation, where it is not the last user message."""

_NO_NEEDS: frozenset[str] = frozenset()
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def query_of(
    asked: Asked, messages: Sequence[ChatMessage], ask: Ask | None, wish: Wishes, candidates: Mapping[str, LLM]
) -> Query:
    """Return the query of a call.

    The question is what the caller names by `routing(query=...)`, else what `ask` says, else the variable that a template has
    it in, else the last user message.
    """
    text, whole = _question(asked, messages, ask, wish)
    return Query(
        text=text,
        id=wish.query_id or urandom(16).hex(),
        messages=() if whole else turns_of(messages),
        session_id=wish.session_id,
        required=_required(asked),
        constraints=wish.constraints(candidates),
        domain=wish.domain,
        max_output_tokens=_longest(asked.options) if asked.options else None,
    )


def _question(asked: Asked, messages: Sequence[ChatMessage], ask: Ask | None, wish: Wishes) -> tuple[str, bool]:
    """Return the question, and whether it is all that will be sent."""
    if wish.query is not None:
        return wish.query, False
    if ask is not None:
        return ask(messages), False
    if (named := asked.question) is not None:
        return named, asked.alone
    return question_of(messages), len(messages) == 1 and is_text(messages[0])


def _required(asked: Asked) -> frozenset[str]:
    tools, structured = asked.tools, asked.structured or asked.options.get("response_format")
    if not tools and not structured:
        return _NO_NEEDS
    return frozenset(need for need, wanted in (("tools", tools), ("structured_output", structured)) if wanted)


def _longest(options: Mapping[str, Any]) -> int | None:
    """Return the limit that a call sets on its answer, in tokens, whatever the provider calls it."""
    limits = [limit for name in _LIMITS if isinstance(limit := options.get(name), int)]
    return min(limits) if limits else None


def context_of(
    asked: Asked,
    messages: Sequence[ChatMessage],
    query: Query,
    wish: Wishes,
    candidates: Mapping[str, LLM],
    calls: ToolCalls,
    window: Window,
) -> Context:
    """Return the context of a call: its trade-off, its session, and who cannot do what it needs."""
    unable: dict[str, str] = {}
    if asked.through_tools or asked.tools:
        able = tool_users(candidates)
        unable = {name: "its metadata rule out tools" for name in candidates if name not in able}
    if window == "largest":
        unable |= _too_small(estimate_tokens(query.input_chars), candidates)
    return Context(
        operating_point=wish.operating_point,
        unavailable=unable,
        session=calls.session_of(messages),
        clock=time.time(),
    )


def _too_small(tokens: int, candidates: Mapping[str, LLM]) -> dict[str, str]:
    """Return the candidates that a prompt packed for the largest one does not fit into."""
    windows = {name: model.metadata.context_window for name, model in candidates.items()}
    return {
        name: f"about {tokens} input tokens exceed its context window of {size}"
        for name, size in windows.items()
        if size < tokens
    }
