"""Utility: expected quality minus what money and time are worth."""

from __future__ import annotations

from typing import Annotated, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.estimators.base import Estimates
from pointsman.policies.base import Policy, known_costs

__all__ = ["Utility"]


class Utility(Policy):
    """Maximise quality − λ·cost − μ·latency, the plug-in rule on which most of the field agrees.

    The operating point is λ. With λ = μ = 0, quality first, it takes the best expected answer whatever it costs; and since no
    saving makes up for a mistake there, it goes by the estimates' `cautious` quality where they have one.

    Parameters:
        cost_weight: λ, in quality per US dollar, at least 0.
        latency_weight: μ, in quality per second, at least 0. A model of unknown latency counts as the slowest of the others.

    Raises:
        UnknownCostError: When λ > 0 and the cost of a model is unknown.
    """

    cost_weight: Annotated[float, Ge(0)] = 0.0
    latency_weight: Annotated[float, Ge(0)] = 0.0

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that wants the best at any price, and one that minds money and time."""
        return cls(), cls(cost_weight=50.0, latency_weight=0.01)

    def points(self, estimates: Estimates) -> tuple[float, ...]:
        """Return 161 cost weights, from quality at any price to the cheapest at any quality; () where costs are unknown."""
        mean = float(estimates.cost_usd.mean()) if len(estimates) else 0.0
        return (0.0, *(np.logspace(-5, 3, 160) / mean).tolist()) if mean > 0 else ()

    def scores(self, estimates: Estimates, point: float | None = None) -> NDArray[np.float64]:
        """Return the utility of every model, shape (n, m)."""
        weight = self.cost_weight if point is None else point
        scores = estimates.quality
        if not weight and not self.latency_weight and estimates.cautious is not None:
            return estimates.cautious()
        if weight:
            scores = scores - weight * known_costs(estimates, "a utility with a cost weight")
        if self.latency_weight and estimates.latency_s is not None:
            slowest = np.fmax.reduce(estimates.latency_s, axis=1, keepdims=True)
            latency = np.where(np.isnan(estimates.latency_s), slowest, estimates.latency_s)
            scores = scores - self.latency_weight * np.nan_to_num(latency)
        return scores
