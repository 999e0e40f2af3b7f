"""Decided: what a router said of each test query, and what came of it, query by query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.baselines import always
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.replay import simulate
from pointsman.routers.base import Router
from pointsman.types import Decision

__all__ = ["Decided", "Forecast", "decided"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """What was expected of one model on each of n queries, shape (n,) each; NaN where nothing was said."""

    quality: Vector
    cost_usd: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decided:
    """First decisions on n test queries, and the outcomes of the router and of the best single model.

    Parameters:
        test: The queries and their outcomes.
        best_single: The model to beat.
        decisions: One a query.
        mine, best: What the router, and what always asking the best single model, scored and cost.
        expected, expected_best: What the router expected of the model it chose, and of the best single model.
    """

    test: RoutingDataset
    best_single: str
    decisions: tuple[Decision, ...]
    mine: Outcomes
    best: Outcomes
    expected: Forecast
    expected_best: Forecast

    @property
    def elsewhere(self) -> NDArray[np.bool_]:
        """Which queries went to another model than the best single one, shape (n,)."""
        return np.array([decision.model != self.best_single for decision in self.decisions], dtype=np.bool_)

    @property
    def gained(self) -> Vector:
        """The router's quality minus the best single model's, shape (n,)."""
        return self.mine.quality - self.best.quality

    @property
    def saved_usd(self) -> Vector:
        """What the router cost less than the best single model, shape (n,)."""
        return self.best.cost_usd - self.mine.cost_usd


def decided(router: Router, test: RoutingDataset, best_single: str) -> Decided:
    """Ask a fitted router about every test query, and look up what came of it."""
    decisions = tuple(router.decide(query) for query in test.queries)
    return Decided(
        test=test,
        best_single=best_single,
        decisions=decisions,
        mine=simulate(router, test),
        best=always(best_single, test),
        expected=_forecast((decision, decision.model) for decision in decisions),
        expected_best=_forecast((decision, best_single) for decision in decisions),
    )


def _forecast(asked: Iterable[tuple[Decision, str]]) -> Forecast:
    said = [(decision.estimates.get(model)) for decision, model in asked]
    return Forecast(
        quality=np.array([np.nan if row is None or row.quality is None else row.quality for row in said]),
        cost_usd=np.array([np.nan if row is None or row.cost_usd is None else row.cost_usd for row in said]),
    )
