"""The witness: hears the LLM events behind an output that hides them, such as an object that was parsed from an answer."""

from __future__ import annotations

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self

from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent, LLMCompletionEndEvent

from llamaindex_router.replies import total_usage
from pointsman.types import Usage

__all__ = ["Witness"]

_SOURCE = "llama_index.core.llms.callbacks"
"""The dispatcher through which every LLM tells of its calls."""


class Witness:
    """Keeps the responses of all LLM calls within its `with` blocks, in whatever order they come."""

    def __init__(self) -> None:
        self._responses: list[Any] = []
        self._token: Token[Witness | None] | None = None
        _listen()

    def __enter__(self) -> Self:
        self._token = _WATCHING.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._token is not None:
            _WATCHING.reset(self._token)

    def hear(self, response: Any) -> None:
        """Keep a response; a chat and the completion within it have the same raw one, and are one call."""
        raw = getattr(response, "raw", None)
        if raw is None or all(known.raw is not raw for known in self._responses):
            self._responses.append(response)

    @property
    def usage(self) -> Usage | None:
        """What all of them used together; None is unknown."""
        return total_usage(self._responses)


_WATCHING: ContextVar[Witness | None] = ContextVar("llamaindex_router_witness", default=None)


class _Listener(BaseEventHandler):
    """Passes ends of LLM calls on to whichever witness watches where they happen."""

    @classmethod
    def class_name(cls) -> str:
        return "PointsmanListener"

    def handle(self, event: Any, **_: Any) -> None:
        witness = _WATCHING.get()
        if witness is not None and isinstance(event, LLMChatEndEvent | LLMCompletionEndEvent):
            witness.hear(event.response)


def _listen() -> None:
    """Begin to listen when the first witness is made; one listener serves all."""
    dispatcher = get_dispatcher(_SOURCE)
    if not any(isinstance(handler, _Listener) for handler in dispatcher.event_handlers):
        dispatcher.add_event_handler(_Listener())
