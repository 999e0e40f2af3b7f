"""An audit as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pointsman.evaluation.tables import as_text, simple_table
from pointsman.evaluation.wording import gain, percent, points, span, times

if TYPE_CHECKING:
    from rich.table import Table

    from pointsman.evaluation.paired import Comparison
    from pointsman.selection.audit import Audit
    from pointsman.selection.auditing.ceiling import Ceiling
    from pointsman.selection.auditing.noise import Noise
    from pointsman.selection.auditing.standings import Standing
    from pointsman.selection.auditing.trial import Trial

__all__ = ["audit_table", "audit_text"]

_UNKNOWN = "–"
_SHOWN = 12


def audit_table(audit: Audit) -> Table:
    """Return a row per model, the best first: those that matter where there are many; quality is in points."""
    rows = audit.standings
    if len(rows) > _SHOWN:
        named = {*audit.near_tied, audit.cheapest}
        rows = tuple(row for row in rows if row.dominated_by is None or row.model in named)
    hidden = len(audit.standings) - len(rows)
    title = f"{audit.queries:,} queries × {len(audit.standings)} models"
    table = simple_table(
        title + (f" ({hidden} dominated ones not shown)" if hidden else ""),
        "model",
        "quality",
        "cost $/1k",
        "best with prob.",
        "alone best",
        "dominated by",
    )
    for row in rows:
        table.add_row(row.model, *_cells(row))
    return table


def audit_text(audit: Audit) -> str:
    """Return the table, the ceiling, the trials, the notes and the advice as text."""
    lines = [as_text(audit_table(audit)), ""]
    if len(audit.near_tied) > 1:
        lines.append(f"Best single model: one of {', '.join(audit.near_tied)} ({percent(audit.level)}).")
    if audit.swap is not None:
        lines.append(f"Always {audit.swap.model} instead of {audit.best_single}: {_beside(audit.swap.beside)}.")
    if audit.ceiling is not None:
        lines += [
            *_ceiling(audit.ceiling, audit.best_single, complete=not audit.missing),
            *_noise(audit.noise, audit.best_single),
        ]
    lines += [line for trial in audit.trials for line in _trial(trial)]
    return "\n".join([*lines, *(f"Note: {note}" for note in audit.notes), "", str(audit.advice)])


def _cells(row: Standing) -> list[str]:
    quality, cost = row.quality, row.cost_usd
    return [
        _UNKNOWN
        if quality is None
        else f"{points(quality.estimate, signed=False)} "
        f"[{points(quality.low, signed=False)}, {points(quality.high, signed=False)}]",
        _UNKNOWN if cost is None else f"{1000 * cost:.3g}",
        percent(row.chance_best),
        _UNKNOWN if row.alone is None else f"{100 * row.alone:.1f} %",
        row.dominated_by or "",
    ]


def _ceiling(top: Ceiling, best: str, *, complete: bool) -> Iterator[str]:
    missed = f"{100 * top.cofailure.low:.1f} to {100 * top.cofailure.high:.1f}"
    share = f"{100 * top.cofailure.estimate:.1f} % ({100 * top.cofailure.level:g} % interval {missed})"
    what = "of queries have no right answer at all" if top.binary else "of the scale even the best answers miss"
    which = "" if complete else f" of the {top.queries:,} queries that every model answered"
    yield f"Oracle{which}: {points(top.oracle.estimate, signed=False)} points; {share} {what}."
    yield f"So no router, vote or cascade over these models gains more than {gain(top.headroom)} over {best}."


def _noise(found: Noise | None, best: str) -> Iterator[str]:
    if found is None:
        return
    left = f"{points(found.headroom)} points over {best}"
    if found.basis == "runs":
        yield (
            f"Repeated runs of {found.queries:,} queries: choosing by half of the runs and scoring the other leaves {left} "
            f"({percent(found.flips)} of outcomes differ between two runs)."
        )
    else:
        yield (
            f"Every outcome is a single run, so luck is part of the oracle. Assuming (nothing here measures it) that "
            f"{percent(found.flips)} of outcomes differ in another run, {left} would be left."
        )


def _trial(trial: Trial) -> Iterator[str]:
    what = "A router that reads the text" if trial.name == "text" else "A table of the given domains"
    yield f"{what}, out of fold: {_beside(trial.first)}."
    if trial.frugal is not None:
        yield f"  at the cheapest setting that was as good on the other queries: {_beside(trial.frugal)}."


def _beside(found: Comparison) -> str:
    change = "unknown" if found.difference is None else gain(found.difference)
    saving = found.saving
    if saving is None or found.relative_cost is None:
        return f"quality {change}"
    if saving.estimate < 0:
        return f"quality {change}, at {times(found.relative_cost.estimate)}"
    return f"quality {change}, cost saved {percent(saving.estimate)} ({span(saving, share=True)})"
