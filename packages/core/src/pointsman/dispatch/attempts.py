"""One attempt at an effect: money reserved, outcome priced and recorded, money settled, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, TypeVar, cast

from pointsman.budgets import Budget, Reservation
from pointsman.dispatch.deadline import OverdueError
from pointsman.dispatch.reserving import reserve, worst_case_usd
from pointsman.flow import Effect, Keep, Outcome, Recorder, cost_of
from pointsman.models import ModelPool
from pointsman.pricing import PriceTable, price_call
from pointsman.telemetry.logging import logger
from pointsman.types import Call, CallError, Path, Query, Response, Usage

__all__ = ["Attempts"]

Kept = TypeVar("Kept", bound=Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Records the attempts of one query as a Recorder does, and sees to their money."""

    query: Query
    models: ModelPool
    recorder: Recorder
    budget: Budget | None = None
    prices: PriceTable | None = None

    @contextmanager
    def recording(self, effect: Effect, path: Path) -> Iterator[Keep]:
        """Enclose one attempt; what it ends in is priced, recorded and settled, also when it is cut off."""
        reservation: Reservation | None = None
        late: Future[Any] | None = None
        with self.recorder.recording(effect, path) as record:

            def keep(outcome: Kept) -> Kept:
                return record(self._priced(outcome))

            try:
                if self.budget is not None and isinstance(effect, Call):
                    reservation = reserve(self.budget, self._worst_case(effect), effect.model)
                yield keep
            except CallError as error:
                late = error.late if isinstance(error, OverdueError) else None
                raise keep(error) from error.__cause__
            finally:
                if reservation is not None:
                    self._settle(reservation, record.step.cost_usd, late)

    def _worst_case(self, call: Call) -> float | None:
        return worst_case_usd(call, self.query, self.models, self.prices)

    def _settle(self, reservation: Reservation, cost_usd: float | None, late: Future[Any] | None) -> None:
        reservation.budget.settle(reservation, cost_usd)
        if late is not None and cost_usd is None:
            late.add_done_callback(lambda future: self._settle_late(reservation, future))

    def _settle_late(self, reservation: Reservation, future: Future[Any]) -> None:
        """Settle a call that was given up, if its cost arrives after all."""
        outcome = future.exception() or future.result()
        if isinstance(outcome, Response | CallError):
            reservation.budget.settle(reservation, cost_of(self._priced(outcome)))
        elif isinstance(outcome, BaseException):
            logger.warning("A call that was given up at its deadline ended in %r; its reservation stands.", outcome)

    def _priced(self, outcome: Kept) -> Kept:
        """Give an outcome its cost where usage and price are known and the cost was not told."""
        if not isinstance(outcome, Response | CallError):
            return outcome
        if outcome.cost_usd is not None:
            if not (isfinite(outcome.cost_usd) and outcome.cost_usd >= 0):
                raise ValueError(f"The cost of a call of {outcome.model!r} cannot be ${outcome.cost_usd}.")
            return outcome
        if outcome.usage is None:
            return outcome
        cost = self._price(outcome.usage, outcome.model, getattr(outcome, "served_model", None))
        if cost is None:
            return outcome
        priced = replace(outcome, cost_usd=cost) if isinstance(outcome, Response) else outcome.changed(cost_usd=cost)
        return cast("Kept", priced)

    def _price(self, usage: Usage | None, model: str, served: str | None) -> float | None:
        """Price a call by its model's name, else by the name that its provider served it under."""
        cost = price_call(usage, model, self.models, self.prices)
        spec = self.models.get(model)
        if cost is not None or usage is None or served is None or self.prices is None or (spec and spec.price):
            return cost
        return self.prices.cost_usd(served, spec.provider if spec else None, usage)
