"""Figures: evaluations and audits as tables that fit the terminal, as a plot, and as what is kept beside an artefact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from pointsman.cli.scatter import Mark, Scatter
    from pointsman.evaluation import Evaluation, MethodRow
    from pointsman.metrics import Interval
    from pointsman.selection import Audit
    from pointsman.selection.choosing.findings import Findings

__all__ = ["kept_figures", "plot", "points", "show_audit", "show_evaluation", "show_findings"]

_MANY = 10
_COLOURS = ("green", "cyan", "magenta", "yellow", "blue", "bright_red")


def show_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Print the methods, the plot, the verdict and the notes."""
    console.print(_table(evaluation, console))
    if (drawn := plot({"router": evaluation})) is not None:
        console.print(drawn)
        console.print("◆ the router as it is; the line joins what it reaches at other trade-offs.", style="dim")
    console.print()
    console.print(evaluation.verdict.text, style="bold", markup=False)
    for note in evaluation.notes:
        console.print(f"Note: {note}", style="dim", markup=False)


def show_findings(findings: Findings, console: Console) -> None:
    """Print what a router is made of and why, and what was tried."""
    verdict, _, rest = str(findings).partition("\n")
    console.print(verdict, style="bold", markup=False)
    console.print(rest, markup=False)


def show_audit(audit: Audit, console: Console) -> None:
    """Print the models, what they could gain together, and the advice."""
    from pointsman.cli.output import table
    from pointsman.evaluation.tables import as_text
    from pointsman.selection.auditing.text import audit_table

    full = audit_table(audit)
    rows = [
        [
            row.model,
            points(row.quality.estimate if row.quality else None),
            "–" if row.cost_usd is None else f"{1000 * row.cost_usd:.3g}",
            f"{100 * row.chance_best:.0f} %",
            row.dominated_by or "",
        ]
        for row in audit.standings
    ]
    compact = table(str(full.title), "model", "quality", "cost $/1k", "best with prob.", "dominated by", rows=rows)
    console.print(_fitting(console, full, compact))
    prose, _, advice = str(audit).removeprefix(as_text(full)).strip().rpartition("\n")
    console.print(prose, markup=False)
    console.print(advice, style="bold", markup=False)


def _fitting(console: Console, full: RenderableType, compact: RenderableType) -> RenderableType:
    """Return the full table where the terminal is wide enough for it."""
    from rich.measure import Measurement

    needed = Measurement.get(console, console.options.update(max_width=1000), full).maximum
    return full if needed <= console.width else compact


def _table(evaluation: Evaluation, console: Console) -> RenderableType:
    from pointsman.cli.output import table
    from pointsman.evaluation.tables import evaluation_table

    rows = [
        [
            row.name,
            points(row.quality.estimate if row.quality else None),
            "–" if row.cost_usd is None else f"{1000 * row.cost_usd:.3g}",
            _ratio(row),
            _difference(row.own.difference if row.own else None),
        ]
        for row in evaluation.rows
        if _told_apart(row, evaluation)
    ]
    title = f"{evaluation.queries:,} test queries, best single model: {evaluation.best_single}"
    compact = table(title, "method", "quality", "cost $/1k", "× best", "vs best single", rows=rows)
    return _fitting(console, evaluation_table(evaluation), compact)


def points(quality: float | None) -> str:
    """Write a quality in points, a hundredth of the scale each.

    >>> points(0.951), points(None)
    ('95.1', '–')
    """
    return "–" if quality is None else f"{100 * quality:.1f}"


def _ratio(row: MethodRow) -> str:
    known = row.own is not None and row.own.relative_cost is not None
    return f"{row.own.relative_cost.estimate:.2f}" if known else "–"  # type: ignore[union-attr]


def _difference(found: Interval | None) -> str:
    if found is None:
        return "–"
    return f"{100 * found.estimate:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]".replace("-", "−")


def plot(evaluations: Mapping[str, Evaluation], letters: Mapping[str, str] | None = None) -> Scatter | None:
    """Return quality over cost: each router's curve and own setting, and the baselines of the first; None without costs.

    Routers are marked by their `letters` where there are any, by their names otherwise.
    """
    from pointsman.cli.scatter import Curve, Scatter

    first = next(iter(evaluations.values()))
    marks = [mark for row in first.rows[1:] if (mark := _baseline(row, first)) is not None]
    curves = []
    for i, (name, evaluation) in enumerate(evaluations.items()):
        colour = _COLOURS[i % len(_COLOURS)]
        curves.append(Curve(points=[(1000 * cost, q) for cost, q in evaluation.curves.get("router", ())], style=colour))
        label, symbol = (name, "◆") if letters is None else ("", letters[name])
        if (mark := _mark(evaluation.router, label, f"bold {colour}", symbol)) is not None:
            marks.append(mark)
    if len(marks) < 2:  # noqa: PLR2004 - one point is no picture
        return None
    return Scatter(marks=marks, curves=curves, x_title="US dollars per 1,000 queries (log scale)", y_title="quality")


def _baseline(row: MethodRow, evaluation: Evaluation) -> Mark | None:
    """Return the mark of a single model or the oracle; other baselines would only crowd the picture."""
    model = row.name.removeprefix("always ")
    if row.name == "oracle":
        return _mark(row, "oracle", "dim")
    if model == row.name:
        return None
    best = model == evaluation.best_single
    label = f"{model} (best single)" if best else model if _told_apart(row, evaluation) else ""
    return _mark(row, label, "bold" if best else "")


def _told_apart(row: MethodRow, evaluation: Evaluation) -> bool:
    """Return whether a method is named: of many models only the best and the cheapest are."""
    few = len(evaluation.models) <= _MANY
    return few or row.name.removeprefix("always ") in {row.name, evaluation.best_single, evaluation.cheapest}


def _mark(row: MethodRow, label: str, style: str, symbol: str = "●") -> Mark | None:
    from pointsman.cli.scatter import Mark

    if row.quality is None or not row.cost_usd:
        return None
    return Mark(x=1000 * row.cost_usd, y=row.quality.estimate, label=label, style=style, symbol=symbol)


def kept_figures(evaluation: Evaluation) -> dict[str, Any]:
    """Return the held-out figures that an artefact carries: the verdict, the router and what it was held against."""
    own = evaluation.router.own
    return {
        "queries": evaluation.queries,
        "best_single": evaluation.best_single,
        "verdict": evaluation.verdict.text,
        "quality_minus_best_single": _ends(own.difference if own else None),
        "cost_by_best_single": _ends(own.relative_cost if own else None),
        "methods": {
            row.name: {"quality": row.quality.estimate if row.quality else None, "cost_usd": row.cost_usd}
            for row in evaluation.rows
        },
        "notes": list(evaluation.notes),
    }


def _ends(found: Interval | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {"estimate": found.estimate, "low": found.low, "high": found.high, "level": found.level}
