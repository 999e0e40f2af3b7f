"""Checking: a cascade whose drafts are whole predictions, each accepted or rejected by the module's own check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias

from annotated_types import Len

from pointsman.components import Tags
from pointsman.errors import ConfigError, NoEligibleModelError, choices
from pointsman.flow import Plan, ask
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.types import Answer, Call, CallError, Context, Decision, Query

__all__ = ["CHECKED", "Check", "CheckedRouter"]

Check: TypeAlias = Callable[[Mapping[str, Any], Any], bool]
"""`check(inputs, prediction)` tells whether a draft is good enough."""

CHECKED = "checked draft"
"""The purpose of a call whose prediction is checked."""


class CheckedRouter(Router):
    """Ask the models in order; a draft that the check rejects, or that fails, goes to the next, and the last one's stands.

    The check is the routed module's. What is rejected is paid for, and never shown.

    Parameters:
        pool: What is known about the models.
        order: Who is asked, the cheapest first.

    Raises:
        ConfigError: When the order names a model that is not in the pool.
    """

    tags = Tags(when=frozenset({"post-generation"}), what=frozenset({"response"}))

    pool: ModelPool
    order: Annotated[tuple[str, ...], Len(2)]

    def __post_init__(self) -> None:
        """Validate the parameters, and that every model is in the pool."""
        super().__post_init__()
        if unknown := set(self.order) - set(self.pool):
            raise ConfigError(
                f"CheckedRouter names unknown model {choices(unknown)}; the pool has {choices(self.pool)}."
            )

    @property
    def models(self) -> ModelPool:
        """The models that are asked."""
        return self.pool.restrict(self.order)

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Begin with the first model that can serve the query."""
        excluded, degraded = self.exclusions(query, context)
        ranking = tuple(name for name in self.order if name not in excluded)
        if not ranking:
            raise NoEligibleModelError(excluded)
        return Decision(
            model=ranking[0],
            ranking=ranking,
            final=len(ranking) == 1,
            reason="a draft is checked",
            excluded=excluded,
            degraded=degraded,
        )

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008 - frozen
        """Draft and have the draft checked, as long as there is another model to ask."""
        decision = self.decide(query, context)
        *drafting, last = decision.ranking
        told: list[str] = []
        for model in drafting:
            try:
                response = yield from ask(Call(model=model, purpose=CHECKED, decision=decision))
            except CallError as error:
                if not error.retryable:
                    raise
                told.append(f"; after {error}")
            else:
                return Answer.of(response, reason="the check accepted the draft" + "".join(told))
        response = yield from ask(Call(model=last, decision=decision, stream=True))
        return Answer.of(response, reason="nobody else is left to ask" + "".join(told))
