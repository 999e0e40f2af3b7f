"""Escalation: how many calls queries take in a cascade, and what those come to that take one, two or more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.outcomes import known_mean
from pointsman.evaluation.protocols.calibration import Calibration, calibration
from pointsman.evaluation.resampling import Resampling
from pointsman.routers.base import Router
from pointsman.routers.replayed import Replays

__all__ = ["Escalated", "Escalation", "escalation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """Queries that took as many calls: their share, and means of the router's and of the best single model's figures on them.

    Quality is in [0, 1], cost in US dollars of all calls; None is unknown.
    """

    calls: int
    share: float
    quality: float | None
    cost_usd: float | None
    best_quality: float | None
    best_cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """What escalating did on the test queries.

    Parameters:
        rows: By number of calls, the fewest first.
        accepted: Whether answers are right as often as the router says of them when it stops; None where it does not say.
    """

    rows: tuple[Escalated, ...]
    accepted: Calibration | None


def escalation(
    router: Router, test: RoutingDataset, best_single: str, resampling: Resampling, level: float
) -> Escalation | None:
    """Return how the queries of the test data go through a cascade, as it is set; None for a router that asks once."""
    if router.asks_once or not isinstance(router, Replays):
        return None
    (ended,) = router.replay(test, (None,))
    best = test.models.index(best_single)
    rows = []
    for calls in np.unique(ended.calls).tolist():
        held = ended.calls == calls
        rows.append(
            Escalated(
                calls=calls,
                share=float(held.mean()),
                quality=known_mean(ended.quality[held]),
                cost_usd=known_mean(ended.cost_usd[held]),
                best_quality=known_mean(test.quality[held, best]),
                best_cost_usd=known_mean(test.cost_usd[held, best]),
            )
        )
    accepted = None
    if ended.confidence is not None:
        accepted = calibration(
            ended.confidence[:, None], ended.quality[:, None], low=0, resampling=resampling, level=level
        )
    return Escalation(rows=tuple(rows), accepted=accepted)
