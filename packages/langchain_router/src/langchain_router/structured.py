"""Structured output: route first, then let the chosen model do its own formatting and parsing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.utils import ConfigurableFieldSpec

from langchain_router.exchange import Operation
from langchain_router.reading import read_chat
from langchain_router.routing import Routing

if TYPE_CHECKING:
    from langchain_router.surface import RoutedChatModel

__all__ = ["RoutedOutput"]


class RoutedOutput(Runnable[LanguageModelInput, Any]):
    """A router together with what is to be made of whichever model it chooses."""

    def __init__(self, router: RoutedChatModel, operation: Operation) -> None:
        self._router = router
        self._operation = operation

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """The per-call settings, those of the router."""
        return self._router.config_specs

    def _routing(self, given: LanguageModelInput, config: RunnableConfig | None, options: dict[str, Any]) -> Routing:
        return Routing(
            self._router, self, given, config, partial(read_chat, self._router, given, options, self._operation)
        )

    def invoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Return the parsed answer."""
        return self._routing(input, config, kwargs).invoke()

    async def ainvoke(self, input: LanguageModelInput, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Return the parsed answer."""
        return await self._routing(input, config, kwargs).ainvoke()

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Yield the parsed answer as far as it has come."""
        return self._routing(input, config, kwargs).stream()

    async def astream(
        self,
        input: LanguageModelInput,  # noqa: A002 - LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Yield the parsed answer as far as it has come."""
        async with aclosing(self._routing(input, config, kwargs).astream()) as pieces:
            async for piece in pieces:
                yield piece
