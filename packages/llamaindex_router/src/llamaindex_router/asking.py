"""Asking: the ways LlamaIndex calls an LLM, each as what is asked and as the call that a candidate gets for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.llms.llm import LLM
from llama_index.core.prompts import BasePromptTemplate

__all__ = ["Asked", "Chat", "Completion", "Prediction", "Structured", "ToolChat"]

_QUESTIONS = ("query_str", "question", "query")
"""The variables under which LlamaIndex's templates have the user's question."""


@dataclass(slots=True, kw_only=True)
class Asked(ABC):
    """One call as LlamaIndex makes it; `options` go to the candidate's client, such as `temperature`."""

    structured: ClassVar[bool] = False
    """Whether an object is wanted."""
    through_tools: ClassVar[bool] = False
    """Whether only LLMs that can be called with tools have the endpoint."""
    alone: ClassVar[bool] = False
    """Whether the question is all that will be sent."""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    @abstractmethod
    def messages(self) -> Sequence[ChatMessage]:
        """The conversation as far as it is known before it is known who answers."""

    @abstractmethod
    def arguments(self, model: LLM, params: Mapping[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return the endpoint of a candidate and its arguments; lists are copies, since integrations add to them."""

    @property
    def question(self) -> str | None:
        """The question, where the call itself names it among the rest of a prompt."""
        return None

    @property
    def tools(self) -> bool:
        """Whether the candidate is to be offered tools."""
        return bool(self.options.get("tools"))


@dataclass(slots=True, kw_only=True)
class Chat(Asked):
    """`chat` with messages."""

    given: Sequence[ChatMessage]

    @property
    def messages(self) -> Sequence[ChatMessage]:
        """The messages."""
        return self.given

    def arguments(self, model: LLM, params: Mapping[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return the same call."""
        return "chat", (list(self.given),), {**self.options, **params}


@dataclass(slots=True, kw_only=True)
class Completion(Asked):
    """`complete` with a text."""

    alone: ClassVar[bool] = True
    text: str
    formatted: bool = False

    @property
    def question(self) -> str | None:
        """The text."""
        return self.text

    @property
    def messages(self) -> Sequence[ChatMessage]:
        """The text as the user's message."""
        return [ChatMessage(role=MessageRole.USER, content=self.text)]

    def arguments(self, model: LLM, params: Mapping[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return the same call."""
        return "complete", (self.text,), {"formatted": self.formatted, **self.options, **params}


@dataclass(slots=True, kw_only=True)
class ToolChat(Asked):
    """`chat_with_tools`: the candidate puts the tools into its own form."""

    through_tools: ClassVar[bool] = True
    offered: Sequence[Any]
    user_msg: str | ChatMessage | None = None
    history: Sequence[ChatMessage] = ()

    @property
    def messages(self) -> Sequence[ChatMessage]:
        """The history and the new message."""
        if self.user_msg is None:
            return self.history
        new = self.user_msg
        return [*self.history, new if isinstance(new, ChatMessage) else ChatMessage(role=MessageRole.USER, content=new)]

    @property
    def tools(self) -> bool:
        """Whether any are offered."""
        return bool(self.offered)

    def arguments(self, model: LLM, params: Mapping[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return the same call."""
        asked = {"user_msg": self.user_msg, "chat_history": list(self.history)}
        return "chat_with_tools", (self.offered,), {**asked, **self.options, **params}


@dataclass(slots=True, kw_only=True)
class _FromTemplate(Asked, ABC):
    """A prompt template and the values for its variables."""

    prompt: BasePromptTemplate
    variables: Mapping[str, Any]

    @property
    def question(self) -> str | None:
        """The variable that holds the question; engines fill it in before they fill in the context."""
        values = {**getattr(self.prompt, "kwargs", {}), **self.variables}
        return next((found for name in _QUESTIONS if isinstance(found := values.get(name), str)), None)

    @property
    def messages(self) -> Sequence[ChatMessage]:
        """The prompt's messages; () where making them runs functions of the user's, which are to run once."""
        if self.question is not None and getattr(self.prompt, "function_mappings", None):
            return ()
        formatted: Sequence[ChatMessage] = self.prompt.format_messages(**self.variables)
        return formatted


@dataclass(slots=True, kw_only=True)
class Prediction(_FromTemplate):
    """`predict`: the candidate's own prompts and parser frame the template."""

    def arguments(self, model: LLM, params: Mapping[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return a chat or a completion, whichever the candidate's kind is, framed as the candidate's `predict` does."""
        model._log_template_data(self.prompt, **self.variables)  # noqa: SLF001 - what `predict` itself does
        if model.metadata.is_chat_model:
            return "chat", (model._get_messages(self.prompt, **self.variables),), dict(params)  # noqa: SLF001 - the same
        text = model._get_prompt(self.prompt, **self.variables)  # noqa: SLF001 - the same
        return "complete", (text,), {"formatted": True, **params}


@dataclass(slots=True, kw_only=True)
class Structured(_FromTemplate):
    """`structured_predict`: the candidate gets an object in its own best way."""

    structured: ClassVar[bool] = True
    output_cls: Any

    def arguments(self, model: LLM, params: Mapping[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """Return the same call."""
        options = {"llm_kwargs": {**self.options, **params}}
        return "structured_predict", (self.output_cls, self.prompt), {**options, **self.variables}
