"""Recipes: which router the options of a command describe."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pointsman.errors import ConfigError

if TYPE_CHECKING:
    from pointsman.routers.base import Router

__all__ = ["DEFAULT_ESTIMATOR", "aim", "policy_options", "router_from"]

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_ESTIMATOR = "Linear"


def policy_options(command: F) -> F:
    """Give a command the options that say what a router should aim at."""
    policy = click.option(
        "--policy", metavar="NAME|JSON", help="A policy by name, or with its parameters as a JSON object with a type."
    )
    budget = click.option(
        "--budget", type=float, metavar="USD", help="What a query may cost on average, in US dollars (MeanBudget)."
    )
    weight = click.option(
        "--lambda", "cost_weight", type=float, metavar="WEIGHT", help="Quality that a dollar is worth (Utility)."
    )
    return policy(budget(weight(command)))


def aim(policy: str | None, budget: float | None, cost_weight: float | None) -> Mapping[str, Any]:
    """Return the policy that at most one of the three options describes; by default the best expected quality."""
    if sum(option is not None for option in (policy, budget, cost_weight)) > 1:
        raise click.UsageError("Give one of --policy, --budget and --lambda.")
    if budget is not None:
        return {"type": "MeanBudget", "usd": budget}
    if policy is not None:
        return _named(policy)
    return {"type": "Utility", "cost_weight": cost_weight or 0.0}


def router_from(estimator: str | None, config: str | None, policy: Mapping[str, Any]) -> Router:
    """Build the router of a configuration file, or one of an estimator, by name or as JSON, and a policy."""
    from pointsman.config import build, read_config
    from pointsman.routers.base import Router

    if config is not None:
        spec = read_config(config)
    else:
        spec = {"type": "EstimatedRouter", "estimator": _named(estimator or DEFAULT_ESTIMATOR), "policy": policy}
    router = build(spec)
    if not isinstance(router, Router):
        raise ConfigError(f"{config} describes a {type(router).__name__}, not a router.")
    return router


def _named(component: str) -> Mapping[str, Any]:
    if not component.lstrip().startswith("{"):
        return {"type": component}
    try:
        spec = json.loads(component)
    except ValueError as error:
        raise ConfigError(f"{component!r} is not valid JSON: {error}.") from None
    if not isinstance(spec, dict):
        raise ConfigError(f"{component!r} must be a JSON object with a type.")
    return spec
