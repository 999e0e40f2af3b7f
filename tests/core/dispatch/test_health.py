"""Health: the circuit opens after errors in a row, and closes with the first success."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pointsman.budgets import Budget
from pointsman.dispatch import Dispatcher, Health, Retry
from pointsman.errors import AllModelsFailedError, BudgetExceededError, ConfigError
from pointsman.types import Call, CallError, Context, Embed, Query, Response, Step

QUERY = Query(text="why?")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def failed(model: str = "small", **details: Any) -> Step:
    """Return a step that failed in a way that may pass."""
    error = CallError(model, "busy", **{"retryable": True, **details})
    return Step(path=(0, 0, 0), effect=Call(model=model), outcome=error)


def answered(model: str = "small") -> Step:
    """Return a step that succeeded."""
    return Step(path=(0, 0, 0), effect=Call(model=model), outcome=Response(model=model, text=""))


def test_a_model_cools_down_after_errors_in_a_row() -> None:
    """Only the third error opens the circuit, for as long as was set, and the reason says all."""
    clock = Clock()
    health = Health(failures=3, cooldown_s=30, clock=clock)
    for _ in range(2):
        health.observe(failed())
    assert health.unavailable() == {}
    health.observe(failed())
    assert health.unavailable() == {"small": "cooling down for 30 s after 3 failures (busy)"}
    clock.now += 29.9
    assert "small" in health.unavailable()
    clock.now += 0.1
    assert health.unavailable() == {}


def test_after_the_cooldown_one_call_decides() -> None:
    """A failure sends the model back at once; a success clears its record."""
    clock = Clock()
    health = Health(failures=2, cooldown_s=30, clock=clock)
    for step in (failed(), failed()):
        health.observe(step)
    clock.now += 30
    health.observe(failed())
    assert "small" in health.unavailable()
    clock.now += 30
    health.observe(answered())
    health.observe(failed())
    assert health.unavailable() == {}


def test_a_success_in_between_starts_the_count_anew() -> None:
    """Only errors in a row count, and those of each model by itself."""
    health = Health(failures=2, cooldown_s=30)
    for step in (failed(), answered(), failed(), failed("large")):
        health.observe(step)
    assert health.unavailable() == {}


def test_a_provider_that_asks_for_longer_gets_it() -> None:
    """`retry_after` extends the cooldown and never shortens it."""
    clock = Clock()
    health = Health(failures=1, cooldown_s=30, clock=clock)
    health.observe(failed(retry_after=90))
    health.observe(failed("large", retry_after=1))
    clock.now += 30
    assert set(health.unavailable()) == {"small"}


def test_some_errors_are_no_sign_of_ill_health() -> None:
    """A bad request, a call that was cancelled, a refusal of the budget, and embeddings do not count."""
    refusal = failed()
    refusal.outcome.__cause__ = BudgetExceededError("no room")  # type: ignore[union-attr]
    embedding = Step(
        path=(0, 0, 0), effect=Embed(embedder="small", texts=()), outcome=CallError("small", "x", retryable=True)
    )
    health = Health(failures=1)
    for step in (failed(retryable=False), failed(retryable=False, interrupted=True), refusal, embedding):
        health.observe(step)
    assert health.unavailable() == {}


def test_a_missed_deadline_counts() -> None:
    """A model that does not answer in time is as good as down."""
    health = Health(failures=1)
    health.observe(failed(interrupted=True))
    assert "small" in health.unavailable()


def test_filling_adds_to_what_the_caller_knows() -> None:
    """The context's own reasons stay, and a context without news is returned as it was."""
    health = Health(failures=1, cooldown_s=30, clock=Clock())
    context = Context(unavailable={"large": "maintenance"})
    assert health.fill(context, ["small", "large", "other"]) is context
    health.observe(failed())
    health.observe(failed("large"))
    assert health.fill(context, ["small", "large", "other"]).unavailable == {
        "large": "maintenance",
        "small": "cooling down for 30 s after 1 failures (busy)",
    }


def test_when_all_cool_down_the_first_to_recover_is_tried() -> None:
    """Trying beats refusing: one model is always left, unless the caller itself rules it out."""
    clock = Clock()
    health = Health(failures=1, cooldown_s=30, clock=clock)
    health.observe(failed("small"))
    clock.now += 1
    health.observe(failed("large"))
    assert set(health.fill(Context(), ["small", "large"]).unavailable) == {"large"}
    ruled_out = Context(unavailable={"small": "maintenance"})
    assert health.fill(ruled_out, ["small", "large"]).unavailable == {"small": "maintenance"}


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"failures": 0}, "failures must be"),
        ({"cooldown_s": -1}, "cooldown_s"),
        ({"cooldown_s": math.nan}, "cooldown_s"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, Any], told: str) -> None:
    """The error names the parameter."""
    with pytest.raises(ConfigError, match=told):
        Health(**params)


def test_a_dispatcher_leaves_a_model_alone_that_keeps_failing(answer: Any, ladder: Any, world: Any) -> None:
    """Every attempt counts; once the circuit is open the next query goes elsewhere, and the trace says why."""
    models = world(small=[CallError("small", "busy", retryable=True)] * 2)
    dispatcher = Dispatcher(ladder("small", "large"), health=Health(failures=2), retry=Retry(attempts=2, base_s=0))
    first, second = (answer(dispatcher, models, QUERY) for _ in range(2))
    assert [step.effect.model for step in first.steps] == ["small", "small", "large"]
    assert [step.effect.model for step in second.steps] == ["large"]
    assert "cooling down" in second.context.unavailable["small"]
    assert "cooling down" in second.decisions[0].excluded["small"]


def test_a_budget_that_refuses_leaves_the_model_healthy(answer: Any, ladder: Any, world: Any) -> None:
    """An empty purse is no outage."""
    health = Health(failures=1)
    dispatcher = Dispatcher(ladder("small", expected_usd=1.0), health=health, budget=Budget(0.5))
    with pytest.raises(BudgetExceededError):
        answer(dispatcher, world(), QUERY)
    assert health.unavailable() == {}


def test_a_single_model_is_never_shut_out(answer: Any, ladder: Any, world: Any) -> None:
    """Where there is no other, it is tried again and again."""
    models = world(small=[CallError("small", "busy", retryable=True)] * 3)
    dispatcher = Dispatcher(ladder("small"), health=Health(failures=1))
    for _ in range(3):
        with pytest.raises(AllModelsFailedError):
            answer(dispatcher, models, QUERY)
    assert answer(dispatcher, models, QUERY).answer.model == "small"
