"""A router that goes down a fixed ladder of models, and a world that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from threading import Lock
from typing import Any

import pytest

from pointsman.dispatch import Dispatcher
from pointsman.flow import Effect, Outcome
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.types import Call, CallError, Context, Decision, Delta, ModelEstimate, Query, Response

WAYS = ("run", "arun", "stream", "astream")


class Ladder(Router):
    """Tries the models of its ladder from the first to the last."""

    ladder: tuple[str, ...]
    pool: ModelPool
    expected_usd: float | None = None

    @property
    def models(self) -> ModelPool:
        """The models of the ladder."""
        return self.pool

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008
        """Return the ladder without what is left out."""
        excluded, _ = self.exclusions(query, context)
        ranking = tuple(name for name in self.ladder if name not in excluded)
        estimate = ModelEstimate(quality=None, cost_usd=self.expected_usd, latency_s=None, score=None)
        return Decision(
            model=ranking[0], ranking=ranking, estimates=dict.fromkeys(ranking, estimate), excluded=excluded
        )


class World:
    """Models that answer with their name and the question; `script` says what else their first calls meet."""

    def __init__(self, **script: list[Any]) -> None:
        self.script = script
        self.calls: list[Call] = []
        self._lock = Lock()

    def perform(self, effect: Effect) -> Outcome:
        """Answer, or do what comes next in the model's script: raise an error, call a function, return a response."""
        assert isinstance(effect, Call)
        with self._lock:
            self.calls.append(effect)
            script = self.script.get(effect.model)
            turn = script.pop(0) if script else None
        if isinstance(turn, BaseException):
            raise turn
        if callable(turn):
            turn = turn()
        if turn is not None:
            return turn  # type: ignore[no-any-return]
        text = effect.messages[-1].text if effect.messages else "?"
        return Response(model=effect.model, text=f"{effect.model}: {text}", cost_usd=0.01)

    async def aperform(self, effect: Effect) -> Outcome:
        """Answer as `perform` does, after giving way to others."""
        await asyncio.sleep(0)
        return self.perform(effect)

    def open_stream(self, call: Call) -> Iterator[Delta | Response]:
        """Show the answer a character at a time; an error comes after as many characters as it says it emitted."""
        try:
            response = self.perform(call)
        except CallError as error:
            for _ in range(error.emitted):
                yield Delta(text="x")
            raise
        assert isinstance(response, Response)
        for character in response.text:
            yield Delta(text=character)
        yield response

    async def aopen_stream(self, call: Call) -> AsyncIterator[Delta | Response]:
        """Show the answer as `open_stream` does, giving way to others between the pieces."""
        for piece in self.open_stream(call):
            await asyncio.sleep(0)
            yield piece


def carry_out(way: str, dispatcher: Dispatcher, world: World, query: Query, context: Context | None = None) -> Any:
    """Answer a query in one of the four ways and return the trace."""
    context = context or Context()
    if way == "run":
        return dispatcher.run(query, context, perform=world.perform)
    if way == "stream":
        stream = dispatcher.stream(query, context, open_stream=world.open_stream, perform=world.perform)
        for _ in stream:
            pass
        return stream.trace

    async def awaited() -> Any:
        if way == "arun":
            return await dispatcher.arun(query, context, aperform=world.aperform)
        stream = dispatcher.astream(query, context, aopen_stream=world.aopen_stream, aperform=world.aperform)
        async for _ in stream:
            pass
        return stream.trace

    return asyncio.run(awaited())


@pytest.fixture
def ladder() -> Callable[..., Ladder]:
    """Return a maker of ladders: names, or rows of a pool, from the first rung to the last."""

    def make(*rows: Any, expected_usd: float | None = None) -> Ladder:
        names = tuple(row if isinstance(row, str) else row["name"] for row in rows)
        return Ladder(ladder=names, pool=ModelPool.of(list(rows)), expected_usd=expected_usd)

    return make


@pytest.fixture
def world() -> type[World]:
    """Return the maker of worlds."""
    return World


@pytest.fixture
def ways() -> dict[str, Callable[..., Any]]:
    """Return the four ways to have a query answered, each as `way(dispatcher, world, query, context)`."""
    return {way: partial(carry_out, way) for way in WAYS}


@pytest.fixture(params=WAYS)
def answer(request: pytest.FixtureRequest, ways: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    """Return each of the four ways in turn."""
    return ways[request.param]
