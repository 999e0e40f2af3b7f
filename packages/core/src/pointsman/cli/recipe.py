"""Recipes: which router the options of a command describe."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pointsman.errors import ConfigError, choices

if TYPE_CHECKING:
    from pointsman.components import Component
    from pointsman.data.dataset import RoutingDataset
    from pointsman.routers.base import Router

__all__ = [
    "DEFAULT_ESTIMATOR",
    "aim",
    "default_aim",
    "every_estimator",
    "label_of",
    "learn",
    "named",
    "policy_options",
    "router_from",
]

F = TypeVar("F", bound=Callable[..., Any])
Spec = Mapping[str, Any]

DEFAULT_ESTIMATOR = "Linear"
"""What predicts where nobody says."""


def policy_options(command: F) -> F:
    """Give a command the options that say what a router should aim at."""
    policy = click.option("--policy", metavar="NAME|JSON", help="A policy by name, or with its parameters as JSON.")
    budget = click.option(
        "--budget", type=float, metavar="USD", help="Mean cost per query, in US dollars (MeanBudget)."
    )
    weight = click.option(
        "--lambda", "cost_weight", type=float, metavar="WEIGHT", help="Quality per US dollar (Utility)."
    )
    return policy(budget(weight(command)))


def aim(policy: str | None, budget: float | None, cost_weight: float | None) -> Spec | None:
    """Return the policy that at most one of the three options describes, or None."""
    if sum(option is not None for option in (policy, budget, cost_weight)) > 1:
        raise click.UsageError("Give one of --policy, --budget and --lambda.")
    if budget is not None:
        return {"type": "MeanBudget", "usd": budget}
    if cost_weight is not None:
        return {"type": "Utility", "cost_weight": cost_weight}
    if policy is None:
        return None
    from pointsman.policies.base import Policy

    return _of_kind(named(policy), Policy, "policy", "policies")


def default_aim(outcomes: RoutingDataset) -> Spec:
    """Return the policy for those who name none: the cheapest model near the best; the best one where costs are unknown."""
    unpriced = (outcomes.mean_cost_usd != outcomes.mean_cost_usd).any()
    return {"type": "Utility"} if unpriced else {"type": "NearBest"}


def router_from(estimator: str | None, policy: Spec, *, config: str | None = None) -> Router:
    """Build the router of a configuration file, or one of an estimator, by name or as JSON, and a policy."""
    from pointsman.config import build, read_config
    from pointsman.estimators.base import Estimator
    from pointsman.routers.base import Router

    if config is not None:
        spec: Spec = read_config(config)
    else:
        predicting = _of_kind(named(estimator or DEFAULT_ESTIMATOR), Estimator, "estimator", "estimators")
        spec = {"type": "EstimatedRouter", "estimator": predicting, "policy": policy}
    router = build(spec)
    if not isinstance(router, Router):
        raise ConfigError(f"{config} describes a {type(router).__name__}, not a router.")
    return router


def named(component: str) -> Spec:
    """Return the spec of a component given by its name, or as a JSON object."""
    if not component.lstrip().startswith("{"):
        return {"type": component}
    try:
        spec = json.loads(component)
    except ValueError as error:
        raise ConfigError(f"{component!r} is not valid JSON: {error}.") from None
    if not isinstance(spec, dict):
        raise ConfigError(f"{component!r} must be a JSON object with a type.")
    return spec


def every_estimator() -> tuple[str, ...]:
    """Return the names of all registered estimators that need no parameters."""
    from pointsman.config import component_class, registered
    from pointsman.estimators.base import Estimator

    classes = {name: component_class(name) for name in registered()}
    return tuple(
        name
        for name, cls in classes.items()
        if issubclass(cls, Estimator)
        and all(f.default is not MISSING or f.default_factory is not MISSING for f in fields(cls))
    )


def label_of(component: str) -> str:
    """Return a short name of a component given by its name, or as a JSON object.

    >>> label_of("Linear"), label_of('{"type": "Nearest", "k": 50}')
    ('Linear', 'Nearest(k=50)')
    """
    spec = dict(named(component))
    kind = str(spec.pop("type", "?"))
    given = (
        f"{key}={value['type'] if isinstance(value, Mapping) and 'type' in value else value}"
        for key, value in spec.items()
    )
    return f"{kind}({', '.join(given)})" if spec else kind


def _of_kind(spec: Spec, kind: type[Component], one: str, many: str) -> Spec:
    """Return a spec; one that is of another kind, or of none, raises ConfigError listing the names of this kind."""
    from pointsman.config import component_class, registered

    name = spec.get("type")
    if name in registered() and issubclass(component_class(name), kind):
        return spec
    of_kind = [known for known in registered() if issubclass(component_class(known), kind)]
    raise ConfigError(f"There is no {one} {name!r}; {many} are {choices(of_kind)}.")


def learn(router: Router, outcomes: RoutingDataset) -> Router:
    """Fit a router and return it; one that has nothing to learn comes back as it is."""
    fit = getattr(router, "fit", None)
    return router if fit is None else fit(outcomes)
