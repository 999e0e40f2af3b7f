"""Pointsman picks, for every request, the language model that should answer it.

The public names of the library, imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointsman.artifacts import load, save
    from pointsman.budgets import Budget
    from pointsman.components import Component, Tags
    from pointsman.config import build
    from pointsman.data.dataset import RoutingDataset
    from pointsman.data.queries import Queries
    from pointsman.data.splits import grouped_split
    from pointsman.dispatch.dispatcher import Dispatcher
    from pointsman.dispatch.retry import Retry
    from pointsman.estimators.base import Estimates, Estimator
    from pointsman.estimators.clusters import Clusters
    from pointsman.estimators.constant import Constant
    from pointsman.estimators.domain import Domain
    from pointsman.estimators.factor import Factor
    from pointsman.estimators.linear import Linear
    from pointsman.estimators.nearest import Nearest
    from pointsman.estimators.stacked import Stacked
    from pointsman.estimators.usage import TokenUsage
    from pointsman.features.available import Available
    from pointsman.features.base import Features
    from pointsman.features.embedding import Embedding
    from pointsman.features.lexical import Lexical
    from pointsman.features.union import Union
    from pointsman.models import ModelPool, ModelSpec, Price
    from pointsman.policies.base import Policy
    from pointsman.policies.budget import MeanBudget
    from pointsman.policies.cap import Capped
    from pointsman.policies.equal_quality import EqualQuality
    from pointsman.policies.floor import NearBest, QualityFloor
    from pointsman.policies.threshold import Threshold
    from pointsman.policies.utility import Utility
    from pointsman.routers.base import Router
    from pointsman.routers.cascade_router import CascadeRouter
    from pointsman.routers.estimated import EstimatedRouter
    from pointsman.routers.fallback import FallbackRouter
    from pointsman.routers.rules import Rule, RulesRouter
    from pointsman.selection.auto import AutoRouter
    from pointsman.types import (
        Answer,
        Call,
        CallError,
        Constraints,
        Context,
        Decision,
        Feedback,
        Message,
        Query,
        Response,
        Trace,
        Usage,
    )

_HOMES = {
    "artifacts": ("load", "save"),
    "budgets": ("Budget",),
    "components": ("Component", "Tags"),
    "config": ("build",),
    "data.dataset": ("RoutingDataset",),
    "data.queries": ("Queries",),
    "data.splits": ("grouped_split",),
    "dispatch.dispatcher": ("Dispatcher",),
    "dispatch.retry": ("Retry",),
    "estimators.base": ("Estimates", "Estimator"),
    "estimators.clusters": ("Clusters",),
    "estimators.constant": ("Constant",),
    "estimators.domain": ("Domain",),
    "estimators.factor": ("Factor",),
    "estimators.linear": ("Linear",),
    "estimators.nearest": ("Nearest",),
    "estimators.stacked": ("Stacked",),
    "estimators.usage": ("TokenUsage",),
    "features.available": ("Available",),
    "features.base": ("Features",),
    "features.embedding": ("Embedding",),
    "features.lexical": ("Lexical",),
    "features.union": ("Union",),
    "models": ("ModelPool", "ModelSpec", "Price"),
    "policies.base": ("Policy",),
    "policies.budget": ("MeanBudget",),
    "policies.cap": ("Capped",),
    "policies.equal_quality": ("EqualQuality",),
    "policies.floor": ("NearBest", "QualityFloor"),
    "policies.threshold": ("Threshold",),
    "policies.utility": ("Utility",),
    "routers.base": ("Router",),
    "routers.cascade_router": ("CascadeRouter",),
    "routers.estimated": ("EstimatedRouter",),
    "routers.fallback": ("FallbackRouter",),
    "routers.rules": ("Rule", "RulesRouter"),
    "selection.auto": ("AutoRouter",),
    "types": (
        "Answer",
        "Call",
        "CallError",
        "Constraints",
        "Context",
        "Decision",
        "Feedback",
        "Message",
        "Query",
        "Response",
        "Trace",
        "Usage",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Answer",
    "AutoRouter",
    "Available",
    "Budget",
    "Call",
    "CallError",
    "Capped",
    "CascadeRouter",
    "Clusters",
    "Component",
    "Constant",
    "Constraints",
    "Context",
    "Decision",
    "Dispatcher",
    "Domain",
    "Embedding",
    "EqualQuality",
    "EstimatedRouter",
    "Estimates",
    "Estimator",
    "Factor",
    "FallbackRouter",
    "Features",
    "Feedback",
    "Lexical",
    "Linear",
    "MeanBudget",
    "Message",
    "ModelPool",
    "ModelSpec",
    "NearBest",
    "Nearest",
    "Policy",
    "Price",
    "QualityFloor",
    "Queries",
    "Query",
    "Response",
    "Retry",
    "Router",
    "RoutingDataset",
    "Rule",
    "RulesRouter",
    "Stacked",
    "Tags",
    "Threshold",
    "TokenUsage",
    "Trace",
    "Union",
    "Usage",
    "Utility",
    "build",
    "grouped_split",
    "load",
    "save",
]


def __getattr__(name: str) -> Any:
    """Import a public name's module when the name is first asked for."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
