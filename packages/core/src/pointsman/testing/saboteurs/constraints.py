"""Saboteurs of constraints: routers that are deaf to one limit, or answer when nobody may."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pointsman.errors import NoEligibleModelError, UnknownCostError
from pointsman.testing.saboteurs.honest import NOW, HonestRouter
from pointsman.types import Constraints, Context, Decision, Query, Session

__all__ = [
    "AnswersAnyway",
    "BillsEveryone",
    "CutsTexts",
    "ForgetsToolCalls",
    "IgnoresAllowing",
    "IgnoresCooldowns",
    "IgnoresCostCaps",
    "IgnoresDenying",
    "IgnoresFloors",
    "IgnoresHaste",
    "IgnoresRequirements",
    "IgnoresStrangers",
]


def _but(query: Query, **limits: object) -> Query:
    return replace(query, constraints=replace(query.constraints, **limits))  # type: ignore[arg-type]


class IgnoresDenying(HonestRouter):
    """Does not hear whom it must not call."""

    breaks: ClassVar = ("check_denied_models_are_left_out",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide with an empty deny list."""
        return super().decide(_but(query, deny=frozenset()), context)


class IgnoresAllowing(HonestRouter):
    """Does not hear to whom it is confined."""

    breaks: ClassVar = ("check_allow_lists_are_kept_to",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide as if everyone were allowed."""
        return super().decide(_but(query, allow=None), context)


class IgnoresCooldowns(HonestRouter):
    """Calls models that need a rest."""

    breaks: ClassVar = ("check_unavailable_models_are_left_out",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide as if everyone were available."""
        return super().decide(query, replace(context, unavailable={}))


class IgnoresStrangers(HonestRouter):
    """Drops names it does not know."""

    breaks: ClassVar = ("check_unknown_names_are_refused",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide on the names that exist, or on all."""
        limits, names = query.constraints, frozenset(self.models)
        allow = (limits.allow or names) & names or None
        return super().decide(_but(query, allow=allow, deny=limits.deny & names), context)


class AnswersAnyway(HonestRouter):
    """Chooses somebody even where nobody may serve."""

    breaks: ClassVar = ("check_impossible_queries_are_refused_with_reasons",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide without limits when the limits leave nobody."""
        try:
            return super().decide(query, context)
        except NoEligibleModelError:
            return super().decide(replace(query, constraints=Constraints(), required=frozenset()), context)


class IgnoresRequirements(HonestRouter):
    """Does not ask who can do what is required."""

    breaks: ClassVar = ("check_capabilities_are_required",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide as if nothing were required."""
        return super().decide(replace(query, required=frozenset()), context)


class CutsTexts(HonestRouter):
    """Reads the first hundred characters."""

    breaks: ClassVar = ("check_context_windows_are_respected",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide on the beginning of the text."""
        return super().decide(replace(query, text=query.text[:100]), context)


class IgnoresCostCaps(HonestRouter):
    """Spends what it likes."""

    breaks: ClassVar = ("check_cost_caps_hold",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide as if there were no cap."""
        return super().decide(_but(query, max_cost_usd=None), context)


class IgnoresHaste(HonestRouter):
    """Takes its time."""

    breaks: ClassVar = ("check_latency_caps_hold",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide as if there were no hurry."""
        return super().decide(_but(query, max_latency_s=None), context)


class IgnoresFloors(HonestRouter):
    """Promises any quality."""

    breaks: ClassVar = ("check_quality_floors_are_reported",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide as if any quality would do."""
        return super().decide(_but(query, min_quality=None), context)


class ForgetsToolCalls(HonestRouter):
    """Changes the model in the middle of a tool call."""

    breaks: ClassVar = ("check_open_tool_calls_are_kept_to",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide as if every turn were the first."""
        return super().decide(query, replace(context, session=Session()))


class BillsEveryone(HonestRouter):
    """Wants to know every price before it looks who may serve."""

    breaks: ClassVar = ("check_left_out_models_need_no_price",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide once every model has a price."""
        if unpriced := [name for name, spec in self.models.items() if spec.price is None]:
            raise UnknownCostError(unpriced, "this router")
        return super().decide(query, context)
