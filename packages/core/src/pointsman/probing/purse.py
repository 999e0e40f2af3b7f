"""The purse of a collection: what earlier runs spent counts too, and a call without room waits for money to come back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import fsum

from pointsman.budgets import Budget, exact
from pointsman.dispatch.reserving import refused
from pointsman.errors import UnknownCostError
from pointsman.models import ModelPool
from pointsman.pricing import PriceTable, price_call
from pointsman.probing.log import Attempt
from pointsman.types import CallError, Usage

__all__ = ["Purse"]


class Purse:
    """The budget of one collection, if it has one, and what all its calls came to.

    Parameters:
        budget: The limit over all runs; None spends freely.
        earlier: The calls that earlier runs made. One of unknown cost is charged the most it can be thought to have cost.
    """

    def __init__(self, budget: Budget | None, earlier: Iterable[Attempt] = ()) -> None:
        self.budget = budget
        self.unknown_calls = 0
        self._spent = Fraction()
        self._under_way = 0
        self._ended = asyncio.Event()
        charges = []
        for attempt in earlier:
            self.count(attempt)
            charges.append(attempt.held_usd if attempt.cost_usd is None else attempt.cost_usd)
        if budget is not None:
            budget.settle(budget.reserve(0.0), fsum(charge for charge in charges if charge is not None))

    @property
    def spent_usd(self) -> float:
        """What the calls of known cost came to, those of earlier runs included."""
        return float(self._spent)

    def count(self, attempt: Attempt) -> None:
        """Add a call to what all of them came to."""
        if attempt.cost_usd is None:
            self.unknown_calls += 1
        else:
            self._spent += exact(attempt.cost_usd, "the cost of a call")

    def require_prices(self, models: Iterable[str], pool: ModelPool, prices: PriceTable | None) -> None:
        """Raise UnknownCostError where the budget must foresee a cost and nobody has given a price."""
        if self.budget is None or self.budget.on_unknown == "ignore":
            return
        one = Usage(input_tokens=1, output_tokens=1)
        if unpriced := [model for model in models if price_call(one, model, pool, prices) is None]:
            raise UnknownCostError(unpriced, f"the budget of ${self.budget.limit_usd:g}")

    @contextmanager
    def paying(self) -> Iterator[None]:
        """Enclose a call; when it ends, those that wait for room look again, unless it was refused and freed nothing."""
        self._under_way += 1
        freed = True
        try:
            yield
        except CallError as error:
            freed = not refused(error)
            raise
        finally:
            self._under_way -= 1
            if freed:
                self._ended.set()
                self._ended = asyncio.Event()

    async def money_back(self) -> bool:
        """Wait until a call that is under way ends, which may free money; False when none is, and none will."""
        if not self._under_way:
            return False
        await self._ended.wait()
        return True
