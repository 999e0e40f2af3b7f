"""A caller for `pointsman collect`: any model that LangChain can make from a line of text, such as "openai:gpt-4o-mini"."""

from __future__ import annotations

from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel

from langchain_router.candidates import candidates_of
from langchain_router.conversation import to_langchain
from langchain_router.failures import call_error
from langchain_router.replies import response_of
from pointsman.callers.base import messages_of
from pointsman.errors import ConfigError
from pointsman.models import ModelSpec
from pointsman.types import Call, Query, Response

__all__ = ["ChatModelCaller", "from_spec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatModelCaller:
    """Asks a LangChain chat model.

    Parameters:
        model: The chat model; its errors become CallErrors where they are the provider's.
    """

    model: BaseChatModel

    async def __call__(self, call: Call, query: Query) -> Response:
        """Return what the model answers."""
        try:
            message = await self.model.ainvoke(to_langchain(messages_of(call, query)), **call.params)
        except Exception as error:
            failure = call_error(call.model, error)
            if failure is None:
                raise
            raise failure from error
        return response_of(call.model, message, message)


def from_spec(spec: ModelSpec) -> ChatModelCaller:
    """Make the caller of a model whose metadata say `{"langchain": "provider:model"}`, the text `init_chat_model` reads."""
    text = spec.metadata["langchain"]
    if not isinstance(text, str):
        raise ConfigError(f"models.{spec.name}.metadata.langchain must be 'provider:model', got {text!r}.")
    return ChatModelCaller(model=candidates_of({spec.name: text})[spec.name])
