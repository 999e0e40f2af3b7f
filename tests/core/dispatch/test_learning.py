"""The router in service: taught by feedback, swapped whole, its digest always that of the state that decided."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import pytest

from pointsman.components import State
from pointsman.dispatch import Dispatcher, Learner
from pointsman.errors import PointsmanError
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.types import Context, Decision, Feedback, Query, Trace


class Praise(State):
    """How often each model was praised."""

    counts: dict[str, int]


class Popular(Router):
    """Sends every query to the model with the most praise."""

    pool: ModelPool

    @property
    def models(self) -> ModelPool:
        """The models given."""
        return self.pool

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008
        """Return the models by praise, then by name."""
        counts = self.fitted(Praise).counts
        ranking = tuple(sorted(self.pool, key=lambda name: (-counts.get(name, 0), name)))
        return Decision(model=ranking[0], ranking=ranking)

    def update(self, feedback: Sequence[tuple[Trace, Feedback]]) -> Self:
        """Count praise."""
        counts = dict(self.fitted(Praise).counts)
        for _, given in feedback:
            counts[given.model] = counts.get(given.model, 0) + round(given.reward)
        return self.with_state(Praise(counts=counts))


def popular() -> Popular:
    """Return a router that nobody has praised yet."""
    return Popular(pool=ModelPool(["a", "b"])).with_state(Praise(counts={}))


QUERY = Query(text="why?")


def test_feedback_teaches_the_router_that_is_in_service(answer: Any, world: Any) -> None:
    """After praise for another model the next query goes there, decided by another digest."""
    dispatcher = Dispatcher(popular())
    first = answer(dispatcher, world(), QUERY)
    dispatcher.feedback(Feedback(trace_id=first.id, model="b", reward=1.0))
    second = answer(dispatcher, world(), QUERY)
    assert (first.answer.model, second.answer.model) == ("a", "b")
    assert first.router != second.router == dispatcher.router.digest()


def test_the_router_that_was_handed_over_is_not_changed(answer: Any, world: Any) -> None:
    """A copy is taught: whoever shares the router, or runs with it just now, sees no change."""
    router = popular()
    dispatcher = Dispatcher(router)
    trace = answer(dispatcher, world(), QUERY)
    dispatcher.feedback(Feedback(trace_id=trace.id, model="b", reward=1.0))
    assert router.fitted(Praise).counts == {}
    assert dispatcher.router is not router


def test_a_router_that_is_fitted_again_in_place_has_its_new_digest(answer: Any, world: Any) -> None:
    """The digest in the trace is that of the state, not of the moment the router came into service."""
    router = popular()
    dispatcher = Dispatcher(router)
    first = answer(dispatcher, world(), QUERY)
    router.with_state(Praise(counts={"b": 1}))
    second = answer(dispatcher, world(), QUERY)
    assert (second.answer.model, second.router) == ("b", router.digest())
    assert first.router != second.router


def test_feedback_needs_its_trace(answer: Any, world: Any) -> None:
    """A trace that is unknown or was pushed out by later ones is asked for; handed over, it serves."""
    dispatcher = Dispatcher(popular(), remember=2)
    old, *_ = [answer(dispatcher, world(), QUERY) for _ in range(3)]
    given = Feedback(trace_id=old.id, model="b", reward=1.0)
    with pytest.raises(PointsmanError, match=f"{old.id!r} is none of the last 2"):
        dispatcher.feedback(given)
    dispatcher.feedback(given, trace=old)
    assert dispatcher.router.fitted(Praise).counts == {"b": 1}


def test_failed_runs_can_be_judged_too(answer: Any, world: Any) -> None:
    """The trace of a run that failed is remembered like any other."""
    told: list[Trace] = []
    dispatcher = Dispatcher(popular(), observers=[told.append])
    with pytest.raises(ZeroDivisionError):
        answer(dispatcher, world(a=[ZeroDivisionError()]), QUERY)
    dispatcher.feedback(Feedback(trace_id=told[0].id, model="b", reward=1.0))
    assert dispatcher.router.fitted(Praise).counts == {"b": 1}


def test_no_feedback_is_lost_between_threads(world: Any) -> None:
    """What many threads report at once is all learnt, while others read."""
    dispatcher = Dispatcher(popular(), perform=world().perform)
    traces = [dispatcher.run(QUERY) for _ in range(200)]

    def judge(trace: Trace) -> str:
        dispatcher.feedback(Feedback(trace_id=trace.id, model="b", reward=1.0))
        return dispatcher.run(QUERY).ended

    with ThreadPoolExecutor(max_workers=16) as threads:
        assert set(threads.map(judge, traces)) == {"answered"}
    assert dispatcher.router.fitted(Praise).counts == {"b": 200}


def test_a_router_that_does_not_learn_needs_no_trace(ladder: Any) -> None:
    """Feedback to it is for the observers alone."""
    router = ladder("small")
    assert not isinstance(router, Learner)
    dispatcher = Dispatcher(router)
    dispatcher.feedback(Feedback(trace_id="unknown", model="small", reward=0.0))
    assert dispatcher.router is router
