"""Recipes: which router the options of a command describe, the default one where they describe none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any, Self, TypeVar

import click

from pointsman.errors import ConfigError, choices

if TYPE_CHECKING:
    from pointsman.components import Component
    from pointsman.data.dataset import RoutingDataset
    from pointsman.routers.base import Router
    from pointsman.selection.choosing.findings import Findings

__all__ = [
    "DEFAULT",
    "Recipe",
    "Spec",
    "aim",
    "every_estimator",
    "findings_of",
    "label_of",
    "learn",
    "named",
    "policy_options",
    "router_options",
]

F = TypeVar("F", bound=Callable[..., Any])
Spec = Mapping[str, Any]

DEFAULT = "AutoRouter"
"""The router of those who name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is said of the router that is wanted; None is not said.

    Parameters:
        estimator: By name, or with parameters as JSON; the name of the default router means that one.
        config: A file that describes a whole router.
        policy: The spec of a policy.
    """

    estimator: str | None = None
    config: str | None = None
    policy: Spec | None = None

    @classmethod
    def of(
        cls,
        *,
        estimator: str | None,
        config: str | None,
        policy: str | None,
        budget: float | None,
        cost_weight: float | None,
    ) -> Self:
        """Return what the options say; those that contradict each other are a UsageError."""
        chosen = aim(policy, budget, cost_weight)
        if config is not None and (estimator or chosen):
            raise click.UsageError("--config describes the whole router; leave the estimator and the policy to it.")
        return cls(estimator=estimator, config=config, policy=chosen)

    @property
    def empty(self) -> bool:
        """Whether nothing is said."""
        return self.estimator is None and self.config is None and self.policy is None

    def router(self, outcomes: RoutingDataset) -> Router:
        """Build the router; an estimator without a policy gets the one that suits the outcomes."""
        from pointsman.config import build, read_config
        from pointsman.routers.base import Router

        router = build(read_config(self.config) if self.config is not None else self._spec(outcomes))
        if not isinstance(router, Router):
            raise ConfigError(f"{self.config} describes a {type(router).__name__}, not a router.")
        return router

    def _spec(self, outcomes: RoutingDataset) -> Spec:
        from pointsman.estimators.base import Estimator

        said = named(self.estimator or DEFAULT)
        if said.get("type") == DEFAULT:
            return said if self.policy is None else {**said, "policy": self.policy}
        predicting = _of_kind(said, Estimator, "estimator", "estimators")
        policy = self.policy or _default_aim(outcomes)
        return {"type": "EstimatedRouter", "estimator": predicting, "policy": policy}


def router_options(command: F) -> F:
    """Give a command the options that describe a router, as one `recipe`."""

    @wraps(command)
    def described(
        *args: Any,
        estimator: str | None,
        config: str | None,
        policy: str | None,
        budget: float | None,
        cost_weight: float | None,
        **rest: Any,
    ) -> Any:
        said = Recipe.of(estimator=estimator, config=config, policy=policy, budget=budget, cost_weight=cost_weight)
        return command(*args, recipe=said, **rest)

    predicting = click.option(
        "--estimator",
        metavar="NAME|JSON",
        help=f"One estimator in place of {DEFAULT}'s stack: by name, or with parameters as JSON.",
    )
    whole = click.option(
        "--config", metavar="FILE", help="A whole router as TOML or JSON, in place of the other options."
    )
    return predicting(whole(policy_options(described)))  # type: ignore[return-value] # click's options keep the kind


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


def _default_aim(outcomes: RoutingDataset) -> Spec:
    """Return the policy of a single estimator: the cheapest model near the best; the best one where costs are unknown."""
    unpriced = (outcomes.mean_cost_usd != outcomes.mean_cost_usd).any()
    return {"type": "Utility"} if unpriced else {"type": "NearBest"}


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
    """Return the names of all registered estimators that need no parameters, but for the stack, which is AutoRouter's."""
    from pointsman.config import component_class, registered
    from pointsman.estimators.base import Estimator
    from pointsman.estimators.stacked import Stacked

    classes = {name: component_class(name) for name in registered()}
    return tuple(
        name
        for name, cls in classes.items()
        if issubclass(cls, Estimator)
        and not issubclass(cls, Stacked)
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


def findings_of(router: Router) -> Findings | None:
    """Return what a router found out about itself when it was fitted; None for one that looks for nothing."""
    from pointsman.selection.auto import AutoRouter

    return router.findings() if isinstance(router, AutoRouter) else None
