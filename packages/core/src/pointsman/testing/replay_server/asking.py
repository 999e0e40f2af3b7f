"""What a request asks, read out of its body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.testing.replay_server.refusal import Refusal
from pointsman.testing.replay_server.tokens import estimate

__all__ = ["ChatRequest", "EmbeddingRequest"]

_SHAPES: Mapping[str, type | tuple[type, ...]] = {
    "response_format": dict,
    "stop": (str, list),
    "stream_options": dict,
    "tool_choice": (str, dict),
    "tools": list,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """A well-formed chat request.

    Parameters:
        body: The request as sent.
        model: The model asked.
        question: The text of the last user message.
        tool_result: The text of the last message if a tool sent it, else None.
        prompt_tokens: The estimated length of all messages.
    """

    body: Mapping[str, Any]
    model: str
    question: str
    tool_result: str | None
    prompt_tokens: int

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> ChatRequest:
        """Read `body`; raise `Refusal` (400) that names the field at fault."""
        model, messages = _model(body), body.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
            raise Refusal("messages must be a list of at least one message", param="messages")
        for name, kind in _SHAPES.items():
            if body.get(name) is not None and not isinstance(body[name], kind):
                raise Refusal(f"{name} is of the wrong type: {type(body[name]).__name__}", param=name)
        for name in ("n", "max_tokens", "max_completion_tokens"):
            _positive(body, name)
        asked = [message for message in messages if message.get("role") == "user"]
        last = messages[-1]
        return cls(
            body=body,
            model=model,
            question=_text(asked[-1].get("content")) if asked else "",
            tool_result=_text(last.get("content")) if last.get("role") == "tool" else None,
            prompt_tokens=estimate("".join(_text(message.get("content")) for message in messages)),
        )

    @property
    def prompt(self) -> str:
        """The question, and after it what a tool has said to it."""
        return self.question if self.tool_result is None else f"{self.question}\n{self.tool_result}"

    @property
    def choices(self) -> int:
        """How many answers are wanted."""
        return _positive(self.body, "n") or 1

    @property
    def longest(self) -> int | None:
        """How many tokens an answer may have; None: any number."""
        return _positive(self.body, "max_completion_tokens") or _positive(self.body, "max_tokens")

    @property
    def stops(self) -> Sequence[str]:
        """The texts an answer stops before."""
        stop = self.body.get("stop") or ()
        return (stop,) if isinstance(stop, str) else tuple(stop)

    @property
    def streamed(self) -> bool:
        """Whether the answer is wanted as a stream."""
        return bool(self.body.get("stream"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRequest:
    """A well-formed embeddings request.

    Parameters:
        texts: What to embed; a list of token ids stands as its notation.
        dimensions: The length wanted; None: the server's.
        prompt_tokens: The length of all texts, estimated for those not given as tokens.
    """

    texts: Sequence[str]
    dimensions: int | None
    prompt_tokens: int

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> EmbeddingRequest:
        """Read `body`; raise `Refusal` (400) that names the field at fault."""
        _model(body)
        given = body.get("input")
        one = not isinstance(given, list) or (bool(given) and all(isinstance(part, int) for part in given))
        inputs: list[Any] = [given] if one else list(given or ())
        if not inputs or not all(isinstance(text, (str, list)) for text in inputs):
            raise Refusal("input must be a text, a list of token ids, or a list of either", param="input")
        return cls(
            texts=[str(text) for text in inputs],
            dimensions=_positive(body, "dimensions"),
            prompt_tokens=sum(estimate(text) if isinstance(text, str) else len(text) for text in inputs),
        )


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Refusal(f"model must be a name, got {model!r}", param="model")
    return model


def _positive(body: Mapping[str, Any], name: str) -> int | None:
    number = body.get(name)
    if number is not None and (not isinstance(number, int) or number < 1):
        raise Refusal(f"{name} must be a whole number of 1 or more, got {number!r}", param=name)
    return number


def _text(content: Any) -> str:
    """Return the text of a message's content: itself, or its text parts line by line."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = (part.get("text") if isinstance(part, dict) else part for part in content)
    return "\n".join(text for text in texts if isinstance(text, str))
