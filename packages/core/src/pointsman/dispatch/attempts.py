"""One attempt at an effect: money reserved, outcome priced and recorded, money settled, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from pointsman.budgets import Budget, Reservation
from pointsman.dispatch.deadline import Overdue
from pointsman.dispatch.expected import worst_case_usd
from pointsman.errors import BudgetExceededError, UnknownCostError
from pointsman.flow import Effect, Keep, Outcome, Recorder
from pointsman.models import ModelPool
from pointsman.pricing import PriceTable, price_call
from pointsman.types import Call, CallError, Path, Query, Response, Usage

__all__ = ["Attempts"]

O = TypeVar("O", bound=Outcome)


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

            def keep(outcome: O) -> O:
                return record(self._priced(outcome))

            try:
                reservation = self._reserve(effect)
                yield keep
            except CallError as error:
                late = error.late if isinstance(error, Overdue) else None
                keep(error)
                raise
            finally:
                if reservation is not None and self.budget is not None:
                    self._settle(self.budget, reservation, record.step.cost_usd, late)

    def _reserve(self, effect: Effect) -> Reservation | None:
        """Set the call's money aside; a refusal is an error of this model, as a cheaper one may still fit."""
        if self.budget is None or not isinstance(effect, Call):
            return None
        wanted = worst_case_usd(effect, self.query, self.models, self.prices)
        try:
            return self.budget.reserve(wanted, model=effect.model)
        except (BudgetExceededError, UnknownCostError) as refusal:
            raise CallError(effect.model, str(refusal), retryable=True) from refusal

    def _settle(
        self, budget: Budget, reservation: Reservation, cost_usd: float | None, late: Future[Any] | None
    ) -> None:
        budget.settle(reservation, cost_usd)
        if late is not None and cost_usd is None:
            late.add_done_callback(lambda future: self._settle_late(budget, reservation, future))

    def _settle_late(self, budget: Budget, reservation: Reservation, future: Future[Any]) -> None:
        """Settle a call that was given up, if its cost arrives after all."""
        outcome = future.exception() or future.result()
        if isinstance(outcome, Response | CallError):
            cost = self._priced(outcome).cost_usd
            if cost is not None:
                budget.settle(reservation, cost)

    def _priced(self, outcome: O) -> O:
        """Give an outcome its cost where usage and price are known and the cost was not told."""
        if isinstance(outcome, Response) and outcome.cost_usd is None:
            cost = self._price(outcome.usage, outcome.model, outcome.served_model)
            return cast("O", replace(outcome, cost_usd=cost))
        if isinstance(outcome, CallError) and outcome.cost_usd is None:
            outcome.cost_usd = self._price(outcome.usage, outcome.model, None)
        return outcome

    def _price(self, usage: Usage | None, model: str, served: str | None) -> float | None:
        """Price a call by its model's name, else by the name that the provider served it under."""
        cost = price_call(usage, model, self.models, self.prices)
        spec = self.models.get(model)
        if cost is not None or usage is None or served is None or self.prices is None:
            return cost
        if spec is not None and spec.price is not None:
            return None
        return self.prices.cost_usd(served, spec.provider if spec else None, usage)
