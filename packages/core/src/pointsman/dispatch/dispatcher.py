"""Dispatcher: carries queries through a router's plans with real models, and gives each run its trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing
from dataclasses import replace

from pointsman.budgets import Budget, Budgets
from pointsman.dispatch.health import Health
from pointsman.dispatch.journey import Observer, report
from pointsman.dispatch.performing import AsyncOpener, AsyncPerformer, Opener, Performer, Performing
from pointsman.dispatch.retry import Retry
from pointsman.dispatch.serving import Serving
from pointsman.dispatch.streams import AnswerStream, AsyncAnswerStream
from pointsman.dispatch.terms import Terms
from pointsman.errors import ConfigError
from pointsman.flow import Effect, adrive, adrive_stream, drive, drive_stream
from pointsman.pricing import PriceTable, price_call
from pointsman.routers.base import Router
from pointsman.types import Call, Context, Delta, Feedback, Message, Query, Trace, Usage

__all__ = ["Dispatcher"]

_HERE_AND_NOW = Context()


class Dispatcher:
    """Runs a router's plans: calls models through the caller's functions, retries, pays, records and reports.

    A run returns its Trace; on failure the error is raised and carries it as `error.trace`. All methods may be called from
    many threads and tasks at once: what concerns one query lives in its own trace.

    Parameters:
        router: Who decides.
        perform: `perform(effect)` returns the Response of a Call, or the vectors of an Embed; raises CallError. This one
            serves every query, so its calls carry their messages. One that is given to a single run gets the calls as the
            plan wrote them: `messages` None means the query's own.
        aperform: The same, awaitable; without it, `perform` runs in threads.
        budget: What all calls are paid from, or a budget for each scope.
        retry: How the same model is tried again; None is once only.
        deadline_s: Seconds for each call with its retries; for a streamed one, until its first piece.
        prices: What a model costs where neither the response nor the router's models say so.
        observers: Called with the trace of every run, failed and cancelled ones too; what has an `on_feedback` gets the
            feedback as well.
        health: Leaves models alone for a while that keep failing.
        remember: How many recent traces are kept for the feedback to a router that learns.
    """

    def __init__(
        self,
        router: Router,
        *,
        perform: Performer | None = None,
        aperform: AsyncPerformer | None = None,
        budget: Budget | Budgets | None = None,
        retry: Retry | None = None,
        deadline_s: float | None = None,
        prices: PriceTable | None = None,
        observers: Sequence[Observer] = (),
        health: Health | None = None,
        remember: int = 1_000,
    ) -> None:
        self._serving = Serving(router, remember=remember)
        self._perform = perform
        self._aperform = aperform
        self._performing = Performing(retry=retry or Retry(), deadline_s=deadline_s)
        self._terms = Terms(
            budget=budget,
            prices=prices,
            health=health,
            observers=(self._serving.remember, *observers),
        )

    @property
    def router(self) -> Router:
        """The router in service."""
        return self._serving.router

    def replace(self, router: Router) -> Router:
        """Put another router in service and return the old one; runs under way end with the one they began with."""
        return self._serving.replace(router)

    def run(self, query: Query, context: Context = _HERE_AND_NOW, *, perform: Performer | None = None) -> Trace:
        """Answer a query and return its trace."""
        journey = self._terms.depart(query, context, self._serving.current())
        with journey:
            calls = self._performing.calls(journey, self._blocking(journey.query) if perform is None else perform)
            answer = drive(journey.plan(), calls)
        return journey.end("answered", answer)

    async def arun(
        self, query: Query, context: Context = _HERE_AND_NOW, *, aperform: AsyncPerformer | None = None
    ) -> Trace:
        """Answer a query and return its trace; cancelling the task ends the run and records what was under way."""
        journey = self._terms.depart(query, context, self._serving.current())
        with journey:
            calls = self._performing.acalls(journey, self._awaitable(journey.query) if aperform is None else aperform)
            answer = await adrive(journey.plan(), calls)
        return journey.end("answered", answer)

    def stream(
        self,
        query: Query,
        context: Context = _HERE_AND_NOW,
        *,
        open_stream: Opener | None = None,
        perform: Performer | None = None,
    ) -> AnswerStream:
        """Answer a query piece by piece: iterate what is returned, then read its trace.

        `open_stream(call)` yields deltas and the Response last. Without it the answer is one piece.
        """
        journey = self._terms.depart(query, context, self._serving.current())

        def deltas() -> Generator[Delta, None, None]:
            with journey:
                calls = self._performing.calls(journey, self._blocking(journey.query) if perform is None else perform)
                opened = self._performing.streams(journey, open_stream) if open_stream is not None else None
                answer = yield from drive_stream(journey.plan(), calls, opened)
            journey.end("answered", answer)

        return AnswerStream(journey, deltas())

    def astream(
        self,
        query: Query,
        context: Context = _HERE_AND_NOW,
        *,
        aopen_stream: AsyncOpener | None = None,
        aperform: AsyncPerformer | None = None,
    ) -> AsyncAnswerStream:
        """Answer a query piece by piece, asynchronously; the rules are those of `stream`."""
        journey = self._terms.depart(query, context, self._serving.current())

        async def deltas() -> AsyncGenerator[Delta, None]:
            with journey:
                calls = self._performing.acalls(
                    journey, self._awaitable(journey.query) if aperform is None else aperform
                )
                opened = self._performing.astreams(journey, aopen_stream) if aopen_stream is not None else None
                async with aclosing(adrive_stream(journey.plan(), calls, opened)) as stream:
                    async for delta in stream:
                        yield delta
            journey.end("answered", stream.result)

        return AsyncAnswerStream(journey, deltas())

    def cost_usd(self, model: str, usage: Usage | None) -> float | None:
        """Return what a call of this usage is booked at where nobody tells its cost: by the models' prices, else `prices`."""
        return price_call(usage, model, self._serving.current().models, self._terms.prices)

    def feedback(self, feedback: Feedback, *, trace: Trace | None = None) -> None:
        """Report what became of an answer: to the observers, and to a router that learns.

        Such a router needs the trace: one of the recent ones, or the one handed over. PointsmanError where there is none.
        """
        for observer in self._terms.observers:
            if (listen := getattr(observer, "on_feedback", None)) is not None:
                report(listen, feedback)
        self._serving.learn(feedback, trace)

    def _blocking(self, query: Query) -> Performer:
        own = self._perform
        if own is None:
            raise ConfigError("Nothing can be performed: give the Dispatcher, or this run, a `perform`.")
        return lambda effect: own(_spoken(effect, query))

    def _awaitable(self, query: Query) -> AsyncPerformer:
        own, blocking = self._aperform, self._perform
        if own is not None:
            return lambda effect: own(_spoken(effect, query))
        if blocking is not None:
            return lambda effect: asyncio.to_thread(blocking, _spoken(effect, query))
        raise ConfigError("Nothing can be performed: give the Dispatcher, or this run, an `aperform`.")


def _spoken(effect: Effect, query: Query) -> Effect:
    """Return a call with its messages: the query's own where the plan named none."""
    if not isinstance(effect, Call) or effect.messages is not None:
        return effect
    return replace(effect, messages=query.messages or (Message(role="user", content=query.text),))
