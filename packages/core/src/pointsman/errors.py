"""Every error the library raises on purpose.

PointsmanError
├── ConfigError           a parameter, a spec or a configuration file is wrong  (also ValueError)
│   └── DataError         rows or arrays of outcomes are malformed
├── ArtifactError         a saved file is damaged, foreign or too new           (also ValueError)
├── MissingExtraError     an optional dependency is not installed               (also ImportError)
├── NotFittedError        a component is used before `fit`                      (also ValueError, AttributeError)
├── NoEligibleModelError  no model can serve the query; says why for each
├── UnknownCostError      a decision needs a price that nobody has given
├── BudgetExceededError   the ledger has no room for the next call
├── AllModelsFailedError  every model of the ranking failed; carries the errors
└── CallError             one model call failed (in `pointsman.types`, beside the usage it carries)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = [
    "AllModelsFailedError",
    "ArtifactError",
    "BudgetExceededError",
    "ConfigError",
    "DataError",
    "MissingExtraError",
    "NoEligibleModelError",
    "NotFittedError",
    "PointsmanError",
    "UnknownCostError",
    "choices",
]


class PointsmanError(Exception):
    """Base class of every error in this library; `trace` is that of the run it ended, if it ended one."""

    trace: Any = None


class ConfigError(PointsmanError, ValueError):
    """A parameter, a spec or a configuration file is wrong."""


class DataError(ConfigError):
    """Outcome data are malformed; `problems` lists every one that was found."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__("\n".join([message, *(f"  {problem}" for problem in problems)]))
        self.problems = tuple(problems)


class ArtifactError(PointsmanError, ValueError):
    """A saved file is damaged, foreign or newer than this version can read."""


class MissingExtraError(PointsmanError, ImportError):
    """An optional dependency is not installed; the message names the extra."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f'{package} is not installed; run: pip install "pointsman[{extra}]"')


class NotFittedError(PointsmanError, ValueError, AttributeError):
    """The component must be fitted first."""


class NoEligibleModelError(PointsmanError):
    """No model can serve the query; `reasons` says why, model by model."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        lines = "; ".join(f"{name}: {reason}" for name, reason in sorted(reasons.items()))
        super().__init__(f"No model can serve this query ({lines or 'the pool is empty'}).")
        self.reasons = dict(reasons)


class UnknownCostError(PointsmanError):
    """A cost is needed for these models, and is unknown."""

    def __init__(self, models: Iterable[str], purpose: str) -> None:
        names = ", ".join(sorted(models))
        super().__init__(f"The cost of {names} is unknown, and {purpose} needs it; give the models a price.")


class BudgetExceededError(PointsmanError):
    """The budget has no room for the next call."""


class AllModelsFailedError(PointsmanError):
    """Every model that could be tried failed; `errors` holds their errors in order."""

    def __init__(self, errors: Sequence[Exception]) -> None:
        super().__init__("All models failed: " + "; ".join(map(str, errors)))
        self.errors = tuple(errors)


def choices(names: Iterable[str]) -> str:
    """Return names as a message lists them.

    >>> choices({"b", "a"})
    "'a', 'b'"
    """
    return ", ".join(map(repr, sorted(names)))
