"""Settings: everything a fitted router can be set to, with what it scores and costs on the test and the validation part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.baselines import always
from pointsman.evaluation.curve import Setting
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.replay import simulate, simulate_sweep, sweeps_cheaply
from pointsman.routers.base import Router
from pointsman.types import Context

__all__ = ["settings_of"]


def settings_of(
    router: Router,
    test: RoutingDataset,
    validation: RoutingDataset | None,
    mine: Outcomes,
    cheapest: str,
    *,
    points: Sequence[float] | None = None,
    context: Context = Context(),  # noqa: B008 - frozen
) -> Iterator[Setting]:
    """Yield the router at every operating point, as it is, and the cheapest model, which is always within reach.

    `mine` is what it does on the test data as it is; without `points` the router names its own.
    """
    parts = [test] if validation is None else [test, validation]
    if points is None:
        points = router.points(parts[-1].queries) if sweeps_cheaply(router) else ()
    sweeps = [simulate_sweep(router, part, points, context) for part in parts]
    yield from zip(points, zip(*sweeps, strict=True), strict=True)
    yield None, [mine, *(simulate(router, part, context) for part in parts[1:])]
    yield cheapest, [always(cheapest, part) for part in parts]
