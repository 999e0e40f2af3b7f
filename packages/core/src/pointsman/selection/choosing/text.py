"""Findings as a terminal shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.evaluation.tables import as_text, simple_table
from pointsman.evaluation.wording import percent, points

if TYPE_CHECKING:
    from pointsman.selection.choosing.findings import Findings, Tried

__all__ = ["findings_text"]

_UNKNOWN = "–"


def findings_text(found: Findings) -> str:
    """Return the verdict, what the router is made of, and a table of what was tried."""
    made_of = ", ".join(f"{name} {share:.2f}" for name, share in found.shares.items())
    lines = [
        found.verdict,
        "",
        f"Members: {made_of}; trust {found.trust:.2f} (slope {found.slope:.2f} ± {found.error:.2f}, less two errors).",
        f"Setting: {found.policy}.",
    ]
    if not found.familiarity:
        lines.append("Too few kinds of queries to tell a familiar one from a new one: all count as familiar.")
    if found.considered is not None:
        lines.append(found.considered.told(taken=found.cascades))
    if found.pruned:
        gone = ", ".join(f"{name} (by {by})" for name, by in found.pruned.items())
        lines.append(f"Left out, beaten in quality and cost: {gone}.")
    table = simple_table(
        f"Beside always {found.incumbent}, on held-out queries", "tried", "quality", "95 % interval", "cost"
    )
    for row in found.tried:
        table.add_row(row.name, *_cells(row))
    return "\n".join([*lines, "", as_text(table)])


def _cells(row: Tried) -> tuple[str, str, str]:
    change = _UNKNOWN if row.difference is None else points(row.difference)
    span = _UNKNOWN if row.low is None or row.high is None else f"{points(row.low)} to {points(row.high)}"
    return change, span, _UNKNOWN if row.relative_cost is None else percent(row.relative_cost)
