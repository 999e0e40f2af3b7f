"""Fakes: models that answer at once, alike every time, at a known price, and fail where they are told to."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import pairwise
from threading import Lock
from typing import TypeAlias

from pointsman.flow import Effect, Outcome
from pointsman.models import estimate_tokens
from pointsman.testing.toys import embed
from pointsman.types import Call, CallError, Delta, Embed, Response, Usage, total_usd

__all__ = ["FakeModels", "Script"]

Script: TypeAlias = CallError | Sequence[CallError | None]
"""An error that every call of a model meets, or what its first calls meet one after the other (None: they succeed)."""

_PIECES = 3


class FakeModels:
    """Performs every effect at once: the same call always gets the same answer, and everything is on the books.

    It is a blocking performer when called; `aperform`, `open_stream` and `aopen_stream` are its other faces.

    Parameters:
        cost_usd: Dollars of one call, or of one call of each model; a model that is not listed has an unknown price.
        failures: What goes wrong, by model. An error with `emitted` breaks a stream after that many characters.
        hanging: Models whose asynchronous calls never return.

    >>> models = FakeModels(cost_usd={"small": 0.01}, failures={"small": [CallError("small", "busy", retryable=True)]})
    >>> try:
    ...     models(Call(model="small"))
    ... except CallError as error:
    ...     print(error)
    small: busy
    >>> models(Call(model="small")).text, models.paid_usd
    ('small answers', 0.01)
    """

    def __init__(
        self,
        *,
        cost_usd: float | Mapping[str, float] = 0.01,
        failures: Mapping[str, Script] | None = None,
        hanging: frozenset[str] = frozenset(),
    ) -> None:
        self._cost_usd = cost_usd
        self._failures = dict(failures or {})
        self._hanging = hanging
        self._performed: list[Effect] = []
        self._billed: list[float | None] = []
        self._lock = Lock()

    @property
    def performed(self) -> tuple[Effect, ...]:
        """Every effect that was begun, in order."""
        return tuple(self._performed)

    @property
    def called(self) -> list[str]:
        """The models that were called, in order."""
        return [effect.model for effect in self._performed if isinstance(effect, Call)]

    @property
    def paid_usd(self) -> float | None:
        """What all calls cost, failed ones included; None once a call of unknown price was made."""
        return total_usd(self._billed)

    def __call__(self, effect: Effect) -> Outcome:
        """Perform one effect; raise its CallError where it is told to fail."""
        if isinstance(effect, Embed):
            self._begin(effect)
            return tuple(embed(text) for text in effect.texts)
        error = self._begin(effect)
        if error is not None:
            raise error
        return self._respond(effect)

    async def aperform(self, effect: Effect) -> Outcome:
        """Perform one effect after giving way to others."""
        await asyncio.sleep(0)
        if isinstance(effect, Call) and effect.model in self._hanging:
            self._begin(effect)
            await asyncio.Event().wait()
        return self(effect)

    def open_stream(self, call: Call) -> Iterator[Delta | Response]:
        """Yield the answer in three pieces and the response last; an error comes after the characters it says."""
        error = self._begin(call)
        text = _text(call)
        cuts = [round(len(text) * i / _PIECES) for i in range(_PIECES + 1)]
        if error is not None:
            if error.emitted:
                yield Delta(text=text[: error.emitted])
            raise error
        for start, end in pairwise(cuts):
            yield Delta(text=text[start:end])
        yield self._respond(call)

    async def aopen_stream(self, call: Call) -> AsyncIterator[Delta | Response]:
        """Yield what `open_stream` does, giving way to others between the pieces."""
        for piece in self.open_stream(call):
            await asyncio.sleep(0)
            yield piece

    def _begin(self, effect: Effect) -> CallError | None:
        """Enter an effect in the books and return the error it is to meet; each error is made anew."""
        with self._lock:
            before = sum(1 for known in self._performed if isinstance(known, Call) and known.model == _name(effect))
            self._performed.append(effect)
            script = self._failures.get(_name(effect))
            if isinstance(script, Sequence):
                script = script[before] if before < len(script) else None
            if script is not None:
                self._billed.append(script.cost_usd or 0.0)
        return copy.copy(script)

    def _respond(self, call: Call) -> Response:
        price = self._cost_usd if isinstance(self._cost_usd, float | int) else self._cost_usd.get(call.model)
        with self._lock:
            self._billed.append(price)
        text = _text(call)
        usage = Usage(input_tokens=estimate_tokens(_input_chars(call)), output_tokens=estimate_tokens(len(text)))
        return Response(
            model=call.model,
            text=text,
            usage=usage,
            cost_usd=price,
            latency_s=0.0,
            logprobs=(-0.5, -1.0),
            top_logprobs=((-0.5, -1.5), (-1.0, -1.2)),
        )


def _name(effect: Effect) -> str:
    return effect.model if isinstance(effect, Call) else effect.embedder


def _input_chars(call: Call) -> int:
    return sum(len(message.text) for message in call.messages or ())


def _text(call: Call) -> str:
    return f"{call.model} answers" if call.purpose == "answer" else f"{call.model} answers as {call.purpose}"
