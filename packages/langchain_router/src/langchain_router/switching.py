"""Switching models in mid-conversation: what of it only its author's provider understands, and who can therefore not go on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import BaseTool

from langchain_router.conversation import author_of, this_turn

__all__ = ["fitting", "fitting_options", "kind_of", "mixed", "obstacles"]

_M = TypeVar("_M", bound=BaseMessage)

_MARKER = "cache_control"
"""Anthropic's mark of what to cache; other providers refuse it or do not know it."""

_NESTS = frozenset({"content", "extras", "metadata"})
"""Where a block or a tool holds other blocks, or settings of one provider."""

_THINKING = frozenset({"reasoning", "redacted_thinking", "thinking"})
"""Blocks of thinking. Their signature, or what is encrypted in them, is for the provider that wrote them alone."""

_ALIASES = {"amazon": "bedrock", "azure": "openai", "vertexai": "google"}
"""What integrations call a provider, where their messages call it something else."""

_IDS = {"anthropic": re.compile(r"[a-zA-Z0-9_-]+"), "openai": re.compile(r".{1,40}", re.DOTALL)}
"""What ids of tool calls a family of providers takes."""


def kind_of(model: BaseChatModel) -> str:
    """Return the provider's family by the name that its integration goes by, such as "anthropic" of "anthropic-chat"."""
    return _family(model._llm_type)  # noqa: SLF001 - how LangChain names an integration


def _family(name: str) -> str:
    """Return the family in a name of LangChain's: its first word but "chat", by the name that is usual."""
    first = next((word for word in re.split(r"[-_]", name) if word != "chat"), name)
    return _ALIASES.get(first, first)


def mixed(candidates: Mapping[str, BaseChatModel]) -> bool:
    """Tell whether the candidates are of more than one provider: among those of one, nothing has to be taken out."""
    names = {model._llm_type for model in candidates.values()}  # noqa: SLF001 - how LangChain names an integration
    return len(names) > 1 and len({_family(name) for name in names}) > 1


def obstacles(messages: Sequence[BaseMessage], candidates: Mapping[str, BaseChatModel]) -> dict[str, str]:
    """Return the candidates that cannot go on with a conversation, each with the reason."""
    asked = [message for message in messages if isinstance(message, AIMessage) and message.tool_calls]
    if not asked:
        return {}
    open_turn = [message for message in this_turn(messages) if isinstance(message, AIMessage) and message.tool_calls]
    found = {name: _obstacle(asked, open_turn, model, candidates) for name, model in candidates.items()}
    return {name: why for name, why in found.items() if why is not None}


def _obstacle(
    asked: Sequence[AIMessage],
    open_turn: Sequence[AIMessage],
    model: BaseChatModel,
    candidates: Mapping[str, BaseChatModel],
) -> str | None:
    kind = kind_of(model)
    taken = _IDS.get(kind)
    for message in asked:
        strange = [call["id"] for call in message.tool_calls if taken and not taken.fullmatch(call["id"] or "")]
        if strange:
            return f"its provider does not take the tool call id {strange[0]!r}"
    for message in open_turn:
        author = _kind_of_author(message, candidates)
        if _thinks(message) and author is not None and author != kind:
            return f"the tools were called after thinking that only {author} can verify"
    if open_turn and _needs_thinking(model) and not _thinks(open_turn[-1]):
        return "its thinking is on, and the tool call it would go on from came without"
    return None


def _kind_of_author(message: AIMessage, candidates: Mapping[str, BaseChatModel]) -> str | None:
    """Return the family of the provider that wrote a message; None is unknown."""
    author = author_of(message)
    if author is not None and author in candidates:
        return kind_of(candidates[author])
    told = message.response_metadata.get("model_provider")
    return _family(told) if isinstance(told, str) else None


def _thinks(message: AIMessage) -> bool:
    content = message.content
    return not isinstance(content, str) and any(
        isinstance(block, Mapping) and block.get("type") in _THINKING for block in content
    )


def _needs_thinking(model: BaseChatModel) -> bool:
    """Tell whether a model's thinking is on, which Anthropic then wants to see before every tool call."""
    setting = getattr(model, "thinking", None)
    return isinstance(setting, Mapping) and setting.get("type") == "enabled"


def fitting(
    messages: Sequence[BaseMessage], model: BaseChatModel, candidates: Mapping[str, BaseChatModel]
) -> list[BaseMessage]:
    """Return a conversation without what only another provider than the model's understands; what is left is untouched."""
    kind = kind_of(model)
    kept = list(messages) if kind == "anthropic" else [_unmarked(message) for message in messages]
    return [_without_thinking(message, kind, candidates) for message in kept]


def fitting_options(options: Mapping[str, Any], model: BaseChatModel) -> dict[str, Any]:
    """Return the keyword arguments of a call, its tools among them, without markers that the model's provider does not know."""
    if kind_of(model) == "anthropic":
        return dict(options)
    kept = {key: value for key, value in options.items() if key != _MARKER}
    return kept | ({"tools": _unmarked_value(kept["tools"])} if "tools" in kept else {})


def _unmarked(message: _M) -> _M:
    if isinstance(message.content, str):
        return message
    content = [_unmarked_value(part) if isinstance(part, dict) else part for part in message.content]
    return message if content == message.content else message.model_copy(update={"content": content})


def _without_thinking(message: BaseMessage, kind: str, candidates: Mapping[str, BaseChatModel]) -> BaseMessage:
    if not isinstance(message, AIMessage) or not _thinks(message):
        return message
    if _kind_of_author(message, candidates) in (None, kind):
        return message
    content = [part for part in message.content if not (isinstance(part, dict) and part.get("type") in _THINKING)]
    return message.model_copy(update={"content": content})


def _unmarked_value(given: Any) -> Any:
    """Return a block or a tool, or a list of them, without cache markers, wherever they stand in it."""
    if isinstance(given, BaseTool):
        extras = _unmarked_value(given.extras) if given.extras else given.extras
        return given if extras == given.extras else given.model_copy(update={"extras": extras or None})
    if isinstance(given, list):
        return [_unmarked_value(part) for part in given]
    if not isinstance(given, dict):
        return given
    kept = {key: value for key, value in given.items() if key != _MARKER}
    return {key: _unmarked_value(value) if key in _NESTS else value for key, value in kept.items()}
