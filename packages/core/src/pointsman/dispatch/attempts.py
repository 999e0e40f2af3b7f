"""One attempt at an effect: money reserved, outcome priced and recorded, money settled, however it ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from math import isfinite
from types import TracebackType
from typing import Any, Self

from pointsman.budgets import Budget, Reservation
from pointsman.dispatch.deadline import OverdueError
from pointsman.dispatch.reserving import reserve, worst_case_usd
from pointsman.flow import Effect, Recorder, Recording, cost_of
from pointsman.models import ModelPool
from pointsman.pricing import PriceTable, price_call
from pointsman.telemetry.logging import logger
from pointsman.types import Call, CallError, Path, Query, Response, Step, Usage

__all__ = ["Attempts"]


class Attempts(Recorder):
    """Records the attempts of one query, and sees to their money."""

    __slots__ = ("_budget", "_models", "_prices", "_query")

    def __init__(
        self,
        query: Query,
        models: ModelPool,
        *,
        budget: Budget | None = None,
        prices: PriceTable | None = None,
        on_step: Callable[[Step], None] | None = None,
    ) -> None:
        super().__init__(on_step)
        self._query = query
        self._models = models
        self._budget = budget
        self._prices = prices

    def recording(self, effect: Effect, path: Path) -> Recording:
        """Enclose one attempt; what it ends in is priced, recorded and settled, also when it is cut off."""
        if self._budget is None or not isinstance(effect, Call):
            return Recording(self, effect, path)
        return _Reserving(self, effect, path)

    def reserve(self, call: Call) -> Reservation | None:
        """Set aside what a call may cost at most; a refusal is a CallError."""
        if self._budget is None:
            return None
        return reserve(self._budget, worst_case_usd(call, self._query, self._models, self._prices), call.model)

    def price(self, outcome: Response | CallError) -> float | None:
        """Return what an outcome tells of its cost, else its price where usage and price are known."""
        told = outcome.cost_usd
        if told is not None:
            if not (isfinite(told) and told >= 0):
                raise ValueError(f"The cost of a call of {outcome.model!r} cannot be ${told}.")
            return told
        if outcome.usage is None:
            return None
        return self._price(outcome.usage, outcome.model, getattr(outcome, "served_model", None))

    def _price(self, usage: Usage, model: str, served: str | None) -> float | None:
        """Price a call by its model's name, else by the name that its provider served it under."""
        cost = price_call(usage, model, self._models, self._prices)
        if cost is not None or served is None or self._prices is None:
            return cost
        spec = self._models.get(model)
        if spec is not None and spec.price is not None:
            return None
        return self._prices.cost_usd(served, spec.provider if spec else None, usage)


class _Reserving(Recording):
    """An attempt under a budget: money is set aside before it is made, and settled by what it cost."""

    __slots__ = ("_attempts", "_call", "_late", "_reservation")

    def __init__(self, attempts: Attempts, call: Call, path: Path) -> None:
        super().__init__(attempts, call, path)
        self._attempts = attempts
        self._call = call
        self._reservation: Reservation | None = None
        self._late: Future[Any] | None = None

    def __enter__(self) -> Self:
        try:
            self._reservation = self._attempts.reserve(self._call)
        except BaseException as error:  # a block that is not entered is not left either
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, OverdueError):
            self._late = error.late
        super().__exit__(kind, error, traceback)

    def end(self) -> None:
        """Settle the reservation by the step as it stands, and put that on record."""
        if self._reservation is not None:
            self._settle(self._reservation, self.step.cost_usd)
        super().end()

    def _settle(self, reservation: Reservation, cost_usd: float | None) -> None:
        reservation.budget.settle(reservation, cost_usd)
        if self._late is not None and cost_usd is None:
            self._late.add_done_callback(lambda future: _settle_late(reservation, future, self._attempts))


def _settle_late(reservation: Reservation, future: Future[Any], attempts: Attempts) -> None:
    """Settle a call that was given up, if its cost arrives after all."""
    outcome = future.exception() or future.result()
    if isinstance(outcome, Response):
        reservation.budget.settle(reservation, attempts.price(outcome))
    elif isinstance(outcome, CallError):
        cost = attempts.price(outcome)
        reservation.budget.settle(reservation, cost_of(outcome if cost is None else outcome.changed(cost_usd=cost)))
    elif isinstance(outcome, BaseException):
        logger.warning("A call that was given up at its deadline ended in %r; its reservation stands.", outcome)
