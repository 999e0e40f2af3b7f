"""Driving: replaying recorded answers has to come to what driving every plan on them does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pointsman.data import RoutingDataset
from pointsman.evaluation import simulate
from pointsman.evaluation.recorded import drive_row
from pointsman.routers.base import Router
from pointsman.types import Context

__all__ = ["check_replay_is_driving"]


def check_replay_is_driving(
    router: Router, data: RoutingDataset, points: Sequence[float], names: Sequence[str] = ("quality", "cost_usd")
) -> None:
    """Check, at each operating point, who answers every query, in how many calls, and the numbers of these names."""
    for point in points:
        context = Context(operating_point=point)
        found = simulate(router, data, context)
        driven = [drive_row(router, data, row, context) for row in range(len(data))]
        assert found.model.tolist() == [each.model for each in driven]
        assert found.calls.tolist() == [each.calls for each in driven]
        for name in names:
            np.testing.assert_allclose(getattr(found, name), [getattr(each, name) for each in driven], rtol=1e-12)
