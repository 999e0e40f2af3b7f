"""Plain data and runs: comparisons that say where things differ, and runs that end alike however they are driven."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from pointsman.errors import AllModelsFailedError
from pointsman.testing import FakeModels, toy
from pointsman.testing.expecting import expect_error, expect_same
from pointsman.testing.plain import differences, numbers
from pointsman.testing.runs import arun, cancelled, resumed, run, streamed
from pointsman.testing.saboteurs.honest import HonestRouter
from pointsman.testing.toys import QUERIES
from pointsman.types import CallError

ROUTER = HonestRouter().fit(toy())
QUERY = QUERIES[0]
FIRST = ROUTER.decide(QUERY).model
BUSY = {FIRST: CallError(FIRST, "busy", retryable=True)}


@pytest.mark.parametrize(
    ("found", "expected", "where"),
    [
        ({"a": [1, 2]}, {"a": [1, 3]}, [".a.1: 2, expected 3"]),
        ([1.0, None], [1.0, 2.0], [".1: None, expected 2.0"]),
        ([1], [1, 2], [": [1], expected [1, 2]"]),
        ({"a": 1}, {"b": 1}, [": {'a': 1}, expected {'b': 1}"]),
        (1.0 + 1e-10, 1.0, []),
        (1.0 + 1e-8, 1.0, [": 1.00000001, expected 1.0"]),
        (1e12 + 1.0, 1e12, []),
        (True, 1, []),
    ],
)
def test_differences_are_located(found: object, expected: object, where: list[str]) -> None:
    """Each difference is one line with its place; floats may differ by the tolerance, absolute or relative."""
    assert differences(found, expected, tolerance=1e-9) == where


def test_without_tolerance_floats_must_be_equal() -> None:
    """The last bit counts unless a tolerance is given."""
    assert differences(0.1 + 0.2, 0.3) != []


def test_unknown_numbers_become_none() -> None:
    """NaN has no place in plain data."""
    assert numbers(np.array([[np.nan, 1.0], [0.0, np.inf]])) == [[None, 1.0], [0.0, float("inf")]]


def test_expectations_say_what_went_wrong() -> None:
    """A failed expectation names the fact, and the error or the value that came instead."""
    with pytest.raises(AssertionError, match=r"order matters; 1 differences:\n.0: 1, expected 2"):
        expect_same([1], [2], "order matters")
    with pytest.raises(AssertionError, match=r"it passes: expected KeyError, got 3"):
        expect_error(KeyError, lambda: 3, "it passes")
    with pytest.raises(AssertionError, match=r"it passes: expected KeyError, got ZeroDivisionError"):
        expect_error(KeyError, lambda: 1 / 0, "it passes")
    assert isinstance(expect_error(KeyError, lambda: {}["a"], "it passes"), KeyError)


def test_runs_end_alike_however_they_are_driven() -> None:
    """Blocking, awaited, streamed and resumed, a run with one failure has the same steps and the same answer."""
    whole = run(ROUTER, QUERY, FakeModels(failures=BUSY))
    assert whole.answer is not None
    assert len(whole.steps) == 2
    for other in (
        arun(ROUTER, QUERY, FakeModels(failures=BUSY)),
        streamed(ROUTER, QUERY, FakeModels(failures=BUSY)),
        resumed(ROUTER, QUERY, whole.steps[:1], FakeModels(failures=BUSY)),
        resumed(ROUTER, QUERY, whole.steps, FakeModels()),
    ):
        assert other.told == whole.told


def test_a_resumed_run_performs_only_what_is_missing() -> None:
    """Recorded steps are not paid again."""
    whole = run(ROUTER, QUERY, FakeModels(failures=BUSY))
    models = FakeModels(failures=BUSY)
    resumed(ROUTER, QUERY, whole.steps[:1], models)
    assert len(models.performed) == len(whole.steps) - 1


def test_a_failed_run_keeps_its_error_and_its_steps() -> None:
    """An error of the library is part of how a run ended."""
    everyone = {name: CallError(name, "busy", retryable=True) for name in ROUTER.models}
    ran = run(ROUTER, QUERY, FakeModels(failures=everyone))
    assert ran.answer is None
    assert isinstance(ran.error, AllModelsFailedError)
    assert len(ran.steps) == len(ROUTER.models)


def test_a_streamed_run_shows_its_answer() -> None:
    """The pieces shown add up to the answer."""
    ran = streamed(ROUTER, QUERY, FakeModels())
    assert ran.answer is not None
    assert ran.shown == ran.answer.content


def test_a_cancelled_run_keeps_the_call_it_waited_for() -> None:
    """The one call that was begun is on record, interrupted."""
    ended, steps = cancelled(ROUTER, QUERY, FakeModels(hanging=frozenset(ROUTER.models)))
    assert ended == "cancelled"
    (step,) = steps
    assert isinstance(step.outcome, CallError)
    assert step.outcome.interrupted


async def test_awaited_runs_work_inside_a_running_loop() -> None:
    """The suite can be used from a notebook or an asynchronous test."""
    assert asyncio.get_running_loop().is_running()
    assert arun(ROUTER, QUERY, FakeModels()).answer is not None
