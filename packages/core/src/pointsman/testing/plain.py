"""Plain data: what components do, in lists, names and numbers that can be compared, printed and sent to another process."""

from __future__ import annotations

from typing import Any

import numpy as np

from pointsman.flow import Effect
from pointsman.types import Call, CallError, Decision, Response, Step

__all__ = ["differences", "numbers", "told_decision", "told_step"]


def numbers(array: np.ndarray) -> Any:
    """Return an array as nested lists in which an unknown number is None.

    >>> numbers(np.array([[1.0, np.nan]]))
    [[1.0, None]]
    """
    known = array.astype(object)
    known[np.isnan(array)] = None
    return known.tolist()


def told_decision(decision: Decision) -> dict[str, Any]:
    """Return a decision without its prose."""
    return {
        "model": decision.model,
        "ranking": list(decision.ranking),
        "propensity": decision.propensity,
        "estimates": {name: list(estimate) for name, estimate in sorted(decision.estimates.items())},
        "final": decision.final,
        "left out": sorted(decision.excluded),
    }


def told_step(step: Step) -> dict[str, Any]:
    """Return a step without its times."""
    return {
        "path": list(step.path),
        "effect": _told_effect(step.effect),
        "outcome": _told_outcome(step.outcome),
        "cost_usd": step.cost_usd,
    }


def _told_effect(effect: Effect) -> list[Any]:
    if isinstance(effect, Call):
        return [effect.model, effect.purpose, repr(effect.messages), dict(effect.params)]
    return [effect.embedder, list(effect.texts)]


def _told_outcome(outcome: object) -> list[Any]:
    if isinstance(outcome, Response):
        return [outcome.model, outcome.text, outcome.cost_usd]
    if isinstance(outcome, CallError):
        return [outcome.model, outcome.message, outcome.retryable, outcome.emitted, outcome.interrupted]
    return [outcome]


def differences(found: Any, expected: Any, *, tolerance: float = 0.0, at: str = "") -> list[str]:
    """Return where two pieces of plain data differ by more than the tolerance, absolute or relative.

    >>> differences({"a": [1.0, None]}, {"a": [1.0 + 1e-12, 2.0]}, tolerance=1e-9)
    ['.a.1: None, expected 2.0']
    """
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        return [
            line
            for key in expected
            for line in differences(found[key], expected[key], tolerance=tolerance, at=f"{at}.{key}")
        ]
    if isinstance(found, list | tuple) and isinstance(expected, list | tuple) and len(found) == len(expected):
        return [
            line
            for i, pair in enumerate(zip(found, expected, strict=True))
            for line in differences(*pair, tolerance=tolerance, at=f"{at}.{i}")
        ]
    if isinstance(found, float) and isinstance(expected, float):
        same = found == expected or abs(found - expected) <= tolerance * max(1.0, abs(expected))
    else:
        same = found == expected
    return [] if same else [f"{at}: {found!r}, expected {expected!r}"]
