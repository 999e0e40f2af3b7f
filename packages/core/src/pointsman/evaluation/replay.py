"""Replay: what a router would have scored and cost on recorded outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError, choices
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.recorded import drive_row
from pointsman.routers.base import Decisions, Router
from pointsman.routers.cascade_router import CascadeRouter
from pointsman.routers.estimated import EstimatedRouter
from pointsman.types import Context

__all__ = ["answers_with_first_choice", "simulate", "simulate_sweep"]


def simulate(router: Router, dataset: RoutingDataset, context: Context = Context()) -> Outcomes:  # noqa: B008 - frozen
    """Return what a router's answers score and cost on a dataset, as if every query had been asked in this context.

    Where the answer is that of the first choice, and in a cascade, all queries are decided at once; any other plan is driven,
    query by query, with the recorded outcomes, judges and rejected drafts paid. Both give the same figures. A cell that was not
    observed stays NaN.

    Raises:
        DataError: When the dataset has none of the router's models, or cannot tell what a plan wants to know.

    >>> from pointsman.routers.rules import RulesRouter
    >>> from pointsman.testing.toys import toy, toy_pool
    >>> float(simulate(RulesRouter(pool=toy_pool(), default="large"), toy()).quality.mean())
    0.925
    """
    _check_models(router, dataset)
    if answers_with_first_choice(router):
        return _decided(router.decide_many(dataset.queries, context), dataset)
    if isinstance(router, CascadeRouter) and type(router).plan is CascadeRouter.plan:
        return next(_replays(router, dataset, (context.operating_point,), context))
    rows = [drive_row(router, dataset, row, context) for row in range(len(dataset))]
    return Outcomes(
        models=dataset.models,
        model=np.array([row.model for row in rows], dtype=np.intp),
        quality=np.array([row.quality for row in rows]),
        cost_usd=np.array([row.cost_usd for row in rows]),
        propensity=np.array([row.propensity for row in rows]),
        calls=np.array([row.calls for row in rows], dtype=np.intp),
    )


def simulate_sweep(
    router: Router,
    dataset: RoutingDataset,
    points: Sequence[float],
    context: Context = Context(),  # noqa: B008
) -> Iterator[Outcomes]:
    """Yield what `simulate` returns at each operating point; a router that predicts does so once."""
    _check_models(router, dataset)
    if answers_with_first_choice(router):
        for decisions in router.sweep(dataset.queries, points, context):
            yield _decided(decisions, dataset)
    elif isinstance(router, CascadeRouter) and type(router).plan is CascadeRouter.plan:
        yield from _replays(router, dataset, points, context)
    else:
        for point in points:
            yield simulate(router, dataset, replace(context, operating_point=point))


def answers_with_first_choice(router: Router) -> bool:
    """Return whether a plan whose calls all succeed ends with the answer of its first choice, as the default plan does."""
    return type(router).plan in (Router.plan, EstimatedRouter.plan)


def _check_models(router: Router, dataset: RoutingDataset) -> None:
    if not set(router.models) & set(dataset.models):
        raise DataError(
            f"The dataset has outcomes of {choices(dataset.models)}, the router calls {choices(router.models)}."
        )


def _decided(decisions: Decisions, dataset: RoutingDataset) -> Outcomes:
    column = {name: j for j, name in enumerate(dataset.models)}
    columns = np.array([column.get(name, -1) for name in decisions.models], dtype=np.intp)
    return Outcomes.of(dataset, columns[decisions.model], decisions.propensity)


def _replays(
    router: CascadeRouter, dataset: RoutingDataset, points: Sequence[float | None], context: Context
) -> Iterator[Outcomes]:
    for ended in router.replays(dataset, points, context):
        yield Outcomes(
            models=dataset.models,
            model=ended.model,
            quality=ended.quality,
            cost_usd=ended.cost_usd,
            propensity=np.ones(len(dataset)),
            calls=ended.calls,
        )
