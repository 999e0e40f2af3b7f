"""Terms: what holds for every run of a dispatcher, and how one run sets out under them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pointsman.budgets import Budget, Budgets
from pointsman.dispatch.attempts import Attempts
from pointsman.dispatch.health import Health
from pointsman.dispatch.journey import Journey, Observer
from pointsman.dispatch.performing import Performing
from pointsman.dispatch.retry import Retry
from pointsman.dispatch.serving import Served
from pointsman.errors import ConfigError
from pointsman.flow import Recorder
from pointsman.pricing import PriceTable
from pointsman.types import Context, Query

__all__ = ["Terms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The budget, patience and prices that every run is held to, and who hears of it."""

    budget: Budget | Budgets | None
    retry: Retry
    deadline_s: float | None
    prices: PriceTable | None
    health: Health | None
    observers: Sequence[Observer]

    def __post_init__(self) -> None:
        if self.deadline_s is not None and not self.deadline_s > 0:
            raise ConfigError(f"Dispatcher.deadline_s must be more than 0 seconds, got {self.deadline_s}.")

    def depart(self, query: Query, context: Context, served: Served) -> tuple[Journey, Performing]:
        """Settle all that one run needs to know before it begins.

        A query without an id gets its journey's, as random draws are keyed by it.
        """
        budget = self.budget.of(query) if isinstance(self.budget, Budgets) else self.budget
        recorder = Recorder(on_step=self.health.observe if self.health is not None else None)
        journey = Journey(
            query=query,
            context=self._filled(context, budget, served),
            served=served,
            recorder=recorder,
            observers=self.observers,
        )
        journey.query = query if query.id else replace(query, id=journey.id)
        attempts = Attempts(
            query=journey.query, models=served.models, recorder=recorder, budget=budget, prices=self.prices
        )
        return journey, Performing(attempts=attempts, retry=self.retry, deadline_s=self.deadline_s, key=journey.id)

    def _filled(self, context: Context, budget: Budget | None, served: Served) -> Context:
        """Return the context with what is known here and was left open by the caller."""
        if self.health is not None:
            context = self.health.fill(context, served.models)
        if budget is not None and context.budget_left_usd is None:
            context = replace(context, budget_left_usd=budget.left_usd)
        return context if context.clock is not None else replace(context, clock=time.time())
