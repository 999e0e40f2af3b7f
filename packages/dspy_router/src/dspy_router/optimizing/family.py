"""A family of settings: routers for a program's predictors that differ in nothing but the weight of cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dspy_router.optimizing.collected import Collected
from dspy_router.optimizing.crossed import Crossed, Rows
from dspy_router.optimizing.outcomes import mean
from dspy_router.optimizing.settings import Learnt, Setting

__all__ = ["Family", "Place", "Proposal"]

Models = Mapping[str, Any]
_STEPS = 33  # weights that are looked at between two


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposal:
    """A setting, and which model it has for each predictor: a name, or one for each of the n examples, shape (n,).

    A predictor of which that is not known beforehand is left out.
    """

    setting: Setting
    models: Models


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """What a predictor is routed by, which rows (r,) of the outcomes there are its own, and of which examples (r,) they are."""

    crossed: Crossed
    rows: Rows
    examples: Rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Family:
    """Routers for some predictors, while the others keep to the incumbent.

    Parameters:
        label: What it is called.
        places: How each predictor that has a router is routed.
        predictors: The names of all predictors.
        collected: What the program scored and cost.
    """

    label: str
    places: Mapping[str, Place]
    predictors: Sequence[str]
    collected: Collected
    known: dict[tuple[int, float], NDArray[np.object_]] = field(default_factory=dict)

    def at(self, weights: Sequence[float]) -> list[Proposal]:
        """Return the setting at each weight of cost, with what is chosen for examples by routers that have not seen them."""
        for crossed in {id(place.crossed): place.crossed for place in self.places.values()}.values():
            new = [weight for weight in dict.fromkeys(weights) if (id(crossed), weight) not in self.known]
            self.known.update(((id(crossed), one), names) for one, names in zip(new, crossed.unseen(new), strict=True))
        return [Proposal(setting=self._setting(weight), models=self._models(weight)) for weight in weights]

    def within(self, usd: float, weights: Sequence[float]) -> Proposal | None:
        """Return the setting that is expected to spend as much as a mean budget allows; None if none is within it.

        Args:
            usd: The budget.
            weights: Ascending weights of cost, from quality alone to cost alone.
        """
        best = None
        for _ in range(3):  # each time between two that are ever closer
            found = self.at(weights)
            i = next((i for i, one in enumerate(found) if self._cost(one) <= usd), None)
            if i is None:
                return None
            best = found[i]
            if i == 0:
                break
            low, high = weights[i - 1], weights[i]
            between = np.geomspace(low, high, _STEPS) if low else np.linspace(low, high, _STEPS)
            weights = [low, *between[1:-1].tolist(), high]
        return best

    def _cost(self, proposal: Proposal) -> float:
        return mean(self.collected.expected(proposal.models)[1])

    def _setting(self, weight: float) -> Setting:
        routes = {
            name: Learnt(place.crossed.router, weight, place.crossed.parts) for name, place in self.places.items()
        }
        others = dict.fromkeys(self.predictors, self.collected.incumbent)
        return Setting(f"{self.label}, λ = {weight:.3g}", {**others, **routes})

    def _models(self, weight: float) -> Models:
        models = {}
        for name in self.predictors:
            chosen = np.full(len(self.collected), self.collected.incumbent, dtype=object)
            if name in self.places:
                place = self.places[name]
                chosen[place.examples] = self.known[id(place.crossed), weight][place.rows]
            models[name] = chosen
        return models
