"""Scorers by name, as commands and configurations choose them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pointsman.errors import ConfigError, choices
from pointsman.probing.scoring.base import Scorer
from pointsman.probing.scoring.function import Function
from pointsman.probing.scoring.json_schema import JsonSchema
from pointsman.probing.scoring.judge import Judge
from pointsman.probing.scoring.matching import Contains, Exact, Regex
from pointsman.probing.scoring.numeric import Numeric

__all__ = ["SCORERS", "scorer_of"]

SCORERS: Mapping[str, type[Scorer]] = {
    "contains": Contains,
    "exact": Exact,
    "function": Function,
    "json_schema": JsonSchema,
    "judge": Judge,
    "numeric": Numeric,
    "regex": Regex,
}
"""Every scorer by the name it is chosen by."""


def scorer_of(spec: str | Mapping[str, Any] | Scorer) -> Scorer:
    """Return the scorer that a name, a "module:function" or plain data such as `{"type": "regex", "pattern": "..."}` means.

    Raises:
        ConfigError: On an unknown name, an unknown or missing parameter, or a bad value; it lists the choices.

    >>> scorer_of("exact"), scorer_of({"type": "numeric", "tolerance": 0.01})
    (Exact(), Numeric(tolerance=0.01))
    """
    if isinstance(spec, Scorer):
        return spec
    if isinstance(spec, str):
        spec = {"type": "function", "function": spec} if ":" in spec else {"type": spec}
    name = spec.get("type")
    if not isinstance(name, str) or name not in SCORERS:
        raise ConfigError(f"Unknown scorer {name!r}; known are {choices(SCORERS)}, and 'module:function' for your own.")
    return _built(SCORERS[name], {key: value for key, value in spec.items() if key != "type"})


def _built(kind: type[Scorer], given: Mapping[str, Any]) -> Scorer:
    """Validate parameters against the scorer's annotations and make it."""
    from pydantic import TypeAdapter, ValidationError

    known = {f.name for f in fields(kind)}
    if unknown := set(given) - known:
        raise ConfigError(f"{kind.__name__} has no parameter {choices(unknown)}; it has {choices(known) or 'none'}.")
    try:
        return TypeAdapter(kind).validate_python(dict(given))
    except ValidationError as error:
        raise ConfigError("; ".join(_told(kind.__name__, problem) for problem in error.errors())) from None


def _told(name: str, problem: Any) -> str:
    """Return a problem in the scorer's own words where it has some, else as a value that does not fit its place."""
    own = problem.get("ctx", {}).get("error")
    return (
        str(own) if isinstance(own, ConfigError) else f"{name}.{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    )
