"""The surface: every way LlamaIndex calls an LLM, each handed to Routing; LlamaIndex puts a span around each."""

from __future__ import annotations

from abc import ABC
from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Annotated, Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.events.llm import LLMPredictEndEvent, LLMPredictStartEvent
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import LLM
from llama_index.core.prompts import BasePromptTemplate
from pydantic import ConfigDict, Field, SkipValidation, WithJsonSchema

from llamaindex_router.asking import Chat, Completion, Prediction, Structured, ToolChat
from llamaindex_router.candidates import Window
from llamaindex_router.dispatching import Routing
from llamaindex_router.record import KEY
from llamaindex_router.request import Ask
from llamaindex_router.sessions import ToolCalls
from llamaindex_router.spans import SpannedWhereHeard
from pointsman.dispatch import Dispatcher
from pointsman.errors import ConfigError

__all__ = ["RoutedLLM"]

_dispatcher = get_dispatcher(__name__)
_OPAQUE = WithJsonSchema({"type": "object"})


class RoutedLLM(SpannedWhereHeard, FunctionCallingLLM, ABC):
    """An LLM whose calls are routed; RouterLLM says how one is made."""

    models: Annotated[dict[str, LLM], SkipValidation, _OPAQUE] = Field(exclude=True)
    dispatcher: Annotated[Dispatcher, SkipValidation, _OPAQUE] = Field(exclude=True)
    embedders: Annotated[dict[str, BaseEmbedding], SkipValidation, _OPAQUE] = Field(default_factory=dict, exclude=True)
    query: Annotated[Ask | None, SkipValidation, _OPAQUE] = Field(default=None, exclude=True)
    tool_calls: Annotated[ToolCalls, SkipValidation, _OPAQUE] = Field(default_factory=ToolCalls, exclude=True)
    context_window: Window = "smallest"

    model_config = ConfigDict(arbitrary_types_allowed=True)

    # Messages

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Return the answer of the model that the router chooses."""
        return Routing(self, Chat(given=messages, options=kwargs)).run()

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Return the answer of the model that the router chooses."""
        return await Routing(self, Chat(given=messages, options=kwargs)).arun()

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Generator[ChatResponse, None, None]:
        """Return the chosen model's pieces; the model may change until one shows something, never after."""
        return Routing(self, Chat(given=messages, options=kwargs)).stream()

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> AsyncGenerator[ChatResponse, None]:
        """Return the chosen model's pieces; the model may change until one shows something, never after."""
        return await Routing(self, Chat(given=messages, options=kwargs)).astream()

    # Text

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Return the completion of the model that the router chooses."""
        return Routing(self, Completion(text=prompt, formatted=formatted, options=kwargs)).run()

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Return the completion of the model that the router chooses."""
        return await Routing(self, Completion(text=prompt, formatted=formatted, options=kwargs)).arun()

    def stream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> Generator[CompletionResponse, None, None]:
        """Return the chosen model's pieces."""
        return Routing(self, Completion(text=prompt, formatted=formatted, options=kwargs)).stream()

    async def astream_complete(
        self,
        prompt: str,
        formatted: bool = False,
        **kwargs: Any,
    ) -> AsyncGenerator[CompletionResponse, None]:
        """Return the chosen model's pieces."""
        return await Routing(self, Completion(text=prompt, formatted=formatted, options=kwargs)).astream()

    # Tools

    def chat_with_tools(self, tools: Sequence[Any], *args: Any, **kwargs: Any) -> ChatResponse:
        """Return the answer of a model that calls tools, which puts them into its own form."""
        return Routing(self, _tool_chat(tools, *args, **kwargs)).run()

    async def achat_with_tools(self, tools: Sequence[Any], *args: Any, **kwargs: Any) -> ChatResponse:
        """Return the answer of a model that calls tools, which puts them into its own form."""
        return await Routing(self, _tool_chat(tools, *args, **kwargs)).arun()

    def stream_chat_with_tools(
        self, tools: Sequence[Any], *args: Any, **kwargs: Any
    ) -> Generator[ChatResponse, None, None]:
        """Return the pieces of a model that calls tools, which puts them into its own form."""
        return Routing(self, _tool_chat(tools, *args, **kwargs)).stream()

    async def astream_chat_with_tools(
        self, tools: Sequence[Any], *args: Any, **kwargs: Any
    ) -> AsyncGenerator[ChatResponse, None]:
        """Return the pieces of a model that calls tools, which puts them into its own form."""
        return await Routing(self, _tool_chat(tools, *args, **kwargs)).astream()

    # Templates

    def predict(self, prompt: BasePromptTemplate, **prompt_args: Any) -> str:
        """Return the text that the chosen model makes of a template, framed and parsed as that model's own `predict` does."""
        _dispatcher.event(LLMPredictStartEvent(template=prompt, template_args=prompt_args))
        return self._parsed(Routing(self, Prediction(prompt=prompt, variables=prompt_args)).run())

    async def apredict(self, prompt: BasePromptTemplate, **prompt_args: Any) -> str:
        """Return the text that the chosen model makes of a template, framed and parsed as that model's own `predict` does."""
        _dispatcher.event(LLMPredictStartEvent(template=prompt, template_args=prompt_args))
        return self._parsed(await Routing(self, Prediction(prompt=prompt, variables=prompt_args)).arun())

    def stream(self, prompt: BasePromptTemplate, **prompt_args: Any) -> Generator[str, None, None]:
        """Return the tokens that the chosen model makes of a template."""
        self._no_parser(prompt)
        _dispatcher.event(LLMPredictStartEvent(template=prompt, template_args=prompt_args))
        return _tokens(Routing(self, Prediction(prompt=prompt, variables=prompt_args)).stream())

    async def astream(self, prompt: BasePromptTemplate, **prompt_args: Any) -> AsyncGenerator[str, None]:
        """Return the tokens that the chosen model makes of a template."""
        self._no_parser(prompt)
        _dispatcher.event(LLMPredictStartEvent(template=prompt, template_args=prompt_args))
        return _atokens(await Routing(self, Prediction(prompt=prompt, variables=prompt_args)).astream())

    def _parsed(self, output: ChatResponse | CompletionResponse) -> str:
        text = output.text if isinstance(output, CompletionResponse) else output.message.content or ""
        answered = self.models.get(output.additional_kwargs[KEY]["model"])
        parsed = text if answered is None else answered._parse_output(text)  # noqa: SLF001 - what `predict` itself does
        _dispatcher.event(LLMPredictEndEvent(output=parsed))
        return parsed

    def _no_parser(self, prompt: BasePromptTemplate) -> None:
        if any(one.output_parser is not None for one in (prompt, *self.models.values())):
            raise ConfigError(
                "LlamaIndex parses no streams: an output parser of the prompt or of a candidate is in the way."
            )

    # Objects

    def structured_predict(
        self, output_cls: Any, prompt: Any, llm_kwargs: dict[str, Any] | None = None, **prompt_args: Any
    ) -> Any:
        """Return the object that the chosen model makes of a template, in that model's own way."""
        return Routing(self, _structured(output_cls, prompt, llm_kwargs, prompt_args)).run()

    async def astructured_predict(
        self, output_cls: Any, prompt: Any, llm_kwargs: dict[str, Any] | None = None, **prompt_args: Any
    ) -> Any:
        """Return the object that the chosen model makes of a template, in that model's own way."""
        return await Routing(self, _structured(output_cls, prompt, llm_kwargs, prompt_args)).arun()

    def stream_structured_predict(
        self, output_cls: Any, prompt: Any, llm_kwargs: dict[str, Any] | None = None, **prompt_args: Any
    ) -> Generator[Any, None, None]:
        """Return the object as far as it has come, piece by piece."""
        return Routing(self, _structured(output_cls, prompt, llm_kwargs, prompt_args)).stream()

    async def astream_structured_predict(
        self, output_cls: Any, prompt: Any, llm_kwargs: dict[str, Any] | None = None, **prompt_args: Any
    ) -> AsyncGenerator[Any, None]:
        """Return the object as far as it has come, piece by piece."""
        return await Routing(self, _structured(output_cls, prompt, llm_kwargs, prompt_args)).astream()


def _tool_chat(
    tools: Sequence[Any],
    user_msg: str | ChatMessage | None = None,
    chat_history: Sequence[ChatMessage] | None = None,
    **options: Any,
) -> ToolChat:
    return ToolChat(offered=tools, user_msg=user_msg, history=chat_history or (), options=options)


def _structured(
    output_cls: Any, prompt: Any, llm_kwargs: dict[str, Any] | None, variables: dict[str, Any]
) -> Structured:
    return Structured(output_cls=output_cls, prompt=prompt, options=llm_kwargs or {}, variables=variables)


def _tokens(pieces: Generator[Any, None, None]) -> Generator[str, None, None]:
    for piece in pieces:
        yield piece.delta or ""


async def _atokens(pieces: AsyncGenerator[Any, None]) -> AsyncGenerator[str, None]:
    async for piece in pieces:
        yield piece.delta or ""
