"""MeanBudget: the best expected quality whose mean cost stays within a budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError
from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import first_choice
from pointsman.policies.base import Choice, Policy, known_costs, without_left_out

__all__ = ["MeanBudget"]

Matrix = NDArray[np.float64]
_SETTINGS = 128
_BISECTIONS = 60


class MeanBudgetState(State):
    """Cost weights λ in ascending order, shape (k,), and the mean realised cost of each, strictly descending."""

    weights: Matrix
    cost_usd: Matrix


class MeanBudget(Policy):
    """Maximise expected quality − λ·cost with the λ that spends a given mean cost per query.

    Where no single λ spends exactly the budget, because whole groups of queries switch models together, the two neighbouring
    ones are mixed at random, query by query, so that the expected cost meets it to the cent (as in cascade routing, ICML 2025,
    arXiv 2410.10347). The operating point is the budget itself.

    Parameters:
        usd: Mean cost per query in US dollars.

    Raises:
        ConfigError: When even the cheapest choice for every query costs more.
        UnknownCostError: When the cost of a model is unknown.
    """

    needs_fit: ClassVar[bool] = True

    usd: Annotated[float, Gt(0)]

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one with room for some of the toy data's dear calls."""
        return (cls(usd=0.001),)

    def fit(self, estimates: Estimates, dataset: RoutingDataset) -> Self:
        """Measure what each λ really costs on these queries, closely around the budget, and return self."""
        expected = known_costs(estimates, "a mean budget")
        actual = dataset.only(estimates.models).cost_usd
        actual = np.where(np.isnan(actual), expected, actual)

        def spent(weight: float) -> float:
            chosen = first_choice(_utility(estimates, weight), expected)
            return float(actual[np.arange(len(chosen)), chosen].mean())

        top = _decisive_weight(estimates)
        grid = [0.0, *np.geomspace(top * 1e-9, top, _SETTINGS).tolist()]
        low, high = 0.0, top
        if spent(high) <= self.usd < spent(low):
            for _ in range(_BISECTIONS):
                middle = (low + high) / 2
                low, high = (middle, high) if spent(middle) > self.usd else (low, middle)
            grid += [low, high]
        weights, costs = _descending([(weight, spent(weight)) for weight in sorted(grid)])
        state = MeanBudgetState(weights=weights, cost_usd=costs)
        _mixture(state, self.usd)
        return self.with_state(state)

    def points(self, estimates: Estimates) -> tuple[float, ...]:
        """Return 65 budgets, from the mean cost of the cheapest choices to that of the best ones."""
        costs = self.fitted(MeanBudgetState).cost_usd
        return tuple(np.linspace(costs[-1], costs[0], 65).tolist())

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return quality − λ·cost at the dearer of the two settings that are mixed, shape (n, m)."""
        state = self.fitted(MeanBudgetState)
        dear, _, _ = _mixture(state, self.usd if point is None else point)
        return _utility(estimates, dear)

    def choose(
        self,
        estimates: Estimates,
        *,
        allowed: NDArray[np.bool_] | None = None,
        point: float | None = None,
        uniforms: Callable[[], Matrix],
    ) -> Choice:
        """Choose at one of two neighbouring settings, each with the probability that spends the budget."""
        estimates = without_left_out(estimates, allowed)
        costs = known_costs(estimates, "a mean budget")
        dear, cheap, share = _mixture(self.fitted(MeanBudgetState), self.usd if point is None else point)
        scores = _utility(estimates, dear)
        first = first_choice(scores, costs, allowed)
        if share >= 1:
            return Choice(model=first, propensity=np.ones(len(first)), scores=scores)
        second = first_choice(_utility(estimates, cheap), costs, allowed)
        take = uniforms() < share
        propensity = np.where(first == second, 1.0, np.where(take, share, 1 - share))
        return Choice(model=np.where(take, first, second), propensity=propensity, scores=scores)


def _utility(estimates: Estimates, weight: float) -> Matrix:
    utility: Matrix = estimates.quality - weight * estimates.cost_usd
    return utility


def _decisive_weight(estimates: Estimates) -> float:
    """Return a λ so large that every query goes to its cheapest model, short of differences nobody could bill."""
    spread = float(np.ptp(estimates.quality, axis=1).max(initial=0.0)) + 1.0
    gaps = np.diff(np.sort(estimates.cost_usd, axis=1), axis=1)
    return spread / float(max(gaps[gaps > 0].min(initial=1.0), 1e-12))


def _descending(settings: list[tuple[float, float]]) -> tuple[Matrix, Matrix]:
    """Keep the settings, by ascending λ, that cost less than every one before."""
    kept = settings[:1]
    for weight, cost in settings[1:]:
        if cost < kept[-1][1]:
            kept.append((weight, cost))
        elif cost == kept[-1][1]:
            kept[-1] = (weight, cost) if len(kept) > 1 else kept[-1]
    return np.array([weight for weight, _ in kept]), np.array([cost for _, cost in kept])


def _mixture(state: MeanBudgetState, usd: float) -> tuple[float, float, float]:
    """Return the λ of the dearer and the cheaper setting around a budget, and the share of the dearer one."""
    costs, weights = state.cost_usd, state.weights
    if usd >= costs[0]:
        return float(weights[0]), float(weights[0]), 1.0
    if usd < costs[-1]:
        raise ConfigError(
            f"A mean budget of ${usd:g} cannot be met; the cheapest choices cost ${costs[-1]:g} per query."
        )
    i = int(np.flatnonzero(costs > usd)[-1])
    share = (usd - costs[i + 1]) / (costs[i] - costs[i + 1])
    return float(weights[i]), float(weights[i + 1]), float(share)
