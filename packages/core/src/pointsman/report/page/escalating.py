"""Escalating: the table of how many calls queries take, as cells."""

from __future__ import annotations

from dataclasses import dataclass

from pointsman.evaluation.wording import points
from pointsman.report.escalation import Escalated, Escalation
from pointsman.report.page.words import UNKNOWN, clean, per_thousand, quality, share

__all__ = ["EscalatedCells", "escalated_cells", "escalation_caption"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalatedCells:
    """Queries that took as many calls, as text."""

    calls: str
    share: str
    quality: str
    cost: str
    best_quality: str
    best_cost: str
    gain: str


def escalated_cells(found: Escalation) -> list[EscalatedCells]:
    """Return a row of cells for each number of calls."""
    return [
        EscalatedCells(
            calls=f"{row.calls} call{'s' * (row.calls != 1)}",
            share=share(row.share),
            quality=quality(row.quality),
            cost=per_thousand(row.cost_usd),
            best_quality=quality(row.best_quality),
            best_cost=per_thousand(row.best_cost_usd),
            gain=_gain(row),
        )
        for row in found.rows
    ]


def escalation_caption(best_single: str) -> str:
    """Say how the table is to be read."""
    return (
        "Test queries by the calls that they took, as the router is set; quality in points, cost in dollars per 1,000 queries, "
        f"drafts and checks included. Beside them {clean(best_single, 60)} on the same queries: those that take more calls are "
        "the harder ones."
    )


def _gain(row: Escalated) -> str:
    if row.quality is None or row.best_quality is None:
        return UNKNOWN
    return points(row.quality - row.best_quality)
