"""Asking: a call of a language model as DSPy makes it, and the same as the core's query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import urandom
from typing import Any, TypeAlias

import dspy

from dspy_router.logprobs import configured
from pointsman.types import Message, Query

__all__ = ["Asked", "Asker", "known", "query_of"]

Asker: TypeAlias = Callable[[Sequence[Message]], str]
"""Reads the question that is routed on out of a conversation, where it is not the last user message."""

_MODALITIES = {
    "audio": "audio",
    "binary": "file",
    "document": "file",
    "file": "file",
    "image": "image",
    "image_url": "image",
    "input_audio": "audio",
    "input_file": "file",
    "input_image": "image",
    "video": "video",
    "video_url": "video",
}
"""What the parts of a message are called, and the modality each one is."""


_NEEDS = {"tools", "response_format"}
_NOTHING: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Asked:
    """The arguments of one call: a text or a `dspy.lm15.Request`, or messages in OpenAI's form, and options."""

    prompt: Any = None
    messages: Sequence[Mapping[str, Any]] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def typed(self) -> bool:
        """Whether the prompt is a Request, which carries its own messages and options."""
        return hasattr(self.prompt, "messages")

    def with_params(self, params: Mapping[str, Any]) -> Asked:
        """Return the same with a plan's own parameters: among the options, or in the config of a Request."""
        if self.typed:
            return replace(self, prompt=configured(self.prompt, params))
        return replace(self, options={**self.options, **params})

    @property
    def turns(self) -> tuple[Message, ...]:
        """The conversation in the core's terms."""
        if self.typed:
            return tuple(Message(role=turn.role, content=_content(turn.parts)) for turn in self.prompt.messages)
        if self.messages:
            return tuple(Message(role=turn["role"], content=_content(turn.get("content"))) for turn in self.messages)
        return (Message(role="user", content=str(self.prompt or "")),)

    @property
    def required(self) -> frozenset[str]:
        """The capabilities that the call needs beside its content."""
        if not self.typed and _NEEDS.isdisjoint(self.options):
            return _NOTHING
        config = getattr(self.prompt, "config", None)
        needs = {
            "tools": self.options.get("tools") or getattr(self.prompt, "tools", None),
            "structured_output": self.options.get("response_format") or getattr(config, "response_format", None),
        }
        return frozenset(need for need, wanted in needs.items() if wanted)


def query_of(asked: Asked, ask: Asker | None) -> Query:
    """Return the query of a call.

    It is routed on what `ask` reads, or else on the text of the last user message.
    """
    if ask is None and asked.messages is None and isinstance(asked.prompt, str):  # nothing but a question
        return Query(text=asked.prompt, required=asked.required, **known())
    turns = asked.turns
    text = _question(turns) if ask is None else ask(turns)
    whole = len(turns) == 1 and turns[0].content == text
    return Query(text=text, messages=() if whole else turns, required=asked.required, **known())


def known() -> dict[str, Any]:
    """Return what the caller knows of the question, by DSPy's settings.

    They are `router_query_id`, in whose place an id is made where there is none, and `router_domain`.
    """
    said = dspy.settings
    return {"id": str(said.get("router_query_id") or urandom(16).hex()), "domain": said.get("router_domain")}


def _question(turns: Sequence[Message]) -> str:
    """Return the text of the last user message, or of the last message when no user speaks."""
    return next((turn.text for turn in reversed(turns) if turn.role == "user"), turns[-1].text)


def _content(content: str | Iterable[Any] | None) -> str | tuple[Mapping[str, Any], ...]:
    if content is None or isinstance(content, str):
        return content or ""
    return tuple(part for given in content if (part := _part(given)) is not None)


def _part(part: Any) -> Mapping[str, Any] | None:
    """Return a part of a message; None for what is neither text nor a modality, such as a tool call."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    kind = str(_field(part, "type"))
    if kind == "text":
        return {"type": "text", "text": str(_field(part, "text"))}
    return {"type": _MODALITIES[kind], "raw": part} if kind in _MODALITIES else None


def _field(part: Any, name: str) -> Any:
    return part.get(name) if isinstance(part, Mapping) else getattr(part, name, None)
