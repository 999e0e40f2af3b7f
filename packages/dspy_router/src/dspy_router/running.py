"""Running: the calls of a plan performed by a whole piece of a program, each time with another candidate in charge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import dspy
from dspy.utils.exceptions import AdapterParseError

from dspy_router.checking import CHECKED
from dspy_router.exchange import CandidateCall, Exchange
from dspy_router.logprobs import FIELD, read
from dspy_router.record import prediction_of, with_route
from dspy_router.replies import response_of
from pointsman.errors import ConfigError
from pointsman.flow import Effect, Outcome
from pointsman.types import Call, CallError, Embed, Response, Trace, Usage, total_usd

__all__ = ["ARun", "Run", "Running"]

Run: TypeAlias = Callable[[Any], Any]
"""Runs the piece with a language model and returns its prediction."""

ARun: TypeAlias = Callable[[Any], Awaitable[Any]]


class Running(Exchange):
    """One routed run of a piece of a program: what is called is not a language model but the piece, with one in charge.

    A reply that the adapter cannot read is a failure of that model, paid for, which another one may not have.

    Parameters:
        run, arun: The piece, blocking or awaited; whichever way it is performed.
        check: Tells whether the prediction of a checked draft is good enough.
    """

    __slots__ = ("arun", "check", "run", "traced")

    def __init__(
        self,
        *,
        run: Run | None = None,
        arun: ARun | None = None,
        check: Callable[[Any], bool] | None = None,
        **parts: Any,
    ) -> None:
        super().__init__(**parts)
        self.run = run
        self.arun = arun
        self.check = check
        self.traced: list[tuple[Any, list[Any]]] = []

    def perform(self, effect: Effect) -> Outcome:
        """Run the piece with the candidate that a plan asks for; embeddings and a plan's own messages go the usual way."""
        if self.run is None or isinstance(effect, Embed) or effect.messages is not None:
            return super().perform(effect)
        with self._placed(effect) as one:
            with self._tracing() as steps:
                prediction = self.run(one.lm)
            return self._response(one, prediction, steps)

    async def aperform(self, effect: Effect) -> Outcome:
        """Do as `perform`, awaiting."""
        if self.arun is None or isinstance(effect, Embed) or effect.messages is not None:
            return await super().aperform(effect)
        with self._placed(effect) as one:
            with self._tracing() as steps:
                prediction = await self.arun(one.lm)
            return self._response(one, prediction, steps)

    def told(self, trace: Trace) -> Any:
        """Return the prediction behind the answer, with the route on it."""
        self.note(trace)
        prediction = prediction_of(trace)
        outer = dspy.settings.trace
        if outer is not None:
            outer.extend(next(steps for found, steps in self.traced if found is prediction))
            del outer[: max(0, len(outer) - dspy.settings.max_trace_size)]
        return with_route(prediction, trace)

    @contextmanager
    def _tracing(self) -> Iterator[list[Any]]:
        """Keep what DSPy traces of one run apart: of a draft that is not the answer nothing is to be learnt."""
        steps: list[Any] = []
        if dspy.settings.trace is None:
            yield steps
        else:
            with dspy.context(trace=steps):
                yield steps

    def _placed(self, call: Call) -> CandidateCall:
        """Return a candidate that has the owner's options, and those of the call, as its own."""
        lm = self._copy(call)
        options = {**self.asked.options, **call.params}
        lm.cache = options.pop("cache", lm.cache)
        lm.kwargs = {**lm.kwargs, **options}
        return CandidateCall(self, call, lm, replace(self.asked, options={}))

    def _response(self, one: CandidateCall, prediction: Any, steps: list[Any]) -> Response:
        self.traced.append((prediction, steps))
        usage, cost = self._spent(one)
        if one.call.purpose == CHECKED and not self._accepts(prediction):
            raise CallError(one.call.model, "its draft was rejected", retryable=True, usage=usage, cost_usd=cost)
        fields = dict(prediction.items())
        likely = read(fields.pop(FIELD, None))
        if FIELD in one.call.params and FIELD in prediction and not self.wants_logprobs(one):
            del prediction[FIELD]
        return Response(
            model=one.call.model,
            text="\n".join(map(str, fields.values())),
            content=prediction,
            usage=usage,
            cost_usd=cost,
            logprobs=likely.logprobs,
            top_logprobs=likely.top_logprobs,
            served_model=one.entries[-1]["response_model"] if one.entries else None,
            raw=prediction,
        )

    def _accepts(self, prediction: Any) -> bool:
        if self.check is None:
            raise ConfigError("The router drafts for a check, but the routed module has none; give it check=...")
        return bool(self.check(prediction))

    def failure(self, one: CandidateCall, error: Exception, emitted: int) -> CallError | None:
        """Return an error as an outcome of the call, a reply that could not be read too; None for a bug."""
        if not isinstance(error, AdapterParseError):
            return super().failure(one, error, emitted)
        usage, cost = self._spent(one)
        said = f"its reply could not be read: {str(error).splitlines()[0]}"
        return CallError(one.call.model, said, retryable=True, emitted=emitted, usage=usage, cost_usd=cost)

    def wants_logprobs(self, one: CandidateCall) -> bool:
        """Tell it of the predictor's own config too, which goes with each of its calls."""
        return super().wants_logprobs(one) or any(entry["kwargs"].get(FIELD) for entry in one.entries)

    def _spent(self, one: CandidateCall) -> tuple[Usage | None, float | None]:
        """Return the tokens of all calls of the run and, where they were several, what they cost."""
        replies = [response_of(one.call.model, entry["outputs"], entry) for entry in one.entries]
        if not replies:
            return None, None
        if len(replies) == 1:
            return replies[0].usage, replies[0].cost_usd
        price = self.owner.dispatcher.cost_usd
        costs = [price(one.call.model, reply.usage) if reply.cost_usd is None else reply.cost_usd for reply in replies]
        return _added([reply.usage for reply in replies]), total_usd(costs)


def _added(usages: list[Usage | None]) -> Usage | None:
    known = [usage for usage in usages if usage is not None and usage.input_tokens is not None]
    if len(known) < len(usages):
        return None
    return Usage(
        input_tokens=sum(usage.input_tokens or 0 for usage in known),
        output_tokens=sum(usage.output_tokens or 0 for usage in known),
        cached_input_tokens=sum(usage.cached_input_tokens for usage in known),
        cache_write_tokens=sum(usage.cache_write_tokens for usage in known),
        reasoning_tokens=sum(usage.reasoning_tokens for usage in known),
    )
