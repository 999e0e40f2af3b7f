"""Measuring: what every method is scored against, and the curve that a router makes of its operating points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.baselines import always, single_models
from pointsman.evaluation.curve import Curve, Setting
from pointsman.evaluation.outcomes import Outcomes, known_mean
from pointsman.evaluation.reference import Reference
from pointsman.evaluation.replay import answers_with_first_choice, simulate, simulate_sweep
from pointsman.evaluation.resampling import Resampling
from pointsman.evaluation.scoring import Board
from pointsman.routers.base import Router
from pointsman.types import Context

__all__ = ["board_of", "router_curve"]


def board_of(
    test: RoutingDataset,
    reference: Reference,
    validation: RoutingDataset | None,
    *,
    level: float,
    draws: int,
    random_state: int,
) -> Board:
    """Return what methods are scored against on the test queries; see `evaluate` for the arguments."""
    best = None if validation is None else always(reference.best_single, validation)
    return Board(
        test=test,
        best_single=reference.best_single,
        target=None if best is None else known_mean(best.quality),
        zero=single_models(test, reference.data),
        resampling=Resampling(group=test.group_of, draws=draws, random_state=random_state),
        level=level,
    )


def router_curve(
    router: Router,
    test: RoutingDataset,
    validation: RoutingDataset | None,
    mine: Outcomes,
    cheapest: str,
    *,
    points: Sequence[float] | None = None,
    context: Context = Context(),  # noqa: B008 - frozen
) -> Curve | None:
    """Return what a router reaches at its operating points, as it is (`mine`), and with the cheapest model alone."""
    return Curve.of(_settings(router, test, validation, points, context, mine, cheapest))


def _settings(
    router: Router,
    test: RoutingDataset,
    validation: RoutingDataset | None,
    points: Sequence[float] | None,
    context: Context,
    mine: Outcomes,
    cheapest: str,
) -> Iterator[Setting]:
    """Yield the router at every operating point, as it is, and the cheapest model, which is always within reach."""
    parts = [test] if validation is None else [test, validation]
    if points is None:
        points = router.points(parts[-1].queries) if answers_with_first_choice(router) else ()
    sweeps = [simulate_sweep(router, part, points, context) for part in parts]
    yield from zip(points, zip(*sweeps, strict=True), strict=True)
    yield None, [mine, *(simulate(router, part, context) for part in parts[1:])]
    yield cheapest, [always(cheapest, part) for part in parts]
