"""The request as the core sees it: a query and its context, read from messages, options and config."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from langchain_router.candidates import inabilities
from langchain_router.conversation import messages_of, question_of, session_of, turns_of
from langchain_router.settings import constraints_of, operating_point_of, session_id_of
from langchain_router.switching import obstacles
from pointsman.types import Context, Query, Session

__all__ = ["Ask", "context_of", "query_of", "spoken", "unable_of"]

Ask: TypeAlias = Callable[[Sequence[BaseMessage]], str]
"""Reads the question that is routed on out of a conversation, where it is not the last human message."""

_NOTHING: Mapping[str, Any] = {}
_NEW = Session()
_NO_NEEDS: frozenset[str] = frozenset()
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def spoken(given: LanguageModelInput, config: RunnableConfig, ask: Ask | None) -> tuple[str, Sequence[BaseMessage]]:
    """Return the question that is routed on, and the conversation it stands in; () where it is all there is.

    The question is the config's metadata "router_query", else what `ask` says, else the last human message.
    """
    named = (config.get("metadata") or _NOTHING).get("router_query")
    if isinstance(given, str) and named is None and ask is None:
        return given, ()
    messages = messages_of(given)
    if named is not None:
        return str(named), messages
    text = question_of(messages) if ask is None else ask(messages)
    return text, () if len(messages) == 1 and messages[0].content == text else messages


def query_of(
    text: str,
    messages: Sequence[BaseMessage],
    config: RunnableConfig,
    options: Mapping[str, Any],
    *,
    run_id: str,
    pinned: str | None,
    candidates: Mapping[str, Any],
    structured: bool,
    tags: Mapping[str, str] = _NOTHING,
) -> Query:
    """Return the query of a request; its id is the config's metadata "router_query_id", else that of the run."""
    metadata, configurable = config.get("metadata") or _NOTHING, config.get("configurable") or _NOTHING
    return Query(
        text=text,
        id=str(metadata.get("router_query_id") or run_id),
        messages=turns_of(messages) if messages else (),
        session_id=session_id_of(configurable),
        required=_required(options, structured=structured),
        constraints=constraints_of(configurable, pinned, candidates.keys()),
        domain=metadata.get("router_domain"),
        tags=tags,
        max_output_tokens=_longest(options) if options else None,
    )


def _longest(options: Mapping[str, Any]) -> int | None:
    """Return the limit that a request sets on its answer, in tokens, whatever the provider calls it."""
    limits = [limit for name in _LIMITS if isinstance(limit := options.get(name), int)]
    return min(limits, default=None)


def _required(options: Mapping[str, Any], *, structured: bool) -> frozenset[str]:
    if not options and not structured:
        return _NO_NEEDS
    needs = {"tools"} if options.get("tools") else set()
    wanted = options.get("response_format")
    if structured or (wanted is not None and wanted != {"type": "text"}) or options.get("ls_structured_output_format"):
        needs.add("structured_output")
    return frozenset(needs)


def context_of(
    query: Query, messages: Sequence[BaseMessage], config: RunnableConfig, candidates: Mapping[str, BaseChatModel]
) -> Context:
    """Return the context of a request: its trade-off, its session, and who cannot do what it needs."""
    point = operating_point_of(config.get("configurable") or _NOTHING)
    session = session_of(messages, candidates.keys()) if len(messages) > 1 else _NEW
    unable = unable_of(query, messages, candidates)
    return Context(operating_point=point, session=session, unavailable=unable, clock=time.time())


def unable_of(query: Query, messages: Sequence[BaseMessage], candidates: Mapping[str, BaseChatModel]) -> dict[str, str]:
    """Return the candidates that cannot serve: their profile says so, or the conversation is not theirs to go on with."""
    unable = obstacles(messages, candidates) if len(messages) > 1 else {}
    needs = query.required | query.modalities if query.messages else query.required
    if not needs:
        return unable
    lacking = {name: sorted(needs & denied) for name, denied in inabilities(candidates).items()}
    return unable | {name: f"its profile rules out {', '.join(lacks)}" for name, lacks in lacking.items() if lacks}
