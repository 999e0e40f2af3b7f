"""Pointsman picks, for every request, the language model that should answer it.

The public names of the library, imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointsman.artifacts import load, save
    from pointsman.budgets import Budget
    from pointsman.components import Component, Tags
    from pointsman.confidence.agreement import Agreement
    from pointsman.confidence.base import Confidence
    from pointsman.confidence.calibrated import Calibrated
    from pointsman.confidence.conformal_set import ConformalSet
    from pointsman.confidence.consistency import SelfConsistency
    from pointsman.confidence.entropy import TokenEntropy
    from pointsman.confidence.equivalence import Equivalence
    from pointsman.confidence.function import FunctionVerifier
    from pointsman.confidence.judge import RubricJudge
    from pointsman.confidence.judged_match import ModelMatch
    from pointsman.confidence.learned import LearnedConfidence
    from pointsman.confidence.likelihood import TokenLikelihood
    from pointsman.confidence.margin import FirstTokenMargin
    from pointsman.confidence.matches import ChoiceMatch, ExactMatch, JsonMatch, NormalisedMatch, NumericMatch
    from pointsman.confidence.meaning import EmbeddingMatch
    from pointsman.confidence.meta_verifier import MetaVerifier
    from pointsman.confidence.pattern import PatternVerifier
    from pointsman.confidence.schema import SchemaVerifier
    from pointsman.confidence.semantic_entropy import SemanticEntropy
    from pointsman.confidence.tool_calls import ToolCallVerifier
    from pointsman.confidence.verbalised import Verbalised
    from pointsman.confidence.verification import SelfVerification
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
    from pointsman.routers.agreement import AgreementCascade
    from pointsman.routers.base import Router
    from pointsman.routers.best_of import BestOf
    from pointsman.routers.cascade import Cascade
    from pointsman.routers.cascade_router import CascadeRouter
    from pointsman.routers.estimated import EstimatedRouter
    from pointsman.routers.fallback import FallbackRouter
    from pointsman.routers.frugal import FrugalGPT
    from pointsman.routers.risk_controlled import Guarantee, RiskControlledCascade
    from pointsman.routers.routed_cascade import RoutedCascade
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
    "confidence.agreement": ("Agreement",),
    "confidence.base": ("Confidence",),
    "confidence.calibrated": ("Calibrated",),
    "confidence.conformal_set": ("ConformalSet",),
    "confidence.consistency": ("SelfConsistency",),
    "confidence.entropy": ("TokenEntropy",),
    "confidence.equivalence": ("Equivalence",),
    "confidence.function": ("FunctionVerifier",),
    "confidence.judge": ("RubricJudge",),
    "confidence.judged_match": ("ModelMatch",),
    "confidence.learned": ("LearnedConfidence",),
    "confidence.likelihood": ("TokenLikelihood",),
    "confidence.margin": ("FirstTokenMargin",),
    "confidence.matches": ("ChoiceMatch", "ExactMatch", "JsonMatch", "NormalisedMatch", "NumericMatch"),
    "confidence.meaning": ("EmbeddingMatch",),
    "confidence.meta_verifier": ("MetaVerifier",),
    "confidence.pattern": ("PatternVerifier",),
    "confidence.schema": ("SchemaVerifier",),
    "confidence.semantic_entropy": ("SemanticEntropy",),
    "confidence.tool_calls": ("ToolCallVerifier",),
    "confidence.verbalised": ("Verbalised",),
    "confidence.verification": ("SelfVerification",),
    "routers.agreement": ("AgreementCascade",),
    "routers.best_of": ("BestOf",),
    "routers.cascade": ("Cascade",),
    "routers.frugal": ("FrugalGPT",),
    "routers.risk_controlled": ("Guarantee", "RiskControlledCascade"),
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
    "routers.routed_cascade": ("RoutedCascade",),
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
    "Agreement",
    "AgreementCascade",
    "Answer",
    "AutoRouter",
    "Available",
    "BestOf",
    "Budget",
    "Calibrated",
    "Call",
    "CallError",
    "Capped",
    "Cascade",
    "CascadeRouter",
    "ChoiceMatch",
    "Clusters",
    "Component",
    "Confidence",
    "ConformalSet",
    "Constant",
    "Constraints",
    "Context",
    "Decision",
    "Dispatcher",
    "Domain",
    "Embedding",
    "EmbeddingMatch",
    "EqualQuality",
    "Equivalence",
    "EstimatedRouter",
    "Estimates",
    "Estimator",
    "ExactMatch",
    "Factor",
    "FallbackRouter",
    "Features",
    "Feedback",
    "FirstTokenMargin",
    "FrugalGPT",
    "FunctionVerifier",
    "Guarantee",
    "JsonMatch",
    "LearnedConfidence",
    "Lexical",
    "Linear",
    "MeanBudget",
    "Message",
    "MetaVerifier",
    "ModelMatch",
    "ModelPool",
    "ModelSpec",
    "NearBest",
    "Nearest",
    "NormalisedMatch",
    "NumericMatch",
    "PatternVerifier",
    "Policy",
    "Price",
    "QualityFloor",
    "Queries",
    "Query",
    "Response",
    "Retry",
    "RiskControlledCascade",
    "RoutedCascade",
    "Router",
    "RoutingDataset",
    "RubricJudge",
    "Rule",
    "RulesRouter",
    "SchemaVerifier",
    "SelfConsistency",
    "SelfVerification",
    "SemanticEntropy",
    "Stacked",
    "Tags",
    "Threshold",
    "TokenEntropy",
    "TokenLikelihood",
    "TokenUsage",
    "ToolCallVerifier",
    "Trace",
    "Union",
    "Usage",
    "Utility",
    "Verbalised",
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
