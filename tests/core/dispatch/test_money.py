"""Money in dispatch: calls are priced, reserved before and settled after, and refused where there is no room."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pointsman.budgets import Budget, Budgets
from pointsman.dispatch import Dispatcher, Retry
from pointsman.dispatch.reserving import OUTPUT_TOKENS, worst_case_usd
from pointsman.errors import AllModelsFailedError, BudgetExceededError, UnknownCostError
from pointsman.models import ModelPool
from pointsman.types import Call, CallError, Decision, Message, ModelEstimate, Query, Response, Trace, Usage

QUERY = Query(text="why?")
CHEAP = {"name": "cheap", "price": {"input_per_mtok": 1, "output_per_mtok": 1}}
DEAR = {"name": "dear", "price": {"input_per_mtok": 1_000, "output_per_mtok": 1_000}}
USAGE = Usage(input_tokens=500_000, output_tokens=500_000)


class Table:
    """A price table that knows the provider's name of one model."""

    def cost_usd(self, model: str, provider: str | None, usage: Usage) -> float | None:
        """Return 3 dollars for "acme-1" of "acme"."""
        return 3.0 if (model, provider) == ("acme-1", "acme") else None


def estimate(cost_usd: float | None) -> ModelEstimate:
    """Return an estimate of cost alone."""
    return ModelEstimate(quality=None, cost_usd=cost_usd, latency_s=None, score=None)


def says(**details: Any) -> Any:
    """Return a maker of responses with these details."""
    return lambda: Response(**{"model": "cheap", "text": "because", **details})


def test_a_response_without_cost_is_priced_by_its_usage(answer: Any, ladder: Any, world: Any) -> None:
    """The model's own price makes the cost; one that the response tells is kept."""
    trace = answer(Dispatcher(ladder(CHEAP)), world(cheap=[says(usage=USAGE)]), QUERY)
    assert (trace.cost_usd, trace.response.cost_usd) == (1.0, 1.0)
    assert answer(Dispatcher(ladder(CHEAP)), world(cheap=[says(usage=USAGE, cost_usd=0.2)]), QUERY).cost_usd == 0.2


def test_an_unknown_cost_stays_unknown(answer: Any, ladder: Any, world: Any) -> None:
    """Without a usage or without a price there is no cost, and none of the whole trace."""
    assert answer(Dispatcher(ladder(CHEAP)), world(cheap=[says()]), QUERY).cost_usd is None
    assert answer(Dispatcher(ladder("cheap")), world(cheap=[says(usage=USAGE)]), QUERY).cost_usd is None


def test_a_failed_call_that_was_billed_is_priced(answer: Any, ladder: Any, world: Any) -> None:
    """An error that knows its usage costs that usage."""
    error = CallError("cheap", "content filter", retryable=True, usage=USAGE)
    trace = answer(Dispatcher(ladder(CHEAP, "large")), world(cheap=[error]), QUERY)
    assert [step.cost_usd for step in trace.steps] == [1.0, 0.01]


def test_a_table_is_asked_by_both_names(answer: Any, ladder: Any, world: Any) -> None:
    """Where the pool has no price, the table is asked for the user's name, then for the one it was served under."""
    row = {"name": "mine", "provider": "acme"}
    script = says(model="mine", usage=USAGE, served_model="acme-1")
    assert answer(Dispatcher(ladder(row), prices=Table()), world(mine=[script]), QUERY).cost_usd == 3.0
    script = says(model="mine", usage=USAGE, served_model="acme-2")
    assert answer(Dispatcher(ladder(row), prices=Table()), world(mine=[script]), QUERY).cost_usd is None


def test_the_table_never_overrules_the_users_price(answer: Any, ladder: Any, world: Any) -> None:
    """A model that has a price is not looked up under another name, even where its usage is incomplete."""
    row = {**CHEAP, "provider": "acme"}
    script = says(usage=Usage(input_tokens=3), served_model="acme-1")
    assert answer(Dispatcher(ladder(row), prices=Table()), world(cheap=[script]), QUERY).cost_usd is None


@pytest.mark.parametrize("cost", [-0.1, float("nan"), float("inf")])
def test_a_cost_that_is_none_is_refused(answer: Any, ladder: Any, world: Any, cost: float) -> None:
    """A performer that reports an impossible cost has a bug; the call stays on record, cost unknown, reservation kept."""
    budget, told = Budget(10.0), list[Trace]()
    with pytest.raises(ValueError, match="cost of a call of 'cheap' cannot be"):
        answer(
            Dispatcher(ladder(CHEAP), budget=budget, observers=[told.append]), world(cheap=[says(cost_usd=cost)]), QUERY
        )
    assert told[0].steps[0].cost_usd is None
    assert budget.unknown_calls == 1


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (Call(model="dear"), (1 + OUTPUT_TOKENS) / 1_000),
        (Call(model="dear", params={"max_tokens": 99}), 0.1),
        (Call(model="dear", params={"max_completion_tokens": 99, "max_tokens": 500}), 0.1),
        (Call(model="dear", params={"max_tokens": None}), (1 + OUTPUT_TOKENS) / 1_000),
        (Call(model="dear", messages=(Message(role="user", content="x" * 400),), params={"max_tokens": 100}), 0.2),
        (Call(model="free", params={"max_tokens": 99}), None),
    ],
    ids=["default length", "limited", "the lower limit", "no limit", "other messages", "unknown price"],
)
def test_the_worst_case_is_the_longest_answer(call: Call, expected: float | None) -> None:
    """Estimated input and the most output, times the price; None without one."""
    pool = ModelPool.of([DEAR, "free"])
    worst = worst_case_usd(call, QUERY, pool)
    assert worst == (None if expected is None else pytest.approx(expected))


def test_a_decision_that_expects_more_is_believed() -> None:
    """The larger of the router's estimate and the longest answer is reserved; one of them is enough."""
    pool = ModelPool.of([DEAR, "free"])
    for model, expected_usd, worst in (
        ("dear", 5.0, 5.0),
        ("dear", 0.01, 1.025),
        ("free", 5.0, 5.0),
        ("free", None, None),
    ):
        decision = Decision(model=model, ranking=(model,), estimates={model: estimate(expected_usd)})
        found = worst_case_usd(Call(model=model, decision=decision), QUERY, pool)
        assert found == (None if worst is None else pytest.approx(worst))


def test_a_call_is_settled_at_what_it_cost(answer: Any, ladder: Any, world: Any) -> None:
    """Nothing stays reserved after a run, whether its calls succeeded or failed."""
    budget = Budget(10.0)
    error = CallError("cheap", "filtered", retryable=True, usage=USAGE)
    models = world(cheap=[error, CallError("cheap", "busy", retryable=True)])
    trace = answer(Dispatcher(ladder(CHEAP), budget=budget, retry=Retry(attempts=3, base_s=0)), models, QUERY)
    assert trace.cost_usd == budget.spent_usd == 1.01
    assert (budget.reserved_usd, budget.unknown_calls) == (0.0, 0)


def test_money_is_reserved_while_a_call_runs(answer: Any, ladder: Any, world: Any) -> None:
    """The worst case is set aside before the model is called."""
    budget, seen = Budget(10.0), []

    def look() -> None:
        seen.append((budget.spent_usd, budget.reserved_usd))

    answer(Dispatcher(ladder(DEAR), budget=budget), world(dear=[look]), QUERY)
    assert seen == [(0.0, 1.025)]


def test_the_context_tells_what_is_left(answer: Any, ladder: Any, world: Any) -> None:
    """A router may decide by it, and a replay sees the same."""
    budget = Budget(10.0)
    budget.settle(budget.reserve(4.0), 4.0)
    assert (
        answer(
            Dispatcher(ladder("small"), budget=Budget(9.0, on_unknown="ignore")), world(), QUERY
        ).context.budget_left_usd
        == 9.0
    )
    assert answer(Dispatcher(ladder(CHEAP), budget=budget), world(), QUERY).context.budget_left_usd == 6.0
    assert answer(Dispatcher(ladder("small")), world(), QUERY).context.budget_left_usd is None


def test_a_cheaper_model_answers_when_the_dearer_one_does_not_fit(answer: Any, ladder: Any, world: Any) -> None:
    """A refusal is an error of that model alone: recorded, free, never called, not retried."""
    budget, models = Budget(0.5), world()
    trace = answer(Dispatcher(ladder(DEAR, CHEAP), budget=budget, retry=Retry(attempts=5, base_s=9)), models, QUERY)
    assert [call.model for call in models.calls] == ["cheap"]
    refused, answered = trace.steps
    assert (refused.path, refused.cost_usd) == ((0, 0, 0), 0.0)
    assert isinstance(refused.outcome.__cause__, BudgetExceededError)
    assert (answered.cost_usd, budget.spent_usd) == (0.01, 0.01)


def test_when_only_the_budget_stands_in_the_way_its_error_is_raised(answer: Any, ladder: Any, world: Any) -> None:
    """Whoever catches BudgetExceededError gets it, with the trace."""
    models = world()
    with pytest.raises(BudgetExceededError, match="No room for dear") as raised:
        answer(Dispatcher(ladder(DEAR), budget=Budget(0.5)), models, QUERY)
    assert raised.value.trace.ended == "failed"
    assert models.calls == []


def test_an_unknown_cost_is_refused_under_a_budget(answer: Any, ladder: Any, world: Any) -> None:
    """A model without a price cannot be paid from a budget, unless that is told to ignore it; one with a price can."""
    with pytest.raises(UnknownCostError, match="small"):
        answer(Dispatcher(ladder("small"), budget=Budget(1.0)), world(), QUERY)
    assert answer(Dispatcher(ladder("small", CHEAP), budget=Budget(1.0)), world(), QUERY).answer.model == "cheap"
    lenient = Budget(1.0, on_unknown="ignore")
    assert answer(Dispatcher(ladder("small"), budget=lenient), world(), QUERY).answer.model == "small"
    assert lenient.spent_usd == 0.01


def test_a_router_that_expects_a_cost_needs_no_price(answer: Any, ladder: Any, world: Any) -> None:
    """The decision's own estimate is reserved where the price is unknown."""
    budget = Budget(1.0)
    assert answer(Dispatcher(ladder("small", expected_usd=0.5), budget=budget), world(), QUERY).cost_usd == 0.01
    with pytest.raises(BudgetExceededError):
        answer(Dispatcher(ladder("small", expected_usd=5.0), budget=budget), world(), QUERY)


def test_other_failures_beside_a_refusal_are_raised_together(answer: Any, ladder: Any, world: Any) -> None:
    """Where a model failed by itself, the budget alone is not to blame."""
    models = world(cheap=[CallError("cheap", "busy", retryable=True)])
    with pytest.raises(AllModelsFailedError) as raised:
        answer(Dispatcher(ladder(DEAR, CHEAP), budget=Budget(0.5)), models, QUERY)
    assert [error.model for error in raised.value.errors] == ["dear", "cheap"]


async def test_a_cancelled_call_keeps_its_reservation(ladder: Any) -> None:
    """It may have been billed, so its money stays aside, and the trace does not claim to know."""
    budget, begun, told = Budget(10.0), asyncio.Event(), list[Trace]()

    async def aperform(_effect: Any) -> Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    dispatcher = Dispatcher(ladder(DEAR), budget=budget, observers=[told.append])
    task = asyncio.create_task(dispatcher.arun(QUERY, aperform=aperform))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told[0].cost_usd is None
    assert (budget.spent_usd, budget.reserved_usd, budget.unknown_calls) == (0.0, 1.025, 1)


def test_a_stream_that_is_left_early_keeps_its_reservation(ladder: Any, world: Any) -> None:
    """The provider may bill the whole answer; the ledger waits for no one."""
    budget = Budget(10.0)
    dispatcher = Dispatcher(ladder(DEAR), budget=budget)
    with dispatcher.stream(QUERY, open_stream=world().open_stream, perform=world().perform) as stream:
        next(stream)
    assert (budget.spent_usd, budget.reserved_usd) == (0.0, 1.025)


def test_each_session_has_its_own_budget(answer: Any, ladder: Any, world: Any) -> None:
    """One that is used up refuses its own queries and nobody else's."""
    dispatcher = Dispatcher(ladder(DEAR), budget=Budgets(1.5, scope=lambda query: query.session_id))
    spent = world(dear=[says(model="dear", cost_usd=1.5)])
    answer(dispatcher, spent, Query(text="why?", session_id="ada"))
    with pytest.raises(BudgetExceededError):
        answer(dispatcher, spent, Query(text="why?", session_id="ada"))
    assert answer(dispatcher, world(), Query(text="why?", session_id="bob")).context.budget_left_usd == 1.5


def test_sixty_four_threads_share_a_budget_without_overshoot(ladder: Any, world: Any) -> None:
    """As many calls as fit are made, each paid, and not one more."""
    budget, models = Budget(1.0), world()
    dispatcher = Dispatcher(ladder("small", expected_usd=0.01), budget=budget)

    def ask(i: int) -> float:
        try:
            return dispatcher.run(Query(text=str(i)), perform=models.perform).cost_usd or 0.0
        except BudgetExceededError:
            return 0.0

    with ThreadPoolExecutor(max_workers=64) as threads:
        paid = sum(cost > 0 for cost in threads.map(ask, range(400)))
    assert paid == len(models.calls) == 100
    assert (budget.spent_usd, budget.reserved_usd) == (1.0, 0.0)
