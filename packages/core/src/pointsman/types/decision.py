"""What a router decided, and what it expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

__all__ = ["Decision", "ModelEstimate"]

_empty = partial(field, default_factory=dict, hash=False)


class ModelEstimate(NamedTuple):
    """What a router expected of one model; None is unknown."""

    quality: float | None
    cost_usd: float | None
    latency_s: float | None
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which model should answer, how likely the policy was to pick it, and why.

    `ranking` starts with `model` and goes on with what to try after errors. `final` says that the answer of this call is
    shown as it comes. `excluded` maps the models left out to the reason; `degraded` lists what could not be honoured.
    """

    model: str
    ranking: tuple[str, ...]
    propensity: float = 1.0
    estimates: Mapping[str, ModelEstimate] = _empty()
    final: bool = True
    reason: str = ""
    excluded: Mapping[str, str] = _empty()
    degraded: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
