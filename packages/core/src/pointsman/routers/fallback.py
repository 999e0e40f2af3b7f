"""FallbackRouter: when one router cannot bring an answer, the next one tries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Self

from annotated_types import Len

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import AllModelsFailedError, NoEligibleModelError
from pointsman.flow import Plan
from pointsman.models import ModelPool
from pointsman.routers.base import Router, relabel
from pointsman.routers.rules import RulesRouter
from pointsman.types import Answer, CallError, Context, Decision, Query

__all__ = ["FallbackRouter"]


class FallbackState(State):
    """The fitted parts."""

    routers: tuple[Router, ...]


class FallbackRouter(Router):
    """Follow the first router's plan; where it finds no eligible model, or all of its models fail, follow the next one's.

    Parameters:
        routers: In the order they are tried; cloned by `fit`.
    """

    routers: Annotated[tuple[Router, ...], Len(1)]

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that goes from a single model to a whole pool, and one that learns."""
        from pointsman.routers.estimated import EstimatedRouter

        alone = RulesRouter(pool=ModelPool(("medium",)), default="medium")
        return cls(routers=(alone, *RulesRouter.examples())), cls(routers=(*EstimatedRouter.examples(), alone))

    def fit(self, dataset: RoutingDataset) -> Self:
        """Fit clones of those parts that learn, and return self."""
        clones = (router.clone() for router in self.routers)
        parts = tuple(router.fit(dataset) if hasattr(router, "fit") else router for router in clones)
        return self.with_state(FallbackState(routers=parts))

    @property
    def _parts(self) -> tuple[Router, ...]:
        return self.routers if self.state_ is None else self.fitted(FallbackState).routers

    @property
    def models(self) -> ModelPool:
        """The models of all parts; the first part that describes a model counts."""
        specs = {spec.name: spec for router in reversed(self._parts) for spec in router.models.values()}
        return ModelPool(specs.values())

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Return the decision of the first part that has one."""
        reasons: dict[str, str] = {}
        for i, router, narrowed in self._able(query, context):
            try:
                return relabel(router.decide(narrowed, context), f"{i}:{type(router).__name__}")
            except NoEligibleModelError as error:
                reasons |= error.reasons
        raise NoEligibleModelError(reasons)

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Follow each part's plan until one ends in an answer; an error that nothing else can mend ends it."""
        errors: list[Exception] = []
        reasons: dict[str, str] = {}
        for _, router, narrowed in self._able(query, context):
            try:
                return (yield from router.plan(narrowed, context))
            except NoEligibleModelError as error:
                reasons |= error.reasons
            except AllModelsFailedError as error:
                errors += error.errors
            except CallError as error:
                if not error.retryable or error.emitted:
                    raise
                errors.append(error)
        raise AllModelsFailedError(errors) if errors else NoEligibleModelError(reasons)

    def _able(self, query: Query, context: Context) -> Iterator[tuple[int, Router, Query]]:
        """Yield the parts that have a model left, each with the query as it concerns that part's models only."""
        excluded, _ = self.exclusions(query, context)
        limits = query.constraints
        for i, router in enumerate(self._parts):
            names = frozenset(router.models)
            if names - excluded.keys():
                allow = None if limits.allow is None else limits.allow & names
                yield i, router, replace(query, constraints=replace(limits, allow=allow, deny=limits.deny & names))
