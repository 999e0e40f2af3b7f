"""The surface: every way LangChain calls a chat model, each handed to Routing instead of to `_generate` and `_stream`."""

from __future__ import annotations

import asyncio
from abc import ABC
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any, cast
from uuid import UUID

from langchain_core.callbacks import CallbackManagerForLLMRun, Callbacks
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult, LLMResult, RunInfo
from langchain_core.runnables import RunnableConfig
from pydantic import ConfigDict, Field, SkipValidation

from langchain_router.feedback import RunFeedback
from langchain_router.reading import read_chat
from langchain_router.record import KEY, as_chunk
from langchain_router.request import Ask
from langchain_router.routing import Routing
from pointsman.dispatch import Dispatcher

__all__ = ["RoutedChatModel"]

_NOTED_BY_EACH = frozenset({"lc_versions"})
"""Metadata that LangChain gives every model by itself."""


class RoutedChatModel(BaseChatModel, ABC):
    """A chat model whose calls are routed; RouterLLM says how one is made."""

    models: SkipValidation[dict[str, BaseChatModel]] = Field(exclude=True)
    dispatcher: SkipValidation[Dispatcher] = Field(exclude=True)
    embedders: SkipValidation[dict[str, Embeddings]] = Field(default_factory=dict, exclude=True)
    query: SkipValidation[Ask | None] = Field(default=None, exclude=True)
    feedback: SkipValidation[RunFeedback | None] = Field(default=None, exclude=True)
    temperature: float | None = None
    max_tokens: int | None = None
    stop: list[str] | None = None
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    streaming: bool = True

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", protected_namespaces=())

    @property
    def own_config(self) -> RunnableConfig:
        """The callbacks, tags and metadata given at construction, which go to the candidates' runs as well."""
        metadata = self.metadata or {}
        if not self.callbacks and not self.tags and metadata.keys() <= _NOTED_BY_EACH:
            return {}
        theirs = {key: value for key, value in metadata.items() if key not in _NOTED_BY_EACH}
        own = {"callbacks": self.callbacks, "tags": self.tags, "metadata": theirs}
        config: Any = {key: value for key, value in own.items() if value}
        return cast("RunnableConfig", config)

    @property
    def defaults(self) -> dict[str, Any]:
        """The keyword arguments of every request."""
        own = {"temperature": self.temperature, "max_tokens": self.max_tokens, "stop": self.stop}
        return {**self.model_kwargs, **{name: value for name, value in own.items() if value not in (None, [])}}

    @property
    def record_key(self) -> str:
        """Where a message's `response_metadata` holds the record."""
        return KEY

    @property
    def serialized(self) -> dict[str, Any]:
        """What traces show of the router itself: its class and a short text."""
        return self._serialized

    def _routing(
        self, given: LanguageModelInput, config: RunnableConfig | None, stop: list[str] | None, options: dict[str, Any]
    ) -> Routing:
        sent = options if stop is None else {**options, "stop": stop}
        return Routing(self, self, given, config, partial(read_chat, self, given, sent, None))

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Return the answer of the model that the router chooses; `model="name"` pins a candidate."""
        answer: AIMessage = self._routing(input, config, stop, kwargs).invoke()
        return answer

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Return the answer of the model that the router chooses; `model="name"` pins a candidate."""
        answer: AIMessage = await self._routing(input, config, stop, kwargs).ainvoke()
        return answer

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Yield the chosen model's chunks; the model may change until it has shown something, never after."""
        if self._streams(kwargs):
            yield from self._routing(input, config, stop, kwargs).stream()
        else:
            kwargs.pop("stream", None)
            yield as_chunk(self.invoke(input, config, stop=stop, **kwargs))

    async def astream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Yield the chosen model's chunks; the model may change until it has shown something, never after."""
        if self._streams(kwargs):
            async with aclosing(self._routing(input, config, stop, kwargs).astream()) as chunks:
                async for chunk in chunks:
                    yield chunk
        else:
            kwargs.pop("stream", None)
            yield as_chunk(await self.ainvoke(input, config, stop=stop, **kwargs))

    def _streams(self, options: Mapping[str, Any]) -> bool:
        """Tell whether nobody has asked for the answer in one piece."""
        if self.disable_streaming is True or (self.disable_streaming == "tool_calling" and options.get("tools")):
            return False
        return self.streaming and bool(options.get("stream", True))

    def _chat_model_stream_v3(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the typed stream behind `stream_events(version="v3")`, where LangChain has it."""
        from langchain_router.typed_stream import pulled_stream

        return pulled_stream(self._routing(input, config, stop, kwargs).events())

    async def _achat_model_stream_v3(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the typed stream behind `astream_events(version="v3")`, where LangChain has it."""
        from langchain_router.typed_stream import PulledStream

        return PulledStream(self._routing(input, config, stop, kwargs).aevents())

    def generate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        *,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        run_name: str | None = None,
        run_id: UUID | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Answer conversations one after the other, each routed by itself."""
        configs = _configs(len(messages), callbacks, tags, metadata, run_name, run_id)
        pairs = zip(messages, configs, strict=True)
        return _result([self.invoke(given, config, stop=stop, **kwargs) for given, config in pairs])

    async def agenerate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        *,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        run_name: str | None = None,
        run_id: UUID | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Answer conversations at once, each routed by itself; all end before an error of one is raised."""
        configs = _configs(len(messages), callbacks, tags, metadata, run_name, run_id)
        calls = [
            self.ainvoke(given, config, stop=stop, **kwargs) for given, config in zip(messages, configs, strict=True)
        ]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        for one in ended:
            if isinstance(one, BaseException):
                raise one
        return _result([one for one in ended if not isinstance(one, BaseException)])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Answer a caller who goes past the public methods."""
        return ChatResult(generations=[_generation(self.invoke(messages, stop=stop, **kwargs))])


def _configs(
    n: int,
    callbacks: Callbacks,
    tags: list[str] | None,
    metadata: dict[str, Any] | None,
    run_name: str | None,
    run_id: UUID | None,
) -> list[RunnableConfig]:
    """Return a config for each of n calls; an id given for one run is the first one's."""
    given = {"callbacks": callbacks, "tags": tags, "metadata": metadata, "run_name": run_name}
    config = {key: value for key, value in given.items() if value is not None}
    first = config if run_id is None else {**config, "run_id": run_id}
    return [RunnableConfig(**(config if i else first)) for i in range(n)]  # type: ignore[typeddict-item]


def _result(answers: list[AIMessage]) -> LLMResult:
    runs = [RunInfo(run_id=UUID(answer.response_metadata[KEY]["run_id"])) for answer in answers]
    return LLMResult(generations=[[_generation(answer)] for answer in answers], run=runs)


def _generation(answer: AIMessage) -> ChatGeneration:
    info = {
        key: answer.response_metadata[key] for key in ("finish_reason", "logprobs") if key in answer.response_metadata
    }
    return ChatGeneration(message=answer, generation_info=info)
