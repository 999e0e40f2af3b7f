"""Dispatcher: carries queries through a router's plans with real models, and gives each run its trace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing
from dataclasses import replace

from pointsman.budgets import Budget, Budgets
from pointsman.dispatch.attempts import Attempts
from pointsman.dispatch.health import Health
from pointsman.dispatch.journey import Journey, Observer, report
from pointsman.dispatch.performing import AsyncOpener, AsyncPerformer, Opener, Performer, Performing
from pointsman.dispatch.recent import Recent
from pointsman.dispatch.retry import Retry
from pointsman.dispatch.serving import Learner, Served, Serving
from pointsman.dispatch.streams import AnswerStream, AsyncAnswerStream
from pointsman.errors import ConfigError, PointsmanError
from pointsman.flow import Effect, Recorder, adrive, adrive_stream, drive, drive_stream
from pointsman.pricing import PriceTable
from pointsman.routers.base import Router
from pointsman.types import Call, Context, Delta, Feedback, Message, Query, Trace

__all__ = ["Dispatcher", "Observer"]


class Dispatcher:
    """Runs a router's plans: calls models through the caller's functions, retries, pays, records and reports.

    A run returns its Trace; on failure the error is raised and carries it as `error.trace`. All methods may be called from
    many threads and tasks at once: what concerns one query lives in its own trace.

    Parameters:
        router: Who decides.
        perform: `perform(effect) -> Response` for a Call, vectors for an Embed; raises CallError. It serves every query, so the
            calls it gets carry their messages. One given to a single run gets calls as the plan wrote them: `messages` None
            means the query's own.
        aperform: The same, awaitable; without it, `perform` runs in threads.
        budget: What all calls are paid from, or a budget for each scope.
        retry: How the same model is tried again; once by default.
        deadline_s: Seconds for each call with its retries; for a streamed one, until its first piece.
        prices: What a model costs where neither the response nor the router's pool says so.
        observers: Called with every trace, also of failed and cancelled runs. What has `on_feedback` gets the feedback too.
        health: Leaves models that keep failing alone for a while.
        remember: How many recent traces are kept for feedback to a router that learns.
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
        if deadline_s is not None and not deadline_s > 0:
            raise ConfigError(f"Dispatcher.deadline_s must be more than 0 seconds, got {deadline_s}.")
        self._serving = Serving(router)
        self._perform = perform
        self._aperform = aperform
        self._budget = budget
        self._retry = retry or Retry()
        self._deadline_s = deadline_s
        self._prices = prices
        self._observers = tuple(observers)
        self._health = health
        self._recent = Recent(remember)

    @property
    def router(self) -> Router:
        """The router in service."""
        return self._serving.router

    def replace(self, router: Router) -> Router:
        """Put another router in service and return the old one; runs under way end with the one they began with."""
        return self._serving.replace(router)

    def run(self, query: Query, context: Context = Context(), *, perform: Performer | None = None) -> Trace:  # noqa: B008
        """Answer a query and return its trace."""
        journey, served, performing = self._depart(query, context)
        with journey.accounted():
            calls = performing.calls(self._blocking(journey.query, perform))
            answer = drive(served.router.plan(journey.query, journey.context), calls)
        return journey.arrive(answer)

    async def arun(
        self,
        query: Query,
        context: Context = Context(),
        *,
        aperform: AsyncPerformer | None = None,
    ) -> Trace:
        """Answer a query and return its trace."""
        journey, served, performing = self._depart(query, context)
        with journey.accounted():
            calls = performing.acalls(self._awaitable(journey.query, aperform))
            answer = await adrive(served.router.plan(journey.query, journey.context), calls)
        return journey.arrive(answer)

    def stream(
        self,
        query: Query,
        context: Context = Context(),  # noqa: B008
        *,
        open_stream: Opener | None = None,
        perform: Performer | None = None,
    ) -> AnswerStream:
        """Answer a query piece by piece.

        `open_stream(call)` yields deltas and the Response last. Without it nothing is shown before the answer is complete.
        """
        journey, served, performing = self._depart(query, context)

        def deltas() -> Generator[Delta, None, None]:
            with journey.accounted():
                performer = self._blocking(journey.query, perform)
                opened = performing.streams(open_stream) if open_stream else None
                plan = served.router.plan(journey.query, journey.context)
                answer = yield from drive_stream(plan, performing.calls(performer), opened)
            journey.arrive(answer)

        return AnswerStream(journey, deltas())

    def astream(
        self,
        query: Query,
        context: Context = Context(),  # noqa: B008
        *,
        aopen_stream: AsyncOpener | None = None,
        aperform: AsyncPerformer | None = None,
    ) -> AsyncAnswerStream:
        """Answer a query piece by piece; `aopen_stream(call)` yields deltas and the Response last."""
        journey, served, performing = self._depart(query, context)

        async def deltas() -> AsyncGenerator[Delta, None]:
            with journey.accounted():
                performer = self._awaitable(journey.query, aperform)
                opened = performing.astreams(aopen_stream) if aopen_stream else None
                plan = served.router.plan(journey.query, journey.context)
                stream = adrive_stream(plan, performing.acalls(performer), opened)
                async with aclosing(stream):
                    async for delta in stream:
                        yield delta
            journey.arrive(stream.result)

        return AsyncAnswerStream(journey, deltas())

    def feedback(self, feedback: Feedback, *, trace: Trace | None = None) -> None:
        """Report what became of an answer: to the observers, and to a router that learns.

        Such a router needs the trace: one of the recent ones, or the one handed over. PointsmanError where there is none.
        """
        if isinstance(self.router, Learner):
            found = trace or self._recent.get(feedback.trace_id)
            if found is None:
                raise PointsmanError(
                    f"Trace {feedback.trace_id!r} is none of the recent ones; hand it over as `trace`."
                )
            self._serving.learn([(found, feedback)])
        for observer in self._observers:
            report(observer, "on_feedback", feedback)

    def _depart(self, query: Query, context: Context) -> tuple[Journey, Served, Performing]:
        """Settle everything that holds for one run before it begins."""
        served = self._serving.current()
        recorder = Recorder(on_step=self._health.observe if self._health else None)
        journey = Journey(
            query=query,
            context=context,
            router=served.digest,
            recorder=recorder,
            observers=(self._recent, *self._observers) if isinstance(served.router, Learner) else self._observers,
        )
        if not query.id:
            journey.query = replace(query, id=journey.id)
        budget = self._budget.of(query) if isinstance(self._budget, Budgets) else self._budget
        journey.context = self._filled(context, budget, served)
        attempts = Attempts(
            query=journey.query, models=served.models, recorder=recorder, budget=budget, prices=self._prices
        )
        return (
            journey,
            served,
            Performing(attempts=attempts, retry=self._retry, deadline_s=self._deadline_s, key=journey.id),
        )

    def _filled(self, context: Context, budget: Budget | None, served: Served) -> Context:
        """Return the context with what the dispatcher knows and the caller left open."""
        if self._health is not None:
            context = self._health.fill(context, served.models)
        if budget is not None and context.budget_left_usd is None:
            context = replace(context, budget_left_usd=budget.left_usd)
        return context if context.clock is not None else replace(context, clock=time.time())

    def _blocking(self, query: Query, perform: Performer | None) -> Performer:
        if perform is not None:
            return perform
        own = self._perform
        if own is None:
            raise ConfigError("Nothing can be performed: give the Dispatcher or this run a `perform`.")
        return lambda effect: own(_spoken(effect, query))

    def _awaitable(self, query: Query, aperform: AsyncPerformer | None) -> AsyncPerformer:
        if aperform is not None:
            return aperform
        own, blocking = self._aperform, self._perform
        if own is not None:
            return lambda effect: own(_spoken(effect, query))
        if blocking is not None:
            return lambda effect: asyncio.to_thread(blocking, _spoken(effect, query))
        raise ConfigError("Nothing can be performed: give the Dispatcher or this run an `aperform`.")


def _spoken(effect: Effect, query: Query) -> Effect:
    """Return a call with its messages: the query's own where the plan named none."""
    if not isinstance(effect, Call) or effect.messages is not None:
        return effect
    return replace(effect, messages=query.messages or (Message(role="user", content=query.text),))
