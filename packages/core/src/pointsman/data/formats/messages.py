"""Conversations: the question that was asked last, in the shapes in which frameworks store messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["last_asked", "last_said"]

_ASKED = {"user", "human", "HumanMessage"}
_SAID = {"assistant", "ai", "AIMessage", "gpt"}


def last_asked(messages: Any) -> str | None:
    """Return the text of the last message of a human, or None.

    >>> last_asked([{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}])
    'Hi.'
    >>> last_asked([[{"lc": 1, "id": ["langchain", "HumanMessage"], "kwargs": {"content": "Hi."}}]])
    'Hi.'
    """
    return _last(messages, _ASKED)


def last_said(messages: Any) -> str | None:
    """Return the text of the last message of a model, or None."""
    return _last(messages, _SAID)


def _last(messages: Any, speakers: set[str]) -> str | None:
    if isinstance(messages, Sequence) and len(messages) == 1 and isinstance(messages[0], list | tuple):
        messages = messages[0]  # a batch of one conversation
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        return None
    texts = [_text(message) for message in messages if isinstance(message, Mapping) and _speaker(message) in speakers]
    return texts[-1] if texts else None


def _speaker(message: Mapping[str, Any]) -> str | None:
    if isinstance(path := message.get("id"), list) and "kwargs" in message:  # as LangChain serialises objects
        return str(path[-1]) if path else None
    speaker = message.get("role", message.get("type"))
    return speaker if isinstance(speaker, str) else None


def _text(message: Mapping[str, Any]) -> str | None:
    holder = next((message[name] for name in ("kwargs", "data") if isinstance(message.get(name), Mapping)), message)
    content = holder.get("content")
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
        content = "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else None
