"""The learning curve: two gains over the number of queries that were learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pointsman.evaluation.protocols import LearningCurve
from pointsman.metrics import Interval
from pointsman.report.page.drawing import Chart, Sheet
from pointsman.report.page.ink import INK
from pointsman.report.page.words import ends, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["growth"]

_QUALITY = "Quality gained over the best single model"
_AIQ = "Curve’s mean height gained over the Zero router"

Gains = list[tuple[float, Interval | None, tuple[float | None, ...]]]


def growth(curve: LearningCurve) -> Chart | None:
    """Return the chart; None for fewer than two sizes."""
    points = curve.points
    panels: list[tuple[str, Gains]] = [
        (_QUALITY, [(p.queries, p.difference, p.differences) for p in points]),
        (_AIQ, [(p.queries, p.aiq_gain, p.aiq_gains) for p in points]),
    ]
    known = [(title, gains) for title, gains in panels if sum(found is not None for _, found, _ in gains) > 1]
    if not known:
        return None

    def draw(sheet: Sheet) -> None:
        for i, (title, gains) in enumerate(known):
            place = (len(known), 1, i + 1) if sheet.narrow else (1, len(known), i + 1)
            _panel(sheet, sheet.axes(*place), title, gains)

    said = [f"{title}: {_said(gains)}" for title, gains in known]
    return Chart(
        name="growth",
        title="Learning curve",
        description="; ".join(said) + ".",
        draw=draw,
        size=(860, 290),
        narrow_size=(350, 265 * len(known) + 20),
    )


def _said(gains: Gains) -> str:
    return ", ".join(
        f"{signed(found)} points from {rows:,.0f} queries" for rows, found, _ in gains if found is not None
    )


def _panel(sheet: Sheet, axes: Axes, title: str, gains: Gains) -> None:
    colour = INK["router"]
    known = [(rows, found) for rows, found, _ in gains if found is not None]
    x = [rows for rows, _ in known]
    axes.set_title(title, loc="left", fontsize=11.5, color=INK["text"])
    axes.set_xlabel("queries to learn from", color=INK["muted"])
    axes.axhline(0, color=INK["muted"], linewidth=1.1)
    low, high = ([100 * end for end in side] for side in zip(*((f.low, f.high) for _, f in known), strict=True))
    axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    for rows, _, each in gains:
        if known_each := [value for value in each if value is not None]:
            axes.plot(
                [rows] * len(known_each),
                100 * np.array(known_each),
                "o",
                color=colour,
                markersize=3.2,
                alpha=0.5,
                mew=0,
            )
    axes.plot(x, [100 * found.estimate for _, found in known], color=colour, linewidth=2)
    for rows, found in known:
        mark = axes.plot([rows], [100 * found.estimate], "o", color=colour, markersize=7, markeredgecolor=INK["paper"])
        sheet.tip(mark[0], f"{rows:,.0f} queries to learn from: {signed(found)} points ({ends(found)})")
    _scales(axes, x)
    rows, last = known[-1]
    axes.annotate(
        signed(last),
        (rows, 100 * last.estimate),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontweight="bold",
        fontsize=12,
    )


def _scales(axes: Axes, x: Sequence[float]) -> None:
    """Mark every size on a logarithmic axis, and gains in points on the other."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(x))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlim(x[0] / 1.15, x[-1] * 1.32)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+.10g}".replace("-", "−") if value else "0"))
