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
from pointsman.routers.replayed import Replayed, Replays
from pointsman.types import Context

__all__ = ["simulate", "simulate_sweep", "sweeps_cheaply"]


def simulate(router: Router, dataset: RoutingDataset, context: Context = Context()) -> Outcomes:  # noqa: B008 - frozen
    """Return what a router's answers score and cost on a dataset, as if every query had been asked in this context.

    Where the answer is that of the first choice, all queries are decided at once, and a router that replays itself does so;
    any other plan is driven, query by query, with the recorded outcomes, judges and rejected drafts paid. All give the same
    figures. A cell that was not observed stays
    NaN.

    Raises:
        DataError: When the dataset has none of the router's models, or cannot tell what a plan wants to know.

    >>> from pointsman.routers.rules import RulesRouter
    >>> from pointsman.testing.toys import toy, toy_pool
    >>> float(simulate(RulesRouter(pool=toy_pool(), default="large"), toy()).quality.mean())
    0.925
    """
    _check_models(router, dataset)
    if router.asks_once:
        return _decided(router.decide_many(dataset.queries, context), dataset)
    if isinstance(router, Replays):
        (replayed,) = router.replay(dataset, (context.operating_point,), context)
        return _replayed(replayed, dataset)
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
    if router.asks_once:
        for decisions in router.sweep(dataset.queries, points, context):
            yield _decided(decisions, dataset)
    elif isinstance(router, Replays):
        for replayed in router.replay(dataset, tuple(points), context):
            yield _replayed(replayed, dataset)
    else:
        for point in points:
            yield simulate(router, dataset, replace(context, operating_point=point))


def sweeps_cheaply(router: Router) -> bool:
    """Return whether many operating points can be measured in little more time than one."""
    return router.asks_once or isinstance(router, Replays)


def _check_models(router: Router, dataset: RoutingDataset) -> None:
    if not set(router.models) & set(dataset.models):
        raise DataError(
            f"The dataset has outcomes of {choices(dataset.models)}, the router calls {choices(router.models)}."
        )


def _replayed(replayed: Replayed, dataset: RoutingDataset) -> Outcomes:
    return Outcomes(
        models=dataset.models,
        model=replayed.model,
        quality=replayed.quality,
        cost_usd=replayed.cost_usd,
        propensity=np.ones(len(dataset)),
        calls=replayed.calls,
    )


def _decided(decisions: Decisions, dataset: RoutingDataset) -> Outcomes:
    column = {name: j for j, name in enumerate(dataset.models)}
    columns = np.array([column.get(name, -1) for name in decisions.models], dtype=np.intp)
    return Outcomes.of(dataset, columns[decisions.model], decisions.propensity)
