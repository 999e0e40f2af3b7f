"""The request as the core sees it: a query and its context, read from messages, options and config."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from langchain_router.candidates import inabilities
from langchain_router.conversation import question_of, session_of, turns_of
from langchain_router.settings import constraints_of, operating_point_of, session_id_of
from pointsman.types import Context, Query, Session

__all__ = ["Ask", "context_of", "query_of"]

Ask: TypeAlias = Callable[[Sequence[BaseMessage]], str]
"""Reads the question that is routed on out of a conversation, where it is not the last human message."""

_NOTHING: Mapping[str, Any] = {}
_NOW = Context()
_NEW = Session()


def query_of(
    messages: Sequence[BaseMessage],
    config: RunnableConfig,
    options: Mapping[str, Any],
    *,
    run_id: str,
    pinned: str | None,
    candidates: Mapping[str, BaseChatModel],
    ask: Ask | None,
    structured: bool,
) -> Query:
    """Return the query of a request.

    What is routed on is the config's metadata "router_query", else what `ask` says, else the last human message. Its id is
    the metadata's "router_query_id", else that of the run.
    """
    metadata, configurable = config.get("metadata") or _NOTHING, config.get("configurable") or _NOTHING
    text = metadata.get("router_query")
    if text is None:
        text = question_of(messages) if ask is None else ask(messages)
    plain = len(messages) == 1 and messages[0].content == text
    return Query(
        text=str(text),
        id=str(metadata.get("router_query_id") or run_id),
        messages=() if plain else turns_of(messages),
        session_id=session_id_of(configurable),
        required=_required(options, structured=structured),
        constraints=constraints_of(configurable, pinned, candidates.keys()),
        domain=metadata.get("router_domain"),
    )


def _required(options: Mapping[str, Any], *, structured: bool) -> frozenset[str]:
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
    unable = _unable(query, candidates)
    if point is None and session is _NEW and not unable:
        return _NOW
    return Context(operating_point=point, session=session, unavailable=unable)


def _unable(query: Query, candidates: Mapping[str, BaseChatModel]) -> dict[str, str]:
    """Return the candidates whose profile says that they cannot do what the query needs."""
    needs = query.required | query.modalities if query.messages else query.required
    if not needs:
        return {}
    lacking = {name: sorted(needs & denied) for name, denied in inabilities(candidates).items()}
    return {name: f"its profile rules out {', '.join(lacks)}" for name, lacks in lacking.items() if lacks}
