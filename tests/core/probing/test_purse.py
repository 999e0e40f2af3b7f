"""The purse: who waits for money, and who is told that some came back."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from pointsman.budgets import Budget
from pointsman.dispatch.reserving import reserve
from pointsman.probing import Attempt
from pointsman.probing.purse import Purse
from pointsman.types import CallError


async def test_waiting_ends_with_a_call_and_not_with_a_refusal() -> None:
    """A call that the budget refused freed nothing, so it wakes nobody; otherwise two refused calls would spin."""
    budget = Budget(1)
    purse = Purse(budget)
    with purse.paying():
        budget.reserve(1)
        waiting = asyncio.create_task(purse.money_back())
        await asyncio.sleep(0)
        with suppress(CallError), purse.paying():
            reserve(budget, 1, "m")
        await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting


async def test_nobody_waits_for_calls_that_are_not_made() -> None:
    """Without a call under way no money will come back."""
    assert not await Purse(Budget(1)).money_back()


def test_earlier_calls_are_charged_by_what_they_can_have_cost() -> None:
    """Known costs as they are, unknown ones at their worst; the sums are exact, also over the limit."""
    calls = [
        Attempt(query_id="q", model="m", run=0, called="m", purpose="answer", request="h", cost_usd=cost, held_usd=held)
        for cost, held in ((0.1, None), (0.2, None), (None, 0.5), (None, None))
    ]
    budget = Budget(0.7)
    purse = Purse(budget, calls)
    assert (purse.spent_usd, purse.unknown_calls) == (0.3, 2)
    assert budget.spent_usd == 0.8
    assert budget.left_usd == 0
