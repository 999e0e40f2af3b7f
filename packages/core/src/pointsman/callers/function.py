"""A Python function as a model: text in, text or a full response out."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from pointsman.callers.base import prompt_of
from pointsman.errors import ConfigError
from pointsman.models import ModelSpec
from pointsman.references import load
from pointsman.types import Call, CallError, Query, Response

__all__ = ["FunctionCaller", "from_spec"]

Answered: TypeAlias = str | Response


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCaller:
    """Asks a function; a blocking one runs in a thread.

    The function gets the prompt as one text and returns the answer, or a Response where it knows tokens or dollars too.
    TimeoutError and ConnectionError count as failures worth another attempt, and a CallError as what it says; any other
    error is the function's own and propagates.

    Parameters:
        function: `(prompt) -> str | Response`, plain or async.
    """

    function: Callable[[str], Answered | Awaitable[Answered]]

    async def __call__(self, call: Call, query: Query) -> Response:
        """Return what the function answers."""
        prompt = prompt_of(call, query)
        try:
            if inspect.iscoroutinefunction(self.function):
                answered = await self.function(prompt)
            else:
                answered = await asyncio.to_thread(self.function, prompt)
                if inspect.isawaitable(answered):
                    answered = await answered
        except (TimeoutError, ConnectionError) as error:
            message = f"{type(error).__name__}: {error}"
            raise CallError(call.model, message, retryable=True, interrupted=True) from error
        if isinstance(answered, Response):
            return replace(answered, model=call.model)
        if isinstance(answered, str):
            return Response(model=call.model, text=answered)
        raise TypeError(f"The function of {call.model!r} must return a str or a Response, not {answered!r}.")


def from_spec(spec: ModelSpec) -> FunctionCaller:
    """Make the caller of a model whose metadata names a function: `{"callable": "module:function"}`."""
    reference = spec.metadata["callable"]
    if not isinstance(reference, str):
        raise ConfigError(f"models.{spec.name}.metadata.callable must be 'module:function', got {reference!r}.")
    return FunctionCaller(function=load(reference))
