"""Cascades: what replaying says is what driving does; no error loses an answer in hand; nothing shown is taken back."""

from __future__ import annotations

import numpy as np

from pointsman.data.tape import Tape, play
from pointsman.errors import DataError
from pointsman.routers.base import Router
from pointsman.routers.replayed import Replays
from pointsman.testing.cases import RouterCase, only
from pointsman.testing.expecting import expect_same
from pointsman.testing.fakes import FakeModels
from pointsman.testing.plain import numbers
from pointsman.testing.runs import run
from pointsman.testing.toys import QUERIES, toy
from pointsman.types import Call, CallError, Context, Response, total_usd

__all__ = ["check_answers_in_hand_survive", "check_replays_agree", "check_streamed_answers_are_final"]


def _replays(case: RouterCase) -> bool:
    return isinstance(case.component, Replays)


def _driven(router: Router, row: int, point: float | None) -> list[float | None]:
    """Return the quality, the cost and the number of calls of one recorded query's plan."""
    tape = Tape(toy(), row)
    answer, steps = play(router.plan(tape.query, Context(operating_point=point)), tape)
    calls = [step for step in steps if isinstance(step.effect, Call)]
    quality = None if answer.model is None else tape.cell("quality", answer.model)
    return [quality, total_usd(step.cost_usd for step in steps), float(len(calls))]


@only(_replays)
def check_replays_agree(case: RouterCase) -> None:
    """Replaying recorded outcomes at any operating point gives what driving the plans one by one does."""
    router, points = case.fitted, (None, *case.fitted.points(toy().queries)[1::8])
    assert isinstance(router, Replays)
    try:
        expected = [[_driven(router, row, point) for row in range(len(toy()))] for point in points]
    except DataError:
        return  # it asks what is not on record
    for found, told in zip(router.replay(toy(), points), expected, strict=True):
        columns = np.column_stack([found.quality, found.cost_usd, found.calls])
        expect_same(numbers(columns), told, "replaying differs from driving", tolerance=1e-9)


@only(_replays)
def check_answers_in_hand_survive(case: RouterCase) -> None:
    """Once a model has answered, no failure of a later call, whatever its kind, leaves the query without an answer."""
    for query in QUERIES:
        first = case.fitted.decide(query).model
        for retryable in (True, False):
            failing = {name: CallError(name, "no", retryable=retryable) for name in case.fitted.models if name != first}
            ran = run(case.fitted, query, FakeModels(failures=failing))
            answered = [step.outcome.model for step in ran.steps if isinstance(step.outcome, Response)]
            assert first not in answered or ran.answer is not None, f"an answer of {first} was lost: {ran.error!r}"


@only(_replays)
def check_streamed_answers_are_final(case: RouterCase) -> None:
    """A call that is shown as it comes is the last one, and its answer is the answer."""
    for query in QUERIES:
        ran = run(case.fitted, query, FakeModels())
        shown = [step for step in ran.steps if isinstance(step.effect, Call) and step.effect.stream]
        assert shown in ([], [ran.steps[-1]]), f"{len(shown)} calls are shown, of {len(ran.steps)}"
        assert not shown or (ran.answer and shown[0].path in ran.answer.support), "what was shown is not the answer"
