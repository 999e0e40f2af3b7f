"""Saboteurs: components with one thing broken, which a check must find; a check that no saboteur fails proves nothing."""

from __future__ import annotations

from types import ModuleType

from pointsman.components import Component
from pointsman.testing.saboteurs import (
    cascades,
    choices,
    confidences,
    constraints,
    construction,
    decisions,
    equivalences,
    estimates,
    execution,
    honest,
    hygiene,
    learning,
    matrices,
    persistence,
    purity,
)

__all__ = ["HONEST", "SABOTEURS"]

_MODULES: tuple[ModuleType, ...] = (
    construction,
    purity,
    decisions,
    constraints,
    execution,
    learning,
    persistence,
    hygiene,
    estimates,
    choices,
    matrices,
    confidences,
    equivalences,
    cascades,
)

HONEST: tuple[type[Component], ...] = (
    honest.HonestFeatures,
    honest.HonestEstimator,
    honest.HonestPolicy,
    honest.HonestConfidence,
    honest.HonestEquivalence,
    honest.HonestRouter,
    honest.HonestCascade,
)
"""The components that the saboteurs are made of; they pass every check."""

SABOTEURS: tuple[type[Component], ...] = tuple(getattr(module, name) for module in _MODULES for name in module.__all__)
"""All saboteurs; `breaks` of each names the checks it must fail."""
