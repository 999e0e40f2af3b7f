"""Paid calls: each waits for its turn and for room in the budget, is tried again where that may help, and goes on record."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count

from pointsman.callers.base import Caller
from pointsman.dispatch.attempts import Attempts
from pointsman.dispatch.reserving import refused, worst_case_usd
from pointsman.dispatch.retry import Retry, Tries
from pointsman.flow import Effect, Outcome, arecorded
from pointsman.pricing import PriceTable
from pointsman.probing.books import Books
from pointsman.probing.log import Attempt, Cell
from pointsman.probing.pace import Pace
from pointsman.probing.purse import Purse
from pointsman.probing.request import Request, request_hash
from pointsman.probing.scoring.base import Ask
from pointsman.types import Call, CallError, Path, Query, Response, Step

__all__ = ["PaidCalls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidCalls:
    """Makes the calls of a collection; every attempt is in the books and paid from the purse, however it ends."""

    callers: Mapping[str, Caller]
    request: Request
    books: Books
    purse: Purse
    pace: Pace
    retry: Retry
    prices: PriceTable | None

    def asking(self, cell: Cell, query: Query) -> Ask:
        """Return what carries out the calls made for one cell: the answering one and those of its scorer."""
        attempts = Attempts(
            query,
            self.request.pool,
            budget=self.purse.budget,
            prices=self.prices,
            on_step=partial(self._enter, cell, query),
        )
        rounds = count()

        async def ask(call: Call) -> Response:
            return await self._perform(self.request.completed(call), query, attempts, (next(rounds), 0))

        return ask

    async def _perform(self, call: Call, query: Query, attempts: Attempts, path: Path) -> Response:
        """Return the response to a call.

        Raises:
            CallError: When its last attempt failed.
            BudgetExceededError: When the budget has no room for it, and will not have.
        """

        async def calling(_: Effect) -> Outcome:
            return await self.callers[call.model](call, query)

        tries = Tries(self.retry, None, f"{query.id}:{call.model}:{path}")
        attempt = arecorded(calling, attempts)
        while True:
            await self.pace.turn(call.model)
            try:
                with self.purse.paying():
                    outcome = await attempt(call, path)
            except CallError as error:
                if error.__cause__ is not None and refused(error):
                    if not await self.purse.money_back():
                        raise error.__cause__ from None
                    continue
                pause_s = tries.pause_after(error)
            else:
                if not isinstance(outcome, Response):
                    raise TypeError(f"The caller of {call.model!r} must return a Response, not {outcome!r}.")
                return outcome
            await asyncio.sleep(pause_s)

    def _enter(self, cell: Cell, query: Query, step: Step) -> None:
        """Put an attempt on record; one that the budget refused was none."""
        call, outcome = step.effect, step.outcome
        if not isinstance(call, Call) or (isinstance(outcome, CallError) and refused(outcome)):
            return
        usage = outcome.usage if isinstance(outcome, Response | CallError) else None
        held = worst_case_usd(call, query, self.request.pool, self.prices) if step.cost_usd is None else None
        attempt = Attempt(
            **cell._asdict(),
            called=call.model,
            purpose=call.purpose,
            request=request_hash(call, query),
            answer=outcome.text if isinstance(outcome, Response) else None,
            error=outcome.message if isinstance(outcome, CallError) else None,
            input_tokens=usage.input_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            cost_usd=step.cost_usd,
            held_usd=held,
            latency_s=outcome.latency_s if isinstance(outcome, Response) else step.latency_s,
            at=step.started_at,
        )
        self.purse.count(attempt)
        self.books.enter(attempt)
