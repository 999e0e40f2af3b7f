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
from pointsman.policies.base import Policy
from pointsman.policies.utility import Utility

__all__ = ["EqualQuality"]

Matrix = NDArray[np.float64]
_UTILITY = Utility()  # whose λ comes with every call


class EqualQualityState(State):
    """The cost weight λ that was chosen, and what it cost and scored beside the best single model (means; None: none held)."""

    weight: float
    difference: float | None
    relative_cost: float | None


class EqualQuality(Policy):
    """Maximise quality − λ·cost with the λ that is the cheapest one as good as the best single model.

    A λ counts as good enough when its mean quality, on queries the estimates had not seen, is with the given confidence no more
    than a tolerance below that model's. Estimates by routers fitted on a part of the queries leave a margin of their own, for the
    one fitted on all of them does better; a higher confidence adds to it, which pays where there are few queries. Where no λ
    is good enough, or costs are unknown, λ = 0: quality first. The operating point is λ.

    Parameters:
        tolerance: Mean quality that may be given up.
        confidence: Of not losing more, in [0.5, 1); 0.5 goes by the mean.
    """

    needs_fit: ClassVar[bool] = True

    tolerance: Annotated[float, Ge(0), Lt(1)] = 0.0
    confidence: Annotated[float, Ge(0.5), Lt(1)] = 0.5

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return the default, and one that gives up some quality and is surer of the rest."""
        return cls(), cls(tolerance=0.05, confidence=0.9)

    def fit(self, estimates: Estimates, dataset: RoutingDataset) -> Self:
        """Try cost weights on these queries, keep the cheapest that is good enough, and return self."""
        data = dataset.only(estimates.models)
        best = data.models.index(data.best_single)
        margin = NormalDist().inv_cdf(self.confidence)
        kept = EqualQualityState(weight=0.0, difference=None, relative_cost=None)
        cheapest = np.inf
        for weight in _UTILITY.points(estimates):
            chosen = first_choice(_UTILITY.scores(estimates, weight), estimates.cost_usd)
            quality, cost = (_beside(matrix, chosen, best) for matrix in (data.quality, data.cost_usd))
            if not len(quality) or not len(cost) or cost[:, 1].sum() <= 0:
                continue
            difference, error = _mean(quality[:, 0] - quality[:, 1], data.group_of[_known(data.quality, chosen, best)])
            ratio = float(cost[:, 0].sum() / cost[:, 1].sum())
            if difference - margin * error >= -self.tolerance and ratio < cheapest:
                cheapest = ratio
                kept = EqualQualityState(weight=float(weight), difference=difference, relative_cost=ratio)
        return self.with_state(kept)

    def points(self, estimates: Estimates) -> tuple[float, ...]:
        """Return cost weights, from quality first to the cheapest; () where costs are unknown."""
        return _UTILITY.points(estimates)

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return the utility of every model at the chosen λ, shape (n, m)."""
        weight = self.fitted(EqualQualityState).weight if point is None else point
        return _UTILITY.scores(estimates, weight)


def _known(matrix: Matrix, chosen: NDArray[np.intp], best: int) -> NDArray[np.bool_]:
    """Tell which rows hold both the chosen cell and the best model's, shape (n,)."""
    known: NDArray[np.bool_] = np.isfinite(matrix[np.arange(len(chosen)), chosen]) & np.isfinite(matrix[:, best])
    return known


def _beside(matrix: Matrix, chosen: NDArray[np.intp], best: int) -> Matrix:
    """Return the chosen cells and the best model's where both are known, shape (rows, 2)."""
    both = np.column_stack([matrix[np.arange(len(chosen)), chosen], matrix[:, best]])
    return both[_known(matrix, chosen, best)]


def _mean(values: Matrix, group: NDArray[np.int64]) -> tuple[float, float]:
    """Return the mean and its standard error, groups being independent."""
    mean = float(values.mean())
    sums = np.bincount(np.unique(group, return_inverse=True)[1], values - mean)
    groups = len(sums)
    error = float(np.sqrt(np.square(sums).sum() * groups / max(1, groups - 1))) / len(values)
    return mean, error
