"""Capped: another policy, kept below a cost per query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Self

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset
from pointsman.estimators.base import Estimates
from pointsman.policies.base import Choice, Policy, known_costs, without_left_out
from pointsman.policies.utility import Utility

__all__ = ["Capped"]

Matrix = NDArray[np.float64]


class CappedState(State):
    """The fitted policy within."""

    policy: Policy


class Capped(Policy):
    """Let a policy choose among the models whose expected cost is within a cap; where none is, take the cheapest.

    A request's own `Constraints.max_cost_usd` is stricter: it raises instead of exceeding the cap. The operating point is that
    of the policy within.

    Parameters:
        policy: What chooses; cloned by `fit`.
        max_cost_usd: The cap on the expected cost of one call, in US dollars.
    """

    policy: Policy = Utility()
    max_cost_usd: Annotated[float, Gt(0)] = 0.01

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return a cap that leaves out the dearest of the toy data's models, and one on a policy that is fitted."""
        from pointsman.policies.threshold import Threshold

        return cls(max_cost_usd=0.001), cls(policy=Threshold(threshold=0.1), max_cost_usd=0.005)

    @property
    def needs_fit(self) -> bool:  # type: ignore[override]
        """Whether the policy within has to be fitted."""
        return self.policy.needs_fit

    def fit(self, estimates: Estimates, dataset: RoutingDataset) -> Self:
        """Fit a clone of the policy on what the cap leaves, and return self."""
        left = without_left_out(estimates, self._within_cap(estimates, None))
        return self.with_state(CappedState(policy=self.policy.clone().fit(left, dataset)))

    def points(self, estimates: Estimates) -> tuple[float, ...]:
        """Return those of the policy within."""
        return self._within.points(estimates)

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return the scores of the policy within, shape (n, m)."""
        return self._within.scores(estimates, point)

    def choose(
        self,
        estimates: Estimates,
        *,
        allowed: NDArray[np.bool_] | None = None,
        point: float | None = None,
        uniforms: Callable[[], Matrix],
    ) -> Choice:
        """Choose among the models that are allowed and within the cap."""
        estimates = without_left_out(estimates, allowed)
        mask = self._within_cap(estimates, allowed)
        return self._within.choose(estimates, allowed=mask, point=point, uniforms=uniforms)

    def _within_cap(self, estimates: Estimates, allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Return which models are allowed and within the cap, shape (n, m); where none is, the cheapest allowed ones."""
        cost = known_costs(estimates, "a cap on the cost of a query")
        open_ = np.ones(cost.shape, dtype=np.bool_) if allowed is None else allowed
        within = open_ & (cost <= self.max_cost_usd)
        cheapest = open_ & (cost <= np.where(open_, cost, np.inf).min(axis=1, keepdims=True))
        mask: NDArray[np.bool_] = np.where(within.any(axis=1, keepdims=True), within, cheapest)
        return mask

    @property
    def _within(self) -> Policy:
        return self.policy if self.state_ is None else self.fitted(CappedState).policy
