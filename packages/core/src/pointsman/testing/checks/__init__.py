"""Checks: one fact each, which every component of a kind must satisfy; the kind is that of the check's parameter."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

from pointsman.testing.checks import (
    cascades,
    choices,
    confidences,
    constraints,
    construction,
    decisions,
    equivalences,
    estimates,
    execution,
    hygiene,
    learning,
    matrices,
    persistence,
    purity,
)

__all__ = ["CHECKS", "GROUPS", "Check"]

Check: TypeAlias = Callable[[Any], None]

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

GROUPS: dict[str, tuple[Check, ...]] = {
    module.__name__.rpartition(".")[2]: tuple(getattr(module, name) for name in module.__all__) for module in _MODULES
}
"""The checks of each group."""

CHECKS: dict[str, Check] = {check.__name__: check for group in GROUPS.values() for check in group}
"""All checks by name."""
