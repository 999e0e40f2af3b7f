"""Retry: pauses that double, and every attempt of the same model on record and paid, in all four ways."""

from __future__ import annotations

import time
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.dispatch import Dispatcher, Retry
from pointsman.dispatch.retry import Tries
from pointsman.errors import AllModelsFailedError, BudgetExceededError, ConfigError
from pointsman.types import CallError, Query

QUERY = Query(text="why?")
AT_ONCE = Retry(attempts=3, base_s=0)


def busy(model: str = "small", **details: Any) -> CallError:
    """Return an error that may pass."""
    return CallError(model, "busy", **{"retryable": True, **details})


def test_pauses_double_up_to_the_longest() -> None:
    """Without jitter the pauses are base, twice, four times, ..., and never more than the maximum."""
    retry = Retry(attempts=6, base_s=1, max_s=5, jitter=0)
    assert [retry.pause_s(failures, busy()) for failures in range(1, 7)] == [1, 2, 4, 5, 5, None]


@given(st.integers(1, 5_000), st.floats(0, 1, exclude_max=True), st.floats(0, 1))
def test_jitter_shortens_a_pause_by_at_most_its_part(failures: int, chance: float, jitter: float) -> None:
    """The chance takes up to `jitter` of the pause away, however many failures there were."""
    retry = Retry(attempts=10_000, base_s=0.5, max_s=30, jitter=jitter)
    longest = Retry(attempts=10_000, base_s=0.5, max_s=30, jitter=0).pause_s(failures, busy())
    pause = retry.pause_s(failures, busy(), chance)
    assert longest is not None
    assert pause is not None
    assert longest * (1 - jitter) - 1e-12 <= pause <= longest


def test_a_provider_that_asks_for_time_gets_it() -> None:
    """The pause is never shorter than `retry_after`; one beyond the maximum is not waited for."""
    retry = Retry(attempts=3, base_s=1, max_s=10, jitter=1.0)
    assert retry.pause_s(1, busy(retry_after=7), 0.99) == 7
    assert retry.pause_s(1, busy(retry_after=11)) is None


@pytest.mark.parametrize(
    "error",
    [CallError("small", "bad request"), busy(emitted=1)],
    ids=["not retryable", "partly shown"],
)
def test_some_errors_are_never_retried(error: CallError) -> None:
    """An error that will come again, or one whose answer was partly shown, is final."""
    assert Retry(attempts=9).pause_s(1, error) is None


def test_a_refusal_of_the_budget_is_not_retried() -> None:
    """Waiting makes no room in a budget."""
    error = busy()
    error.__cause__ = BudgetExceededError("no room")
    assert Retry(attempts=9).pause_s(1, error) is None


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"attempts": 0}, "attempts must be at least 1"),
        ({"base_s": -1}, "base_s <= max_s"),
        ({"base_s": 3, "max_s": 2}, "base_s <= max_s"),
        ({"max_s": inf}, "base_s <= max_s"),
        ({"base_s": nan}, "base_s <= max_s"),
        ({"jitter": 1.5}, r"jitter must be in \[0, 1\]"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], told: str) -> None:
    """The error names the parameter and its range."""
    with pytest.raises(ConfigError, match=told):
        Retry(**params)


def test_the_pause_must_fit_before_the_deadline() -> None:
    """Rather than begin an attempt with no time left, the error is raised at once."""
    error = busy()
    patient = Tries(Retry(attempts=3, base_s=5, jitter=0), 60, "key")
    assert patient.pause_after(error) == 5
    hurried = Tries(Retry(attempts=3, base_s=5, jitter=0), 1, "key")
    with pytest.raises(CallError) as raised:
        hurried.pause_after(error)
    assert raised.value is error
    assert 0 < (hurried.left_s or 0) <= 1
    assert Tries(Retry(), None, "key").left_s is None


def test_the_chance_of_a_pause_is_reproducible_and_its_own() -> None:
    """The same attempt of the same run pauses alike, another run differently."""
    pauses = [Tries(Retry(attempts=3), None, key).pause_after(busy()) for key in ("a", "a", "b")]
    assert pauses[0] == pauses[1] != pauses[2]


def test_every_attempt_is_a_paid_step_of_the_same_model(answer: Any, ladder: Any, world: Any) -> None:
    """Attempts share their place in the plan, are numbered, and are paid each."""
    models = world(small=[busy(cost_usd=0.25), busy()])
    trace = answer(Dispatcher(ladder("small", "large"), retry=AT_ONCE), models, QUERY)
    assert [(step.effect.model, step.path, step.cost_usd) for step in trace.steps] == [
        ("small", (0, 0, 0), 0.25),
        ("small", (0, 0, 1), 0.0),
        ("small", (0, 0, 2), 0.01),
    ]
    assert trace.answer.support == ((0, 0, 2),)


def test_when_the_attempts_are_used_up_the_plan_goes_on(answer: Any, ladder: Any, world: Any) -> None:
    """Another model is the plan's business, after the last attempt at this one."""
    models = world(small=[busy()] * 3)
    trace = answer(Dispatcher(ladder("small", "large"), retry=AT_ONCE), models, QUERY)
    assert [step.path for step in trace.steps] == [(0, 0, 0), (0, 0, 1), (0, 0, 2), (1, 0, 0)]
    assert trace.answer.model == "large"


def test_by_default_nothing_is_retried(answer: Any, ladder: Any, world: Any) -> None:
    """One attempt each, then the next model."""
    trace = answer(Dispatcher(ladder("small", "large")), world(small=[busy()]), QUERY)
    assert [step.path for step in trace.steps] == [(0, 0, 0), (1, 0, 0)]


def test_the_pauses_are_kept(answer: Any, ladder: Any, world: Any) -> None:
    """Between two attempts as much time passes as was asked for."""
    began = time.monotonic()
    answer(Dispatcher(ladder("small"), retry=Retry(attempts=2, base_s=0)), world(small=[busy(retry_after=0.05)]), QUERY)
    assert time.monotonic() - began >= 0.05


def test_retries_end_with_the_deadline(answer: Any, ladder: Any, world: Any) -> None:
    """Attempts go on only while the deadline of their call leaves room for the pause."""
    models = world(small=[busy(retry_after=0.06)] * 100)
    with pytest.raises(AllModelsFailedError) as raised:
        answer(Dispatcher(ladder("small"), retry=Retry(attempts=100, base_s=0), deadline_s=0.2), models, QUERY)
    assert 2 <= len(raised.value.trace.steps) <= 4
