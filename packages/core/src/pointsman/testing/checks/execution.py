"""Execution: plans pay for every step, go down the ranking, never hide a bug, and end alike however they are driven."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from pointsman.errors import AllModelsFailedError
from pointsman.flow import Effect, Outcome
from pointsman.routers.base import Router
from pointsman.testing.cases import RouterCase
from pointsman.testing.expecting import expect_error, expect_same
from pointsman.testing.fakes import FakeModels
from pointsman.testing.runs import arun, cancelled, resumed, run, streamed
from pointsman.testing.toys import QUERIES
from pointsman.types import Call, CallError, Constraints, Query, Response, total_usd

__all__ = [
    "check_answers_rest_on_steps",
    "check_async_runs_agree",
    "check_bugs_propagate",
    "check_calls_carry_their_decision",
    "check_cancellation_keeps_the_record",
    "check_concurrent_runs_agree",
    "check_every_step_is_paid",
    "check_failing_everywhere_ends",
    "check_failing_streams_move_on",
    "check_fatal_errors_end_the_run",
    "check_interrupted_runs_resume",
    "check_left_out_models_are_not_called",
    "check_retryable_errors_move_on",
    "check_streams_agree",
]

_BUSY = "busy"
_CUTS = 5


def _models(router: Router, **failures: CallError) -> FakeModels:
    """Return fake models, each at a price of its own; the named ones fail."""
    return FakeModels(cost_usd={name: 0.01 * 2**i for i, name in enumerate(router.models)}, failures=failures)


def _busy(name: str) -> dict[str, CallError]:
    return {name: CallError(name, _BUSY, retryable=True, cost_usd=0.001)}


def _choices(case: RouterCase) -> list[tuple[Query, str, int]]:
    """Return each query with the model chosen first and the length of its ranking."""
    made = ((query, case.fitted.decide(query)) for query in QUERIES)
    return [(query, decision.model, len(decision.ranking)) for query, decision in made]


def check_answers_rest_on_steps(case: RouterCase) -> None:
    """Undisturbed, every query is answered, by responses that are on record."""
    for query in QUERIES:
        ran = run(case.fitted, query, _models(case.fitted))
        assert ran.answer is not None, f"no answer: {ran.error!r}"
        responses = {step.path for step in ran.steps if isinstance(step.outcome, Response)}
        assert ran.answer.support, "the answer rests on nothing"
        assert set(ran.answer.support) <= responses, f"the answer rests on {ran.answer.support}, not on record"


def check_every_step_is_paid(case: RouterCase) -> None:
    """The steps' costs are known and add up to what the models charged, failed calls included."""
    for query, first, _ in _choices(case):
        for failing in ({}, _busy(first)):
            models = _models(case.fitted, **failing)
            ran = run(case.fitted, query, models)
            assert len(ran.steps) == len(models.performed), "a step is missing"
            paid = total_usd(step.cost_usd for step in ran.steps)
            assert paid is not None, f"a call of {models.called} has no known price"
            assert paid == models.paid_usd, f"${paid} on record, ${models.paid_usd} charged"


def check_calls_carry_their_decision(case: RouterCase) -> None:
    """Every call for an answer carries the decision behind it, whose propensity is thereby logged."""
    for query in QUERIES:
        effects = [step.effect for step in run(case.fitted, query, _models(case.fitted)).steps]
        bare = [e for e in effects if isinstance(e, Call) and e.purpose == "answer" and e.decision is None]
        assert not bare, f"the call of {bare[0].model} carries no decision"


def check_left_out_models_are_not_called(case: RouterCase) -> None:
    """A denied model is not called even when others fail."""
    for query, first, length in _choices(case):
        if length > 1:
            models = _models(case.fitted, **{n: e for m in case.fitted.models for n, e in _busy(m).items()})
            run(case.fitted, _without(query, first), models)
            assert first not in models.called, f"{first} is denied but was called"


def _without(query: Query, model: str) -> Query:
    return replace(query, constraints=Constraints(deny=frozenset({model})))


def check_async_runs_agree(case: RouterCase) -> None:
    """An awaited run takes the same steps to the same answer as a blocking one, failures included."""
    for query, first, _ in _choices(case):
        for failing in ({}, _busy(first)):
            blocking = run(case.fitted, query, _models(case.fitted, **failing))
            awaited = arun(case.fitted, query, _models(case.fitted, **failing))
            expect_same(awaited.told, blocking.told, "the awaited run differs")


def check_concurrent_runs_agree(case: RouterCase) -> None:
    """Runs in many threads at once end as they do one by one."""
    alone = [run(case.fitted, query, _models(case.fitted)).told for query in QUERIES]
    with ThreadPoolExecutor(len(QUERIES)) as threads:
        together = list(threads.map(lambda q: run(case.fitted, q, _models(case.fitted)).told, QUERIES * 3))
    expect_same(together, alone * 3, "concurrent runs differ")


def check_streams_agree(case: RouterCase) -> None:
    """A streamed run shows exactly its answer, which is that of a run that is not streamed."""
    for query in QUERIES:
        whole, shown = run(case.fitted, query, _models(case.fitted)), streamed(case.fitted, query, _models(case.fitted))
        expect_same(shown.told, whole.told, "the streamed run differs")
        content = None if shown.answer is None else shown.answer.content
        assert shown.shown == content, f"it showed {shown.shown!r}, the answer is {content!r}"


def check_retryable_errors_move_on(case: RouterCase) -> None:
    """When the first model has an error that another may not have, another answers."""
    for query, first, length in _choices(case):
        if length > 1:
            ran = run(case.fitted, query, _models(case.fitted, **_busy(first)))
            assert ran.answer is not None, f"the run ended with {ran.error!r}"
            assert ran.answer.model != first, f"{first} failed but answers"


def check_failing_streams_move_on(case: RouterCase) -> None:
    """A stream that fails before its first piece is an error like any other: another model answers."""
    for query, first, length in _choices(case):
        if length > 1:
            ran = streamed(case.fitted, query, _models(case.fitted, **_busy(first)))
            assert ran.answer is not None, f"the run ended with {ran.error!r}"
            assert ran.shown == ran.answer.content, f"it showed {ran.shown!r}"


def check_fatal_errors_end_the_run(case: RouterCase) -> None:
    """After an error that every model would have, no other is called: the run ends, unless one asked beside it answered."""
    for query, first, _ in _choices(case):
        models = _models(case.fitted, **{first: CallError(first, "the request is malformed", status=400)})
        ran = run(case.fitted, query, models)
        beside = [step.path for step in ran.steps if step.path[0] == ran.steps[0].path[0]]
        told = f"the run ended with {ran.error!r}, answer {ran.answer!r}"
        assert ran.answer is None or set(ran.answer.support) <= set(beside), told
        assert ran.answer is not None or isinstance(ran.error, CallError), told
        assert len(beside) == len(ran.steps), f"{models.called[-1]} was called after a fatal error"


def check_failing_everywhere_ends(case: RouterCase) -> None:
    """When every model fails, the run ends with their errors, after a bounded number of calls."""
    models = _models(case.fitted, **{n: e for m in case.fitted.models for n, e in _busy(m).items()})
    ran = run(case.fitted, QUERIES[0], models)
    assert isinstance(ran.error, AllModelsFailedError | CallError), f"the run ended with {ran.error!r}"
    assert len(models.called) <= 10 * len(case.fitted.models), f"{len(models.called)} calls were made"


def check_bugs_propagate(case: RouterCase) -> None:
    """An error that is not a failed call is a bug: no router catches it."""

    def buggy(effect: Effect) -> Outcome:
        raise KeyError(effect)

    for query in QUERIES:
        expect_error(KeyError, partial(run, case.fitted, query, buggy), "a bug was swallowed")


def check_cancellation_keeps_the_record(case: RouterCase) -> None:
    """A cancelled run ends at once, and the call it was waiting for stays on record as one that may have been billed."""
    for query in QUERIES:
        models = FakeModels(hanging=frozenset(case.fitted.models))
        ended, steps = cancelled(case.fitted, query, models)
        assert ended == "cancelled", f"it {ended}"
        assert len(steps) == len(models.performed), "a step is missing"
        cut = [step for step in steps if isinstance(step.outcome, CallError) and step.outcome.interrupted]
        assert cut, "nothing is on record as interrupted"
        assert all(step.cost_usd is None for step in cut), "an interrupted call has a made-up cost"


def check_interrupted_runs_resume(case: RouterCase) -> None:
    """Replaying the first steps of a run, however many, and going on from there ends as the uninterrupted run did."""
    for query, first, _ in _choices(case):
        whole = run(case.fitted, query, _models(case.fitted, **_busy(first)))
        for done in range(min(len(whole.steps), _CUTS) + 1):
            again = resumed(case.fitted, query, whole.steps[:done], _models(case.fitted, **_busy(first)))
            expect_same(again.told, whole.told, f"resuming after {done} steps differs")
