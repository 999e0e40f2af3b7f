"""Overruling: the model that a fallback around the router names, once the router's own have failed, is not routed away."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from langchain.agents.middleware import ModelRequest
from langchain_core.language_models import BaseChatModel

__all__ = ["Overruling"]

_KEPT = 64
"""Model calls in which routing failed that are remembered; a fallback comes at once, so these are those under way."""


class Overruling:
    """Remembers the model calls in which routing failed: each is one state that the agent has read, and its own model.

    Middlewares around the router derive what they try next from the same request, so it has the same state; another model
    in it is one that they have put there.
    """

    def __init__(self) -> None:
        self._failed: OrderedDict[int, tuple[Any, BaseChatModel]] = OrderedDict()
        self._lock = Lock()

    def holds(self, request: ModelRequest[Any]) -> bool:
        """Tell whether the request's model was named by a middleware around the router, after it had failed."""
        with self._lock:
            state, model = self._failed.get(id(request.state), (None, request.model))
        return state is request.state and model is not request.model

    @contextmanager
    def watching(self, request: ModelRequest[Any]) -> Iterator[None]:
        """Remember the request if what is done here fails."""
        try:
            yield
        except Exception:
            with self._lock:
                self._failed[id(request.state)] = (request.state, request.model)
                while len(self._failed) > _KEPT:
                    self._failed.popitem(last=False)
            raise
        self.forget(request)

    def forget(self, request: ModelRequest[Any]) -> None:
        """Forget a model call that was answered after all."""
        with self._lock:
            self._failed.pop(id(request.state), None)
