"""Saboteurs of decisions: rankings that stray, propensities that lie, ties and unknown costs that go astray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.routers.base import Decisions, uniform
from pointsman.testing.saboteurs.honest import NOW, HonestRouter
from pointsman.types import Context, Decision, ModelEstimate, Query

__all__ = [
    "DecidesManyAtOnce",
    "DoubtsSingleModels",
    "GamblesInSecret",
    "GivesNoReason",
    "InventsModels",
    "NeedsWords",
    "PrefersDearTies",
    "PrefersUnknownCosts",
    "RanksBackwards",
    "RanksEveryone",
    "StatesNoChance",
]


def _towards(decision: Decision, model: str) -> Decision:
    """Return the decision for another model of its ranking."""
    return replace(decision, model=model, ranking=(model, *(name for name in decision.ranking if name != model)))


class StatesNoChance(HonestRouter):
    """Gives its choice the propensity 0."""

    breaks: ClassVar = ("check_propensities_are_probabilities",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Return a choice that could not have been made."""
        return replace(super().decide(query, context), propensity=0.0)


class GamblesInSecret(HonestRouter):
    """Takes the second best now and then, and calls it certain."""

    breaks: ClassVar = ("check_propensities_match_frequencies",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Return the best three times in four."""
        decision = super().decide(query, context)
        return _towards(decision, decision.ranking[-1]) if uniform(1, query.id) < 0.25 else decision  # noqa: PLR2004


class RanksBackwards(HonestRouter):
    """Turns the ranking around."""

    breaks: ClassVar = ("check_rankings_start_with_the_model",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Return a ranking that ends with the choice."""
        decision = super().decide(query, context)
        return replace(decision, ranking=decision.ranking[::-1])


class RanksEveryone(HonestRouter):
    """Puts models into the ranking that may not serve the query."""

    breaks: ClassVar = ("check_rankings_are_of_eligible_models", "check_left_out_models_are_not_called")

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Return a ranking of the whole pool."""
        decision = super().decide(query, context)
        return replace(decision, ranking=tuple(dict.fromkeys((*decision.ranking, *self.models))))


class InventsModels(HonestRouter):
    """Has estimates of a model that does not exist."""

    breaks: ClassVar = ("check_estimates_are_of_the_pool",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Return estimates of one model too many."""
        decision = super().decide(query, context)
        ghost = ModelEstimate(quality=1.0, cost_usd=0.0, latency_s=0.0, score=1.0)
        return replace(decision, estimates={**decision.estimates, "ghost": ghost})


class GivesNoReason(HonestRouter):
    """Says nothing about why."""

    breaks: ClassVar = ("check_decisions_give_a_reason",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Return a decision without its reason."""
        return replace(super().decide(query, context), reason="")


class DecidesManyAtOnce(HonestRouter):
    """Decides many queries as if they were the first one."""

    breaks: ClassVar = ("check_decide_many_agrees",)

    def decide_many(self, queries: Queries | Sequence[Query], context: Context = NOW) -> Decisions:
        """Return the first decision for all."""
        made = super().decide_many(queries, context)
        return replace(made, model=np.full_like(made.model, made.model[0]))


class NeedsWords(HonestRouter):
    """Looks at the first word of every text."""

    breaks: ClassVar = ("check_unusual_texts_are_decided",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Return a decision whose reason quotes the query."""
        decision = super().decide(query, context)
        return replace(decision, reason=f"{decision.reason}: {query.text.split()[0]}")


class PrefersDearTies(HonestRouter):
    """Takes the dearest of equally good models."""

    breaks: ClassVar = ("check_ties_go_to_the_cheapest",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Return the best model, the dearest if there are several."""
        decision = super().decide(query, context)
        expected = {name: decision.estimates[name] for name in decision.ranking}
        return _towards(
            decision, max(expected, key=lambda name: (expected[name].quality or 0, expected[name].cost_usd or 0))
        )


class PrefersUnknownCosts(HonestRouter):
    """Takes an unknown cost for nothing."""

    breaks: ClassVar = ("check_unknown_costs_are_not_free",)

    def fit(self, dataset: RoutingDataset) -> PrefersUnknownCosts:
        """Fit on costs whose gaps are filled with zeros."""
        return super().fit(replace(dataset, cost_usd=np.nan_to_num(dataset.cost_usd)))


class DoubtsSingleModels(HonestRouter):
    """Claims a choice where there is none."""

    breaks: ClassVar = ("check_single_models_are_chosen",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Return a single model as if there were two."""
        decision = super().decide(query, context)
        return decision if len(self.models) > 1 else replace(decision, propensity=0.5)
