"""Quality first, then cost: the cheapest model that is good enough."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import TIE
from pointsman.policies.base import Policy, known_costs

__all__ = ["NearBest", "QualityFloor"]

Matrix = NDArray[np.float64]
_HUNDREDTHS = tuple(i / 100 for i in range(101))


class QualityFloor(Policy):
    """Take the cheapest model whose expected quality reaches a floor; where none does, the best one.

    The operating point is the floor.

    Parameters:
        quality: The floor, in [0, 1].
    """

    quality: Annotated[float, Ge(0), Le(1)] = 0.8

    def points(self, estimates: Estimates) -> tuple[float, ...]:
        """Return 101 floors between 0 and 1."""
        return _HUNDREDTHS

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return scores above 1 for models that reach the floor, cheaper is higher; below 0, by quality, for the rest."""
        floor = self.quality if point is None else point
        return _cheapest_of(estimates, estimates.quality >= floor - TIE)


class NearBest(Policy):
    """Take the cheapest model whose expected quality is within a tolerance of the best.

    A guard against sending everything to the dearest model over differences nobody would notice ("routing collapse", arXiv
    2602.03478). The operating point is the tolerance.

    Parameters:
        tolerance: Quality that may be given up, at least 0.
    """

    tolerance: Annotated[float, Ge(0)] = 0.02

    def points(self, estimates: Estimates) -> tuple[float, ...]:
        """Return 101 tolerances between 0 and 1."""
        return _HUNDREDTHS

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return scores above 1 for models within the tolerance, cheaper is higher; below 0, by quality, for the rest."""
        tolerance = self.tolerance if point is None else point
        best = estimates.quality.max(axis=1, keepdims=True)
        return _cheapest_of(estimates, estimates.quality >= best - tolerance - TIE)


def _cheapest_of(estimates: Estimates, enough: NDArray[np.bool_]) -> Matrix:
    cost = known_costs(estimates, "choosing the cheapest model that is good enough")
    dearest = cost.max(axis=1, keepdims=True)
    relative = np.divide(cost, dearest, out=np.zeros_like(cost), where=dearest > 0)
    best = estimates.quality.max(axis=1, keepdims=True)
    scores: Matrix = np.where(enough, 2 - relative, estimates.quality - best - 1)
    return scores
