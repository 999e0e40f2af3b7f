"""The reliability diagrams: what was expected beside what came true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pointsman.evaluation.protocols import Calibration, Diagnosis
from pointsman.report.page.drawing import Chart, Sheet
from pointsman.report.page.ink import INK
from pointsman.report.page.words import quality

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["trust"]

_QUALITY = "Quality of the chosen model"
_CONTRAST = "Its difference to the best single model"
_ACCEPTED = "Answers a cascade accepts"


def trust(found: Diagnosis, accepted: Calibration | None = None) -> Chart | None:
    """Return the chart of what is known; None for nothing.

    Of a cascade it is of the answers it accepts: what it expected before it read them is not what it went by.
    """
    panels = [(_QUALITY, found.chosen), (_CONTRAST, found.elsewhere)] if accepted is None else [(_ACCEPTED, accepted)]
    known = [(title, table) for title, table in panels if table is not None]
    if not known:
        return None

    def draw(sheet: Sheet) -> None:
        for i, (title, table) in enumerate(known):
            place = (len(known), 1, i + 1) if sheet.narrow else (1, len(known), i + 1)
            _panel(sheet, sheet.axes(*place), title, table)

    said = [
        f"{title}: expected and realised differ by {quality(table.error)} points on average over {len(table.bins)} bins"
        for title, table in known
    ]
    return Chart(
        name="trust",
        title="Expected beside realised quality",
        description="; ".join(said) + ".",
        draw=draw,
        size=(860, 330),
        narrow_size=(350, 330 * len(known)),
    )


def _panel(sheet: Sheet, axes: Axes, title: str, table: Calibration) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_title(title, loc="left", fontsize=11.5)
    axes.set_xlabel("expected, in points", color=INK["muted"])
    axes.set_ylabel("realised, in points", color=INK["muted"])
    axes.grid(axis="x", color=INK["line"], linewidth=0.8)
    left, right = _limits([100 * held.expected for held in table.bins])
    axes.plot([-200, 200], [-200, 200], color=INK["muted"], linewidth=1.1, dashes=(4, 3))
    colour = INK["router"]
    for held in table.bins:
        if held.realised is None:
            continue
        x, y = 100 * held.expected, 100 * held.realised.estimate
        axes.plot([x, x], [100 * held.realised.low, 100 * held.realised.high], color=colour, linewidth=1.6, alpha=0.45)
        mark = axes.plot([x], [y], "o", color=colour, markersize=7.5, markeredgecolor=INK["paper"])
        sheet.tip(mark[0], f"{held.count:,} queries: expected {x:.1f}, realised {y:.1f} points")
    ends = [100 * end for held in table.bins if held.realised for end in (held.realised.low, held.realised.high)]
    axes.set_xlim(left, right)
    axes.set_ylim(*_limits(ends))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.10g}".replace("-", "−")))


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Return limits that hold all values with some room."""
    room = 0.08 * ((max(values) - min(values)) or 10)
    return min(values) - room, max(values) + room
