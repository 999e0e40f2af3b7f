"""Evaluation: everything that was found out about a router, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pointsman.errors import ConfigError, choices
from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.plain import plain
from pointsman.metrics import Interval

__all__ = ["Evaluation", "MethodRow", "Verdict", "VerdictKind"]

VerdictKind = Literal["better", "saves", "equal", "trades", "undecided", "worse", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the figures come to.

    `kind` is "better" (a higher quality is shown), "saves" (equal quality within the margin, and cheaper), "equal" (equal
    quality, no saving shown), "trades" (worse and cheaper), "undecided" (the data cannot tell), "worse", or "unknown" (there
    is nothing to compare).
    """

    kind: VerdictKind
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """One method's figures on the test queries; None is unknown or undefined.

    Parameters:
        name: "router", "always <model>", "zero router", ...
        quality: Mean quality.
        cost_usd: Mean cost in US dollars.
        own: The method beside the best single model; None for that model itself.
        aiq: Mean height of its quality-cost curve between the costs of the cheapest and of the best single model.
        aiq_gain: That minus the Zero router's, which knows nothing of the query.
        peak: The setting of highest validation quality, on the test queries.
        at_best: The cheapest setting that reached the best single model's quality on validation, on the test queries: its
            relative cost is cost@best, its difference dq.
        regret: Mean quality that the oracle has above it.
        captured: The part of the way from the best single model to the oracle that it goes.
        entropy: Entropy of its choices in bits.
        dearest_share: Share of queries sent to the dearest model.
        needless_strong: How often it called the dearest model although a cheaper one was as good.
        shares: Share of queries that each model answered.
        unobserved, unpriced: Queries whose quality, whose cost, nobody knows.
    """

    name: str
    quality: Interval | None
    cost_usd: float | None
    own: Comparison | None
    aiq: float | None
    aiq_gain: Interval | None
    peak: Comparison | None
    at_best: Comparison | None
    regret: float | None
    captured: float | None
    entropy: float | None
    dearest_share: float | None
    needless_strong: float | None
    shares: Mapping[str, float]
    unobserved: int
    unpriced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A router beside every baseline on the same test queries.

    Parameters:
        queries, groups: How many there are, and how many of them are independent.
        models: The candidates.
        best_single, cheapest: The best and the cheapest model, chosen on other data than the test queries where there are any.
        level: Coverage of the intervals.
        margin: Quality that may be lost and still counts as equal.
        rows: The router first, then the baselines.
        curves: Each method's (cost in US dollars, quality) at its kept settings, in order of cost.
        settings: The router's kept settings beside the best single model, in order of cost.
        verdict: What this comes to.
        notes: What a reader has to know to believe the figures.
    """

    queries: int
    groups: int
    models: tuple[str, ...]
    best_single: str
    cheapest: str
    level: float
    margin: float
    rows: tuple[MethodRow, ...]
    curves: Mapping[str, tuple[tuple[float, float], ...]]
    settings: tuple[Comparison, ...]
    verdict: Verdict
    notes: tuple[str, ...]

    @property
    def router(self) -> MethodRow:
        """The router's own row."""
        return self.rows[0]

    def row(self, name: str) -> MethodRow:
        """Return the row of a method; an unknown name raises ConfigError."""
        for row in self.rows:
            if row.name == name:
                return row
        raise ConfigError(f"There is no method {name!r}; there are {choices(row.name for row in self.rows)}.")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = plain(self)
        return data

    def __str__(self) -> str:
        from pointsman.evaluation.tables import evaluation_text

        return evaluation_text(self)
