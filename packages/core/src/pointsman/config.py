"""Components from plain data: the registry of names, building from specs, and TOML or JSON files."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np

from pointsman.components import Component, State, validated
from pointsman.errors import ConfigError, choices
from pointsman.models import ModelPool

__all__ = ["BUILTIN", "build", "component_class", "decode", "read_config", "registered"]

ENTRY_POINTS = "pointsman.components"

BUILTIN: Mapping[str, str] = {
    "Agreement": "pointsman.confidence.agreement",
    "AgreementCascade": "pointsman.routers.agreement",
    "AutoRouter": "pointsman.selection.auto",
    "Available": "pointsman.features.available",
    "BestOf": "pointsman.routers.best_of",
    "Calibrated": "pointsman.confidence.calibrated",
    "Capped": "pointsman.policies.cap",
    "Cascade": "pointsman.routers.cascade",
    "ChoiceMatch": "pointsman.confidence.matches",
    "CascadeRouter": "pointsman.routers.cascade_router",
    "Clusters": "pointsman.estimators.clusters",
    "ConformalSet": "pointsman.confidence.conformal_set",
    "Constant": "pointsman.estimators.constant",
    "Domain": "pointsman.estimators.domain",
    "Embedding": "pointsman.features.embedding",
    "EmbeddingMatch": "pointsman.confidence.meaning",
    "EqualQuality": "pointsman.policies.equal_quality",
    "EstimatedRouter": "pointsman.routers.estimated",
    "ExactMatch": "pointsman.confidence.matches",
    "Factor": "pointsman.estimators.factor",
    "FallbackRouter": "pointsman.routers.fallback",
    "FirstTokenMargin": "pointsman.confidence.margin",
    "FrugalGPT": "pointsman.routers.frugal",
    "FunctionVerifier": "pointsman.confidence.function",
    "JsonMatch": "pointsman.confidence.matches",
    "LearnedConfidence": "pointsman.confidence.learned",
    "Lexical": "pointsman.features.lexical",
    "Linear": "pointsman.estimators.linear",
    "MeanBudget": "pointsman.policies.budget",
    "MetaVerifier": "pointsman.confidence.meta_verifier",
    "ModelMatch": "pointsman.confidence.judged_match",
    "NearBest": "pointsman.policies.floor",
    "Nearest": "pointsman.estimators.nearest",
    "NormalisedMatch": "pointsman.confidence.matches",
    "NumericMatch": "pointsman.confidence.matches",
    "PatternVerifier": "pointsman.confidence.pattern",
    "QualityFloor": "pointsman.policies.floor",
    "RiskControlledCascade": "pointsman.routers.risk_controlled",
    "RoutedCascade": "pointsman.routers.routed_cascade",
    "RubricJudge": "pointsman.confidence.judge",
    "RulesRouter": "pointsman.routers.rules",
    "SchemaVerifier": "pointsman.confidence.schema",
    "SelfConsistency": "pointsman.confidence.consistency",
    "SelfVerification": "pointsman.confidence.verification",
    "SemanticEntropy": "pointsman.confidence.semantic_entropy",
    "Stacked": "pointsman.estimators.stacked",
    "Threshold": "pointsman.policies.threshold",
    "TokenEntropy": "pointsman.confidence.entropy",
    "TokenLikelihood": "pointsman.confidence.likelihood",
    "TokenUsage": "pointsman.estimators.usage",
    "ToolCallVerifier": "pointsman.confidence.tool_calls",
    "Union": "pointsman.features.union",
    "Utility": "pointsman.policies.utility",
    "Verbalised": "pointsman.confidence.verbalised",
}
"""Every component of this distribution and the module that defines it; imported only when it is named."""


@cache
def _plugins() -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def registered() -> tuple[str, ...]:
    """Return the names a configuration may use: ours, and those that installed distributions register."""
    return tuple(sorted({*BUILTIN, *_plugins()}))


def component_class(name: str) -> type[Component]:
    """Return the class of this name; an unknown name raises ConfigError listing the choices."""
    if name in BUILTIN:
        found = getattr(import_module(BUILTIN[name]), name)
    elif name in _plugins():
        found = _plugins()[name].load()
    else:
        raise ConfigError(f"Unknown component {name!r}; known are {choices(registered())}.")
    if not (isinstance(found, type) and issubclass(found, Component)):
        raise ConfigError(f"The entry point {name!r} is {found!r}, not a Component class.")
    return found


def build(spec: Mapping[str, Any], *, classes: Iterable[type[Component]] = ()) -> Component:
    """Build a component from plain data such as `{"type": "Nearest", "k": 50}`.

    Nested specs are built too; `classes` are known besides the registered ones. An unknown type, an unknown parameter or a
    bad value raises ConfigError naming it and the choices.
    """
    return _build(spec, {cls.__name__: cls for cls in classes})


def _build(spec: Mapping[str, Any], own: Mapping[str, type[Component]]) -> Component:
    if not isinstance(spec.get("type"), str):
        raise ConfigError(f'A component needs a "type", one of {choices(registered())}; got {spec!r}.')
    cls = own.get(spec["type"]) or component_class(spec["type"])
    known = {f.name for f in fields(cls)}
    given = {key: value for key, value in spec.items() if key != "type"}
    if unknown := set(given) - known:
        raise ConfigError(f"{cls.__name__} has no parameter {choices(unknown)}; it has {choices(known) or 'none'}.")
    try:
        return cls(**validated(cls, {key: _built(value, own) for key, value in given.items()}, strict=False))
    except TypeError as error:
        raise ConfigError(f"{cls.__name__}: {error}.") from None


def _built(value: Any, own: Mapping[str, type[Component]]) -> Any:
    """Build the components nested in a parameter's plain data."""
    if isinstance(value, Mapping) and "type" in value:
        return _build(value, own)
    if isinstance(value, list | tuple):
        return tuple(_built(item, own) for item in value)
    return value


def read_config(path: str | Path) -> dict[str, Any]:
    """Read a TOML or JSON file as plain data; syntax errors raise ConfigError naming the file and the place."""
    path = Path(path)
    parse = {".toml": tomllib.loads, ".json": json.loads}.get(path.suffix)
    if parse is None:
        raise ConfigError(f"{path} must end in '.json' or '.toml'.")
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not valid {path.suffix[1:].upper()}: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold a table of names and values, not a {type(content).__name__}.")
    return content


def decode(tree: Any, arrays: Mapping[str, np.ndarray], *, classes: Iterable[type[Component]] = ()) -> Any:
    """Rebuild what `components.encode` wrote; only registered components, `classes` and states can be made."""
    return _decode(tree, arrays, {cls.__name__: cls for cls in classes})


def _decode(tree: Any, arrays: Mapping[str, np.ndarray], own: Mapping[str, type[Component]]) -> Any:  # noqa: PLR0911 - a case a line
    if isinstance(tree, list):
        return tuple(_decode(item, arrays, own) for item in tree)
    if not isinstance(tree, Mapping):
        return tree
    if "$array" in tree:
        return arrays[tree["$array"]]
    if "$map" in tree:
        return {key: _decode(item, arrays, own) for key, item in tree["$map"]}
    if "$pool" in tree:
        return ModelPool.of(tree["$pool"])
    if "$component" in tree:
        return _build(tree["$component"], own).with_state(_decode(tree["state"], arrays, own))
    if "$state" in tree:
        if tree["$state"] not in State.kinds:
            raise ConfigError(f"Unknown state {tree['$state']!r}; known are {choices(State.kinds)}.")
        content = {name: _decode(item, arrays, own) for name, item in tree["fields"].items()}
        return State.kinds[tree["$state"]](**content)
    return tree
