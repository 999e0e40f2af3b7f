"""Terms: what holds for every run of a dispatcher, and how one run sets out under them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import urandom

from pointsman.budgets import Budget, Budgets
from pointsman.dispatch.attempts import Attempts
from pointsman.dispatch.health import Health
from pointsman.dispatch.journey import Journey, Observer
from pointsman.dispatch.serving import Served
from pointsman.pricing import PriceTable
from pointsman.types import Context, Query

__all__ = ["Terms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The budget, prices and health that every run is held to, and who hears of it."""

    budget: Budget | Budgets | None
    prices: PriceTable | None
    health: Health | None
    observers: Sequence[Observer]

    def depart(self, query: Query, context: Context, served: Served) -> Journey:
        """Settle all that one run needs to know before it begins.

        A query without an id gets its journey's, as random draws are keyed by it.
        """
        budget = self.budget.of(query) if isinstance(self.budget, Budgets) else self.budget
        journey_id = urandom(16).hex()
        query = query if query.id else replace(query, id=journey_id)
        attempts = Attempts(
            query,
            served.models,
            budget=budget,
            prices=self.prices,
            on_step=self.health.observe if self.health is not None else None,
        )
        return Journey(
            id=journey_id,
            query=query,
            context=self._filled(context, budget, served),
            served=served,
            attempts=attempts,
            observers=self.observers,
        )

    def _filled(self, context: Context, budget: Budget | None, served: Served) -> Context:
        """Return the context with what is known here and was left open by the caller."""
        if self.health is not None:
            context = self.health.fill(context, served.models)
        if budget is not None and context.budget_left_usd is None:
            context = replace(context, budget_left_usd=budget.left_usd)
        return context if context.clock is not None else replace(context, clock=time.time())
