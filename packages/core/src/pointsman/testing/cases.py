"""Cases: a component as the checks see it: made anew, fitted, and what it does as plain data."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, runtime_checkable

import numpy as np

from pointsman.components import Component
from pointsman.confidence.base import Confidence, by_cost, prefixes
from pointsman.confidence.equivalence import Equivalence
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.errors import ConfigError, choices
from pointsman.estimators.base import Estimates, Estimator
from pointsman.features.base import Features
from pointsman.flow import drive
from pointsman.policies.base import Policy
from pointsman.routers.base import Router
from pointsman.testing.fresh import FreshProcess
from pointsman.testing.listeners import ANSWERS, Listener
from pointsman.testing.plain import numbers, told_decision
from pointsman.testing.toys import QUERIES, toy
from pointsman.types import Query

__all__ = [
    "KINDS",
    "Case",
    "ConfidenceCase",
    "EquivalenceCase",
    "EstimatorCase",
    "FeaturesCase",
    "Fits",
    "PolicyCase",
    "RouterCase",
    "blurred",
    "case_of",
    "learns",
    "learns_any_models",
    "only",
    "parts",
]

C = TypeVar("C", bound=Component)
F = TypeVar("F", bound=Callable[..., None])


@runtime_checkable
class Fits(Protocol):
    """Anything that is fitted on a dataset."""

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn and return self."""


class Case(ABC, Generic[C]):
    """One component under test; the instance given is never fitted, only its clones are.

    Parameters:
        component: The component.
        process: Where it is tried in a process of its own; several cases may share one.
    """

    kind: ClassVar[type[Component]]

    def __init__(self, component: C, process: FreshProcess | None = None) -> None:
        self.component = component
        self.process = process or FreshProcess()
        self.process.add(self)

    def __repr__(self) -> str:
        return repr(self.component)

    @property
    def learns(self) -> bool:
        """Whether fitting can change it."""
        return True

    @property
    def names_models(self) -> bool:
        """Whether its parameters name models of the toy dataset, so that it cannot be taken to others."""
        spec = json.dumps(self.component.spec())
        return any(json.dumps(name) in spec for name in toy().models)

    @property
    def classes(self) -> tuple[type[Component], ...]:
        """The classes of the component and of every component among its parameters."""
        return tuple({type(part): None for part in parts(self.component)})

    @cached_property
    def fitted(self) -> C:
        """A copy fitted on the toy dataset; the same one every time, so leave it as it is."""
        return self.trained(toy())

    def fresh(self) -> C:
        """Return an unfitted copy."""
        return self.component.clone()

    def trained(self, dataset: RoutingDataset) -> C:
        """Return a copy fitted on this dataset."""
        return self.fit(self.fresh(), dataset)

    def does(self, queries: Sequence[Query] = QUERIES) -> list[Any]:
        """Return what the component does once it is fitted on the toy dataset."""
        return self.behaviour(self.fitted, queries)

    def does_after(self, dataset: RoutingDataset) -> list[Any]:
        """Return what the component does once it is fitted on this dataset."""
        return self.behaviour(self.trained(dataset))

    @abstractmethod
    def fit(self, component: C, dataset: RoutingDataset) -> C:
        """Fit a component of this kind and return what its `fit` returns."""

    @abstractmethod
    def behaviour(self, component: C, queries: Sequence[Query] = QUERIES) -> list[Any]:
        """Return what the component does with each query, as plain data; unknown numbers are None."""


class FeaturesCase(Case[Features]):
    """A feature map: what it does is the matrix it makes."""

    kind = Features

    def fit(self, component: Features, dataset: RoutingDataset) -> Features:
        """Fit it on the dataset's queries."""
        return component.fit(dataset.queries)

    def behaviour(self, component: Features, queries: Sequence[Query] = QUERIES) -> list[Any]:
        """Return a row of numbers per query."""
        rows: list[Any] = numbers(component.transform(Queries.of(queries)))
        return rows


class EstimatorCase(Case[Estimator]):
    """An estimator: what it does is what it expects of every model."""

    kind = Estimator

    def fit(self, component: Estimator, dataset: RoutingDataset) -> Estimator:
        """Fit it on the dataset."""
        return component.fit(dataset)

    def behaviour(self, component: Estimator, queries: Sequence[Query] = QUERIES) -> list[Any]:
        """Return, per query, each model's quality, cost and latency."""
        found = component.predict(Queries.of(queries))
        latency = np.full(found.quality.shape, np.nan) if found.latency_s is None else found.latency_s
        cells = numbers(np.stack([found.quality, found.cost_usd, latency], axis=-1))
        return [dict(zip(found.models, row, strict=True)) for row in cells]


class PolicyCase(Case[Policy]):
    """A policy: what it does is what it chooses, given estimates that lean to the toy's outcomes."""

    kind = Policy

    @property
    def learns(self) -> bool:
        """Whether it has a `fit` of its own."""
        return type(self.component).fit is not Policy.fit

    def fit(self, component: Policy, dataset: RoutingDataset) -> Policy:
        """Fit it on the dataset and on estimates that lean to its outcomes."""
        data = dataset.only(sorted(dataset.models))
        return component.fit(blurred(data), data)

    def behaviour(self, component: Policy, queries: Sequence[Query] = QUERIES) -> list[Any]:
        """Return, per query, the model chosen, its propensity and every model's score."""
        n = len(queries)
        found = blurred(toy()).take(range(n))
        choice = component.choose(found, uniforms=lambda: (np.arange(n) + 0.5) / n)
        names = [found.models[i] for i in choice.model.tolist()]
        scores = [dict(zip(found.models, row, strict=True)) for row in numbers(choice.scores)]
        return [list(row) for row in zip(names, choice.propensity.tolist(), scores, strict=True)]


class ConfidenceCase(Case[Confidence]):
    """A confidence: what it does is the scores it gives the responses of one model after the other."""

    kind = Confidence

    @property
    def learns(self) -> bool:
        """Whether it has a `fit` of its own."""
        return self.component.learns

    def fit(self, component: Confidence, dataset: RoutingDataset) -> Confidence:
        """Fit it on the dataset."""
        return component.fit(dataset)

    def behaviour(self, component: Confidence, queries: Sequence[Query] = QUERIES) -> list[Any]:
        """Return, per query, the score of each response after those before it."""
        order = prefixes(by_cost(toy()))
        return [
            [
                drive(
                    component.assess(query, [Listener.response(query, name) for name in ran]),
                    lambda effect, _, query=query: Listener(query)(effect),  # type: ignore[misc]
                )
                for ran in order
            ]
            for query in queries
        ]


class EquivalenceCase(Case[Equivalence]):
    """An equivalence: what it does is how it groups some answers."""

    kind = Equivalence

    @property
    def learns(self) -> bool:
        """It never learns."""
        return False

    def fit(self, component: Equivalence, dataset: RoutingDataset) -> Equivalence:
        """Leave it as it is."""
        del dataset
        return component

    def behaviour(self, component: Equivalence, queries: Sequence[Query] = QUERIES) -> list[Any]:
        """Return, per query, the groups of a few answers."""
        return [
            list(drive(component.groups(query, ANSWERS), lambda effect, _, query=query: Listener(query)(effect)))  # type: ignore[misc]
            for query in queries
        ]


class RouterCase(Case[Router]):
    """A router: what it does is what it decides."""

    kind = Router

    @property
    def learns(self) -> bool:
        """Whether it has a `fit`."""
        return isinstance(self.component, Fits)

    def fit(self, component: Router, dataset: RoutingDataset) -> Router:
        """Fit it on the dataset if it learns at all."""
        return component.fit(dataset) if isinstance(component, Fits) else component

    def behaviour(self, component: Router, queries: Sequence[Query] = QUERIES) -> list[Any]:
        """Return the decisions."""
        return [told_decision(component.decide(query)) for query in queries]


KINDS: tuple[type[Case[Any]], ...] = (
    FeaturesCase,
    EstimatorCase,
    PolicyCase,
    ConfidenceCase,
    EquivalenceCase,
    RouterCase,
)


def case_of(component: Component, process: FreshProcess | None = None) -> Case[Any]:
    """Return the case of a component; one of a kind that has no checks raises ConfigError."""
    for made in KINDS:
        if isinstance(component, made.kind):
            return made(component, process)
    kinds = choices(made.kind.__name__ for made in KINDS)
    raise ConfigError(f"There are no checks for {type(component).__name__}; it is none of {kinds}.")


def only(applies: Callable[[Any], bool]) -> Callable[[F], F]:
    """Restrict a check to the cases of which this is true."""

    def restricting(check: F) -> F:
        check.applies = applies  # type: ignore[attr-defined]
        return check

    return restricting


def learns(case: Case[Any]) -> bool:
    """Tell whether fitting can change the component."""
    return case.learns


def learns_any_models(case: Case[Any]) -> bool:
    """Tell whether the component learns what models there are from the data."""
    return case.learns and not case.names_models


def parts(component: Component) -> Iterator[Component]:
    """Yield a component and every component among its parameters, at any depth."""
    yield component
    for value in component.params().values():
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Component):
                yield from parts(item)


def blurred(dataset: RoutingDataset) -> Estimates:
    """Return estimates that lean to the outcomes of a dataset without knowing them."""
    quality = 0.5 * dataset.mean_quality + 0.5 * np.nan_to_num(dataset.quality, nan=0.5)
    return Estimates(models=dataset.models, quality=quality, cost_usd=dataset.cost_usd, latency_s=dataset.latency_s)
