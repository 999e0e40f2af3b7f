"""Spans: LlamaIndex puts one around every endpoint; where nobody listens to its instrumentation, none is made."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import NullEventHandler
from llama_index.core.instrumentation.span_handlers import NullSpanHandler

__all__ = ["SpannedWhereHeard", "heard"]

_dispatcher: Any = get_dispatcher(__name__)


def heard() -> bool:
    """Tell whether anything listens to the events or spans of this package."""
    dispatcher = _dispatcher
    while dispatcher is not None:
        for handler in dispatcher.event_handlers:
            if type(handler) is not NullEventHandler:
                return True
        for handler in dispatcher.span_handlers:
            if type(handler) is not NullSpanHandler:
                return True
        dispatcher = dispatcher.parent if dispatcher.propagate else None
    return False


class SpannedWhereHeard:
    """A base whose subclasses' endpoints skip LlamaIndex's span where nobody listens; to stand before LlamaIndex's bases.

    A span reads its method's signature at every call and takes as long as a good part of the routing; where it is made, the
    signature is read once.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        plain = {name: method for name, method in vars(cls).items() if inspect.isfunction(method)}
        for method in plain.values():
            method.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
        super().__init_subclass__(**kwargs)
        for name, method in plain.items():
            spanned = vars(cls)[name]
            if spanned is not method:
                quiet = _aquiet if inspect.iscoroutinefunction(method) else _quiet
                setattr(cls, name, quiet(method, spanned))


def _quiet(plain: Callable[..., Any], spanned: Any) -> Callable[..., Any]:
    @wraps(plain)
    def endpoint(self: Any, *args: Any, **kwargs: Any) -> Any:
        if heard():
            return spanned.__get__(self, type(self))(*args, **kwargs)
        return plain(self, *args, **kwargs)

    return _decorated(endpoint)


def _aquiet(plain: Callable[..., Any], spanned: Any) -> Callable[..., Any]:
    @wraps(plain)
    async def endpoint(self: Any, *args: Any, **kwargs: Any) -> Any:
        if heard():
            return await spanned.__get__(self, type(self))(*args, **kwargs)
        return await plain(self, *args, **kwargs)

    return _decorated(endpoint)


def _decorated(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Mark an endpoint as LlamaIndex marks those with a span, so that a subclass's override gets one too, but not a second."""
    endpoint.__dispatcher_span_decorated__ = True  # type: ignore[attr-defined]
    return endpoint
