"""Per-call settings: what a user may put into a config's `configurable`, and what it means to the core."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from math import isfinite
from typing import Any

from langchain_core.runnables.utils import ConfigurableFieldSpec

from pointsman.errors import ConfigError, choices
from pointsman.types import UNCONSTRAINED, Constraints

__all__ = ["SPECS", "constraints_of", "operating_point_of", "session_id_of"]

_LIMITS = {
    "max_cost_usd": "The most this call may cost, in US dollars, as predicted.",
    "max_latency_s": "The longest this call may take, in seconds, as predicted.",
    "min_quality": "The least quality to expect, on the scale of the router's outcomes.",
}

SPECS: tuple[ConfigurableFieldSpec, ...] = (
    ConfigurableFieldSpec(
        id="router_model",
        annotation=str,
        name="Pinned model",
        description="The candidate that must answer; the router is not asked.",
        default=None,
    ),
    *(
        ConfigurableFieldSpec(id=key, annotation=float, name=key, description=what, default=None)
        for key, what in _LIMITS.items()
    ),
    ConfigurableFieldSpec(
        id="operating_point",
        annotation=float,
        name="Operating point",
        description="The trade-off of this call in the policy's own unit, such as its cost weight.",
        default=None,
    ),
)
"""The settings as LangChain describes them."""


def constraints_of(configurable: Mapping[str, Any], pinned: str | None, candidates: AbstractSet[str]) -> Constraints:
    """Return the hard limits of one call; `pinned`, or else the setting "router_model", leaves a single candidate.

    Raises:
        ConfigError: If a limit is not a number of at least 0, or the pinned model is no candidate.
    """
    if not pinned and not configurable:
        return UNCONSTRAINED
    pinned = pinned or configurable.get("router_model")
    if pinned is not None and pinned not in candidates:
        raise ConfigError(f"Unknown model {pinned!r}; the candidates are {choices(candidates)}.")
    limits = {key: number for key in _LIMITS if (number := _number(configurable, key, least=0)) is not None}
    if pinned is None and not limits:
        return UNCONSTRAINED
    return Constraints(
        max_cost_usd=limits.get("max_cost_usd"),
        max_latency_s=limits.get("max_latency_s"),
        min_quality=limits.get("min_quality"),
        allow=None if pinned is None else frozenset({pinned}),
    )


def operating_point_of(configurable: Mapping[str, Any]) -> float | None:
    """Return the trade-off of one call; None leaves the policy's own.

    Raises:
        ConfigError: If it is not a finite number.
    """
    return _number(configurable, "operating_point")


def session_id_of(configurable: Mapping[str, Any]) -> str | None:
    """Return the conversation a call belongs to: its "session_id", or else LangGraph's "thread_id"."""
    found = configurable.get("session_id") or configurable.get("thread_id")
    return None if found is None else str(found)


def _number(configurable: Mapping[str, Any], key: str, *, least: float | None = None) -> float | None:
    value = configurable.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ConfigError(f"configurable[{key!r}] must be a finite number, got {value!r}.")
    if least is not None and value < least:
        raise ConfigError(f"configurable[{key!r}] must be at least {least:g}, got {value!r}.")
    return float(value)
