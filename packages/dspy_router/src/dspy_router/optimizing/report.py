"""The report of an optimization: what was tried, what was chosen, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dspy_router.optimizing.choosing import Candidate, Chosen
from dspy_router.optimizing.settings import Cascade, Route
from pointsman.evaluation.tables import as_text, simple_table
from pointsman.evaluation.wording import dollars, percent, points
from pointsman.metrics import Interval

__all__ = ["RouteReport", "Row", "row_of", "told_route"]

_UNKNOWN = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting beside the best single model, by routers that had not seen the examples; None is unknown.

    `difference` is in mean score with its 95 % interval, `relative_cost` the share of that model's cost.
    """

    name: str
    score: float
    cost_usd: float
    difference: Interval | None
    relative_cost: Interval | None
    on_front: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteReport:
    """What RouteOptimizer found.

    Parameters:
        objective: What was wanted.
        reference: The best single model for that, which the choice had to beat.
        chosen: The name of the setting that was chosen.
        reason: Why, in a sentence.
        rows: Every setting that was measured, the cheapest first.
        predictors: What each predictor uses now, and what its router learnt.
        learnt_from: How many examples there were.
        held_out: On how many of them the program was run at every setting.
        calls: How many calls had to be made; what was known from before is not among them.
        spent_usd: What they cost; None is unknown.
        notes: What else has to be known.
    """

    objective: str
    reference: str
    chosen: str
    reason: str
    rows: tuple[Row, ...]
    predictors: Mapping[str, str]
    learnt_from: int
    held_out: int
    calls: int
    spent_usd: float | None
    notes: tuple[str, ...] = ()

    @property
    def routes(self) -> bool:
        """Whether something else than the best single model was chosen."""
        return self.chosen != self.reference

    @property
    def front(self) -> tuple[Row, ...]:
        """The settings that no other one beats in score and cost, the cheapest first."""
        return tuple(row for row in self.rows if row.on_front)

    def __str__(self) -> str:
        table = simple_table(
            f"Beside {self.reference}, on examples that the routers had not seen",
            *("setting", "score", "difference", "95 % interval", "$/1k", "cost"),
        )
        for row in self.rows:
            marks = " (chosen)" * (row.name == self.chosen) + " *" * row.on_front
            table.add_row(row.name + marks, points(row.score, signed=False), *_cells(row))
        lines = [
            self.reason[:1].upper() + self.reason[1:] + ".",
            f"Objective: {self.objective}.",
            f"Learnt from {self.learnt_from:,} examples; every setting was run on {self.held_out:,} of them.",
            f"New calls: {self.calls:,}, for {dollars(self.spent_usd)}.",
            "",
            as_text(table),
            "* on the Pareto front: nothing else scores more for less",
            "",
            *(f"{name}: {told}" for name, told in self.predictors.items()),
            *(f"Note: {note}" for note in self.notes),
        ]
        return "\n".join(lines)


def row_of(candidate: Candidate, chosen: Chosen, front: Sequence[Candidate]) -> Row:
    """Return the row of a setting."""
    beside = candidate.beside(chosen.reference)
    return Row(
        name=candidate.setting.name,
        score=candidate.mean_score,
        cost_usd=candidate.mean_cost_usd,
        difference=beside.difference,
        relative_cost=beside.relative_cost,
        on_front=any(candidate is one for one in front),
    )


def told_route(route: Route, shares: Mapping[str, float]) -> str:
    """Return what a predictor uses, in words, with the share of the held-out inputs that goes to each model."""
    if isinstance(route, str):
        return f"always {route}"
    if isinstance(route, Cascade):
        return f"{', checked, then '.join(route.order)}"
    return "routed, " + ", ".join(f"{percent(share)} to {name}" for name, share in shares.items())


def _cells(row: Row) -> tuple[str, str, str, str]:
    change, cost = row.difference, row.relative_cost
    return (
        _UNKNOWN if change is None else points(change.estimate),
        _UNKNOWN if change is None else f"{points(change.low)} to {points(change.high)}",
        _UNKNOWN if row.cost_usd != row.cost_usd else f"{1000 * row.cost_usd:.3g}",
        _UNKNOWN if cost is None else percent(cost.estimate),
    )
