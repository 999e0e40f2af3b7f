"""Policies: expected quality, cost and latency in, one model per query out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isnan
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import Component
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import UnknownCostError
from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import first_choice

__all__ = ["Choice", "Policy", "known_costs", "without_left_out"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """What a policy chose for n queries: columns (n,), their propensities (n,) in (0, 1], and every model's score (n, m)."""

    model: NDArray[np.intp]
    propensity: Matrix
    scores: Matrix


class Policy(Component):
    """Chooses one model per query from estimates; the highest score wins, ties go to the cheapest.

    The *operating point* is a number that trades quality for cost at call time, in the policy's own unit; None stands for the
    policy's own setting.
    """

    needs_fit: ClassVar[bool] = False
    """Whether the operating point is learnt, so that `fit` has to be called before `choose`."""

    def fit(self, estimates: Estimates, dataset: RoutingDataset) -> Self:
        """Set the operating point from estimates and outcomes of the same queries and return self."""
        del estimates, dataset
        return self

    def points(self, estimates: Estimates) -> tuple[float, ...]:
        """Return operating points that span what the policy can do with such estimates; () where there is nothing to sweep."""
        del estimates
        return ()

    @abstractmethod
    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return what the policy maximises, shape (n, m)."""

    def choose(
        self,
        estimates: Estimates,
        *,
        allowed: NDArray[np.bool_] | None = None,
        point: float | None = None,
        uniforms: Callable[[], Matrix],
    ) -> Choice:
        """Choose among the allowed models, shape (n, m), at least one a row; None allows all.

        `uniforms` returns a number in [0, 1) for each query, shape (n,): the only randomness a policy may use.
        """
        del uniforms
        estimates = without_left_out(estimates, allowed)
        scores = self.scores(estimates, point)
        model = first_choice(scores, estimates.cost_usd, allowed)
        return Choice(model=model, propensity=np.ones(len(model)), scores=scores)


def without_left_out(estimates: Estimates, allowed: NDArray[np.bool_] | None) -> Estimates:
    """Return estimates in which a model that is not allowed looks like the worst of those that are.

    So what is expected of it cannot sway a choice among the others, and nobody misses its price.
    """
    if allowed is None:
        return estimates

    cautious = estimates.cautious

    def worst(values: Matrix, pick: np.ufunc) -> Matrix:
        return np.where(allowed, values, pick.reduce(np.where(allowed, values, np.nan), axis=1, keepdims=True))

    return replace(
        estimates,
        quality=worst(estimates.quality, np.fmin),
        cost_usd=worst(estimates.cost_usd, np.fmax),
        latency_s=None if estimates.latency_s is None else worst(estimates.latency_s, np.fmax),
        cautious=None if cautious is None else lambda: worst(cautious(), np.fmin),
    )


def known_costs(estimates: Estimates, purpose: str) -> Matrix:
    """Return the expected costs; raise UnknownCostError naming the models that have none."""
    if isnan(np.add.reduce(estimates.cost_usd, axis=None)):
        unknown = np.isnan(estimates.cost_usd).any(axis=0)
        raise UnknownCostError([estimates.models[j] for j in np.flatnonzero(unknown)], purpose)
    return estimates.cost_usd
