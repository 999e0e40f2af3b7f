"""Tables: an evaluation as a terminal shows it."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from pointsman.evaluation.wording import points as in_points

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from pointsman.evaluation.paired import Comparison
    from pointsman.evaluation.report import Evaluation, MethodRow
    from pointsman.metrics import Interval

__all__ = ["as_text", "evaluation_table", "evaluation_text", "interval_cell", "simple_table"]

_UNKNOWN = "–"
_WIDTH = 240  # a table takes only the width it needs
_COLUMNS = ("method", "quality", "cost $/1k", "× best", "vs best single", "AIQ", "− zero router", "regret", "needless")


def evaluation_table(evaluation: Evaluation) -> Table:
    """Return a row per method: the router, the baselines, and of the single models those on the Zero router's curve.

    Quality, differences, AIQ and regret are in points; intervals are at the evaluation's level.
    """
    zero = next((row for row in evaluation.rows if row.name == "zero router"), None)
    shown = {evaluation.best_single, evaluation.cheapest, *({} if zero is None else zero.shares)}
    title = f"{evaluation.queries:,} test queries, {len(evaluation.models)} models"
    table = simple_table(title, *_COLUMNS)
    for row in evaluation.rows:
        model = row.name.removeprefix("always ")
        if model == row.name or model in shown:
            note = " (best single)" * (model == evaluation.best_single) + " (cheapest)" * (model == evaluation.cheapest)
            table.add_row(row.name + note, *_cells(row))
    return table


def evaluation_text(evaluation: Evaluation) -> str:
    """Return the table, the settings chosen on validation data, the verdict and the notes as text."""
    lines = [as_text(evaluation_table(evaluation))]
    for label, found in (("peak", evaluation.router.peak), ("as good as the best single", evaluation.router.at_best)):
        if found is not None:
            lines.append(f"{label}, by validation: {_setting(found)}")
    lines += ["", str(evaluation.verdict), *(f"Note: {note}" for note in evaluation.notes)]
    return "\n".join(lines)


def simple_table(title: str, *columns: str) -> Table:
    """Return an empty table whose first column is text and whose others are numbers; names are taken literally."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", no_wrap=bool(i), overflow="fold")
    return table


def as_text(renderable: RenderableType, *, width: int = _WIDTH) -> str:
    """Return something rich as plain text, without trailing space."""
    from rich.console import Console

    out = StringIO()
    Console(file=out, width=width, color_system=None, highlight=False, markup=False, emoji=False).print(renderable)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())


def _cells(row: MethodRow) -> list[str]:
    own, gained = row.own, row.aiq_gain
    relative = None if own is None or own.relative_cost is None else own.relative_cost.estimate
    return [
        _UNKNOWN if row.quality is None else in_points(row.quality.estimate, signed=False),
        _UNKNOWN if row.cost_usd is None else f"{1000 * row.cost_usd:.3g}",
        _UNKNOWN if relative is None else f"{relative:.2f}",
        interval_cell(None if own is None else own.difference),
        _UNKNOWN if row.aiq is None else in_points(row.aiq, signed=False),
        interval_cell(gained),
        _UNKNOWN if row.regret is None else in_points(row.regret, signed=False),
        _UNKNOWN if row.needless_strong is None else f"{100 * row.needless_strong:.0f} %",
    ]


def interval_cell(found: Interval | None) -> str:
    """Return an interval of quality in points, or a dash."""
    if found is None:
        return _UNKNOWN
    return f"{in_points(found.estimate)} [{in_points(found.low)}, {in_points(found.high)}]"


def _setting(found: Comparison) -> str:
    point = found.operating_point
    where = (
        "as it is" if point is None else f"always {point}" if isinstance(point, str) else f"operating point {point:.4g}"
    )
    cost = "unknown" if found.relative_cost is None else f"{found.relative_cost.estimate:.2f}"
    return f"{interval_cell(found.difference)} points at {cost} × the cost ({where})"
