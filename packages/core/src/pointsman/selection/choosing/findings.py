"""Findings: what was tried on the outcomes, what was chosen, and why."""

from __future__ import annotations

from typing import Any

from pointsman.components import State
from pointsman.evaluation.wording import percent, points

__all__ = ["Considered", "Findings", "Tried"]


class Tried(State):
    """One way to answer, on held-out queries, beside the best single model: None is unknown.

    `difference` is in mean quality with its interval, `relative_cost` the share of that model's cost.
    """

    name: str
    difference: float | None
    low: float | None
    high: float | None
    relative_cost: float | None


class Considered(State):
    """A cascade beside choosing once: its models, and the gain in utility at equal prices with its standard error.

    `cost_ratio` is of what both spend, averaged over prices. None is unknown.
    """

    models: tuple[str, ...]
    gain: float | None
    error: float | None
    cost_ratio: float | None

    def told(self, *, taken: bool) -> str:
        """Say whether it takes over, and why."""
        names = ", ".join(self.models)
        if self.gain is None or self.error is None:
            return f"A cascade over {names} was considered, but nothing is known of how it would do."
        gain = f"{points(self.gain)} ± {points(2 * self.error, signed=False)} points"
        if taken:
            return f"A cascade over {names} takes over: at equal prices on cost it is {gain} ahead of choosing once."
        return f"A cascade over {names} was tried and is not used: at equal prices on cost it is {gain} beside choosing once."


class Findings(State):
    """What a router was made of and why.

    `trust` is what the members' differences are multiplied by, `slope` and `error` where it comes from; `familiarity` says
    whether familiar queries can be told from new ones. `tried` has the chosen setting first, then quality first where that is
    another, the members by themselves, and the cheapest model. `considered` is the cascade that was held beside it, if one was,
    and `cascades` whether it took over.
    """

    queries: int
    incumbent: str
    models: tuple[str, ...]
    pruned: dict[str, str]
    shares: dict[str, float]
    trust: float
    slope: float
    error: float
    familiarity: bool
    policy: str
    tried: tuple[Tried, ...]
    considered: Considered | None = None
    cascades: bool = False

    @property
    def acts(self) -> bool:
        """Whether any query is treated differently for what it says."""
        return self.trust > 0

    @property
    def verdict(self) -> str:
        """The findings in a sentence or two."""
        chosen = self.tried[0]
        if not self.acts:
            return (
                f"No difference between models could be told from {self.queries:,} queries, so {self.incumbent} stays the "
                f"choice wherever quality comes first, and only what is paid for quality decides elsewhere."
            )
        if chosen.difference is None or chosen.low is None or chosen.high is None:
            return f"Queries are routed; on how they do beside {self.incumbent} nothing is known."
        cost = "" if chosen.relative_cost is None else f" for {percent(chosen.relative_cost)} of its cost"
        span = f"{points(chosen.low)} to {points(chosen.high)}"
        return (
            f"Queries are routed: on held-out ones quality changes by {points(chosen.difference)} points ({span}) beside "
            f"always {self.incumbent}{cost}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        tried = [
            {
                "name": row.name,
                "difference": row.difference,
                "low": row.low,
                "high": row.high,
                "relative_cost": row.relative_cost,
            }
            for row in self.tried
        ]
        return {
            "verdict": self.verdict,
            "queries": self.queries,
            "incumbent": self.incumbent,
            "models": list(self.models),
            "pruned": dict(self.pruned),
            "shares": dict(self.shares),
            "trust": self.trust,
            "slope": self.slope,
            "error": self.error,
            "familiarity": self.familiarity,
            "policy": self.policy,
            "tried": tried,
            "cascade": None if self.considered is None else self.considered.told(taken=self.cascades),
        }

    def __str__(self) -> str:
        from pointsman.selection.choosing.text import findings_text

        return findings_text(self)
