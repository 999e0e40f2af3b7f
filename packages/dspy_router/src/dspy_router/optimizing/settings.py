"""Settings: which model, or which router at which operating point, each predictor of a program uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import dspy
from dspy import BaseLM

from dspy_router.checking import Check, CheckedRouter
from dspy_router.embedding import Embedder
from dspy_router.optimizing.journal import digest
from dspy_router.routed import routed
from dspy_router.router_lm import RouterLM
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.routers.rules import RulesRouter

__all__ = ["Building", "Cascade", "Learnt", "Route", "Setting"]


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """A fitted router at an operating point; `parts` are others like it that learnt without one part of the examples each."""

    router: Router
    point: float
    parts: tuple[Router, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """Models that are asked in order, until the predictor's check accepts what one says."""

    order: tuple[str, ...]


Route: TypeAlias = str | Learnt | Cascade
"""A candidate's name, always that one; or a router; or a cascade."""


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """One way to run a program: a name for people, and a route for each predictor."""

    name: str
    routes: Mapping[str, Route]

    @classmethod
    def uniform(cls, model: str, predictors: tuple[str, ...]) -> Setting:
        """Return the setting in which one model does everything."""
        return cls(f"always {model}", dict.fromkeys(predictors, model))

    @classmethod
    def fixed(cls, models: Mapping[str, str]) -> Setting:
        """Return the setting in which each predictor has a model of its own."""
        return cls(", ".join(f"{name}: {model}" for name, model in models.items()), dict(models))

    @property
    def single(self) -> str | None:
        """The model that does everything, or None."""
        routes = set(self.routes.values())
        found = next(iter(routes)) if len(routes) == 1 else None
        return found if isinstance(found, str) else None

    @property
    def family(self) -> dict[str, Any]:
        """What settings share that differ in nothing but where their routers operate."""
        return {name: id(route.router) if isinstance(route, Learnt) else route for name, route in self.routes.items()}

    def without(self, part: int) -> Setting:
        """Return the setting with routers that learnt without one part of the examples."""
        routes = {
            name: Learnt(route.parts[part], route.point) if isinstance(route, Learnt) else route
            for name, route in self.routes.items()
        }
        return replace(self, routes=routes)

    @property
    def key(self) -> str:
        """What tells this setting from others on disk."""
        return digest({name: _told(route) for name, route in self.routes.items()})


def _told(route: Route) -> Any:
    if isinstance(route, Learnt):
        return [route.router.digest(), route.point]
    return route if isinstance(route, str) else list(route.order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """Makes programs that run at a setting: copies of a student whose predictors are routed over some candidates.

    Parameters:
        student: The program.
        pool: What is known about the candidates, among others their prices.
        on: The fields to route on: for all predictors that have them, or by predictor's name; None is all fields.
        embedders: By the names that routers ask for them.
        checks: What tells good drafts of a predictor from bad ones, by its name.
    """

    student: dspy.Module
    pool: ModelPool
    on: Mapping[str, Any] | Sequence[str] | str | None = None
    embedders: Mapping[str, Embedder] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)

    @property
    def predictors(self) -> tuple[str, ...]:
        """The names of the predictors that can be routed."""
        return tuple(name for name, _ in self.student.named_predictors())

    def program(self, setting: Setting, lms: Mapping[str, BaseLM]) -> Any:
        """Return the student's copy at this setting, with what happens when a model fails."""
        twin = routed(self.student, on=self.on)
        for name, predictor in twin.named_predictors():
            predictor.lm = self._chooser(setting.routes[name], lms)
            predictor.check = self.checks.get(name)
        return twin

    def bare(self, models: Mapping[str, str], lms: Mapping[str, BaseLM]) -> Any:
        """Return the student's copy in which each predictor has one candidate, and none to fall back on."""
        twin = routed(self.student, on=self.on)
        for name, predictor in twin.named_predictors():
            predictor.lm = lms[models[name]]
        return twin

    def _chooser(self, route: Route, lms: Mapping[str, BaseLM]) -> RouterLM:
        if isinstance(route, str):
            return RouterLM(lms, RulesRouter(pool=self.pool, default=route))
        if isinstance(route, Cascade):
            return RouterLM({name: lms[name] for name in route.order}, CheckedRouter(pool=self.pool, order=route.order))
        own = {name: lms[name] for name in route.router.models}
        return RouterLM(own, route.router, operating_point=route.point, embedders=self.embedders)
