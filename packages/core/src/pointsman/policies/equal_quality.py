"""EqualQuality: spend as little as the best single model's quality allows."""

from __future__ import annotations

from statistics import NormalDist
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import Ge, Lt
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset
from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import first_choice
from pointsman.metrics.clusters import mean_error
from pointsman.policies.base import Policy
from pointsman.policies.utility import Utility

__all__ = ["EqualQuality"]

Matrix = NDArray[np.float64]
_UTILITY = Utility()  # whose λ comes with every call


class EqualQualityState(State):
    """The cost weight λ that was chosen, and what it scored and cost beside the best single model.

    `difference` is of mean qualities, `relative_cost` a ratio of mean costs; both are None where no λ was good enough, the
    ratio also where that model is free.
    """

    weight: float
    difference: float | None
    relative_cost: float | None


class EqualQuality(Policy):
    """Maximise quality − λ·cost with the λ that is the cheapest one as good as the best single model.

    A λ counts as good enough when its mean quality, on queries the estimates had not seen, is with the given confidence no more
    than a tolerance below that model's: with thousands of queries half a point is about what they can tell, with dozens the
    confidence asks for a wide margin. Besides, estimates by routers fitted on a part of the queries are on the safe side: the
    one fitted on all of them does better. Where no λ is good enough, or costs are unknown, λ = 0: quality first. The operating
    point is λ.

    Parameters:
        tolerance: Mean quality that may be given up.
        confidence: Of not losing more, in [0.5, 1); 0.5 goes by the mean.
    """

    needs_fit: ClassVar[bool] = True

    tolerance: Annotated[float, Ge(0), Lt(1)] = 0.005
    confidence: Annotated[float, Ge(0.5), Lt(1)] = 0.85

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the default, and one that gives up some quality and is surer of the rest."""
        return cls(), cls(tolerance=0.05, confidence=0.9)

    def fit(self, estimates: Estimates, dataset: RoutingDataset) -> Self:
        """Try cost weights on these queries, keep the cheapest that is good enough, and return self."""
        data = dataset.only(estimates.models)
        best = data.models.index(data.best_single)
        kept = EqualQualityState(weight=0.0, difference=None, relative_cost=None)
        cheapest = np.inf
        for weight in reversed(
            _UTILITY.points(estimates)
        ):  # the cheapest first, so that few errors are asked for; of equals the lowest λ counts
            chosen = first_choice(_UTILITY.scores(estimates, weight), estimates.cost_usd)
            better, dearer = (_beyond(matrix, chosen, best) for matrix in (data.quality, data.cost_usd))
            scored, priced = np.isfinite(better), np.isfinite(dearer)
            if not scored.any() or not priced.any():
                continue
            difference, extra = float(better[scored].mean()), float(dearer[priced].mean())
            if extra <= cheapest and self.good_enough(better[scored], data.group_of[scored]):
                cheapest, theirs = extra, float(data.cost_usd[priced, best].mean())
                ratio = 1 + extra / theirs if theirs > 0 else None
                kept = EqualQualityState(weight=float(weight), difference=difference, relative_cost=ratio)
        return self.with_state(kept)

    def good_enough(self, beyond: Matrix, groups: NDArray[np.intp]) -> bool:
        """Return whether qualities less the best single model's, shape (n,), bear out that no more than the tolerance is lost.

        Queries of one group, shape (n,), count together.
        """
        difference, margin = float(beyond.mean()), NormalDist().inv_cdf(self.confidence)
        if difference < -self.tolerance:
            return False
        risk = margin * mean_error(beyond, groups) if margin > 0 else 0.0
        return difference - risk >= -self.tolerance

    def points(self, estimates: Estimates) -> tuple[float, ...]:
        """Return cost weights, from quality first to the cheapest; () where costs are unknown."""
        return _UTILITY.points(estimates)

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return the utility of every model at the chosen λ, shape (n, m)."""
        weight = self.fitted(EqualQualityState).weight if point is None else point
        return _UTILITY.scores(estimates, weight)


def _beyond(matrix: Matrix, chosen: NDArray[np.intp], best: int) -> Matrix:
    """Return the chosen cells less the best model's, shape (n,); NaN where one of them is unknown."""
    beyond: Matrix = matrix[np.arange(len(chosen)), chosen] - matrix[:, best]
    return beyond
