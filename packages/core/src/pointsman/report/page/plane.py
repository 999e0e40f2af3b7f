"""The cost-quality plane: what each method costs and scores, with its interval, and what a router's settings reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10, sqrt
from typing import TYPE_CHECKING

import numpy as np

from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.report import Evaluation, MethodRow
from pointsman.report.page.drawing import Chart, Sheet
from pointsman.report.page.ink import INK, SERIES
from pointsman.report.page.labels import Label, Labels, shortened
from pointsman.report.page.words import clean, ends, per_thousand, quality, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plane"]

_NARROW_NAME = 18
_NAMED = 12  # models that are named only because there is room
_ROOM_BELOW = 0.03
_LINEAR = 3.0  # costs within this factor need no logarithm


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A point of the plane: dollars per 1,000 queries, and points."""

    x: float
    y: float


def plane(evaluations: Mapping[str, Evaluation]) -> Chart | None:
    """Return the chart of one router, or of several under their names; None where costs are unknown."""
    drawing = _Plane(evaluations)
    if not drawing.shown:
        return None
    return Chart(
        name="plane",
        title="Quality over cost",
        description=drawing.description(),
        draw=drawing.draw,
        size=(860, 540),
        narrow_size=(350, 430),
    )


class _Plane:
    """What is on the plane: the baselines of the first evaluation, and every router's own curve."""

    def __init__(self, evaluations: Mapping[str, Evaluation]) -> None:
        self.evaluations = evaluations
        self.first = next(iter(evaluations.values()))
        zero = next((row for row in self.first.rows if row.name == "zero router"), None)
        self.telling = {self.first.best_single, self.first.cheapest, *(() if zero is None else zero.shares)}
        placed = [(row, place) for row in self.first.rows[1:] if (place := _place(row)) is not None]
        floor_ = min((place.y for row, place in placed if self._model(row) in self.telling), default=0.0)
        routers = [place for e in evaluations.values() if (place := _place(e.router)) is not None]
        low = min([floor_, *(place.y for place in routers)]) - 100 * _ROOM_BELOW
        self.shown = [(row, place) for row, place in placed if place.y >= low] if routers else []
        self.below = len(placed) - len(self.shown)

    def _model(self, row: MethodRow) -> str:
        return row.name.removeprefix("always ")

    def description(self) -> str:
        """Say what is to be seen."""
        parts = [
            f"{name}: {quality(_estimate(e.router))} points at {per_thousand(e.router.cost_usd)} per 1,000 queries"
            for name, e in self.evaluations.items()
        ]
        best = self.first.row(f"always {self.first.best_single}")
        parts.append(
            f"best single model, {clean(self.first.best_single)}: {quality(_estimate(best))} points at "
            f"{per_thousand(best.cost_usd)}"
        )
        if self.below:
            parts.append(f"{self.below} weaker models lie below the frame")
        return "; ".join(parts) + "."

    def draw(self, sheet: Sheet) -> None:
        """Draw baselines, then routers, then names."""
        axes = sheet.axes(1, 1, 1)
        axes.set_xlabel("US dollars per 1,000 queries")
        axes.set_title("quality, in points", loc="left", color=INK["muted"], fontsize=11)
        wishes, lines = self._baselines(sheet, axes)
        marks = [place for _, place in self.shown]
        for i, (name, evaluation) in enumerate(self.evaluations.items()):
            more, line, places = self._router(sheet, axes, name, evaluation, SERIES[i % len(SERIES)], i)
            wishes, lines, marks = more + wishes, lines + line, marks + places
        _scale(axes, [place.x for place in marks])
        low, high = min(p.y for p in marks), max(p.y for p in marks)
        axes.set_ylim(low - 0.06 * (high - low) - 0.5, high + 0.08 * (high - low) + 0.5)
        wishes = [label for label in wishes if label.must] + [label for label in wishes if not label.must][:_NAMED]
        Labels(axes=axes, points=_array(marks), lines=_dense(lines)).place(wishes)

    def _baselines(self, sheet: Sheet, axes: Axes) -> tuple[list[Label], list[list[_Place]]]:
        """Draw everything that is no router."""
        wishes: list[Label] = []
        longest = _NARROW_NAME if sheet.narrow else 30
        zero = [_Place(x=1000 * cost, y=100 * q) for cost, q in self.first.curves.get("zero router", ())]
        if len(zero) > 1:
            line = axes.plot(*_mixed(zero), color=INK["dot"], linewidth=1.3, dashes=(4, 3))
            sheet.tip(line[0], "Zero router: the best that mixing single models blindly can do")
        table = [_Place(x=1000 * cost, y=100 * q) for cost, q in self.first.curves.get("domain table", ())]
        if len(table) > 1:
            line = axes.plot(*_mixed(table), color=INK["muted"], linewidth=1.3, dashes=(1, 2))
            sheet.tip(line[0], "Domain table: the best model for each given domain")
        for row, place in self.shown:
            model = self._model(row)
            best, single = model == self.first.best_single, model != row.name
            colour = INK["best"] if best else INK["dot"] if single else INK["muted"]
            telling = model in self.telling or not single
            if telling:
                _bar(axes, row, place, colour)
            kind, size = ("o", 7.5 if best else 5) if single else ("D", 5.5)
            mark = axes.plot([place.x], [place.y], kind, color=colour, markersize=size, markeredgecolor=INK["paper"])
            sheet.tip(mark[0], _tip(row, place))
            if row.name == "zero router":
                mark[0].set_visible(False)
                continue
            name = shortened(clean(model), longest)
            label = f"{name} (best single)" if best and not sheet.narrow else name
            wishes.append(
                Label(
                    x=place.x, y=place.y, text=label, colour=colour if best else INK["muted"], must=telling, bold=best
                )
            )
        if len(zero) > 1:
            middle = _middle(zero)
            wishes.append(Label(x=middle.x, y=middle.y, text="Zero router", colour=INK["muted"], must=True))
        wishes.sort(key=lambda label: -label.y)
        return wishes, [part for part in (zero, table) if len(part) > 1]

    def _router(
        self, sheet: Sheet, axes: Axes, name: str, evaluation: Evaluation, ink: str, number: int
    ) -> tuple[list[Label], list[list[_Place]], list[_Place]]:
        """Draw one router's curve with its band, its own setting, and the one that was as good on validation data."""
        alone = len(self.evaluations) == 1
        colour, base = INK[ink], _estimate(evaluation.row(f"always {evaluation.best_single}"))
        settings = [s for s in evaluation.settings if s.cost_usd is not None and s.quality is not None]
        path = [_Place(x=1000 * (s.cost_usd or 0), y=100 * (s.quality or 0)) for s in settings]
        if alone and base is not None:
            _band(axes, settings, path, base, colour)
        dashes = (None, None) if number < 4 else (5, 2)  # noqa: PLR2004 - colours alone tell four apart
        line = axes.plot(*_mixed(path), color=colour, linewidth=2.2, dashes=dashes, zorder=3)
        sheet.tip(line[0], f"{name}: what it reaches at other settings")
        labels, places = [], list(path)
        if (own := _place(evaluation.router)) is not None:
            mark = axes.plot(
                [own.x], [own.y], "o", color=colour, markersize=11, markeredgecolor=INK["paper"], mew=1.5, zorder=5
            )
            sheet.tip(mark[0], f"{name}, as it is set: {_tip(evaluation.router, own)}")
            if alone:
                _bar(axes, evaluation.router, own, colour)
            text = "router, as set" if alone else shortened(clean(name), 22)
            labels.append(Label(x=own.x, y=own.y, text=text, colour=colour, must=True, bold=True, size=11.5))
            places.append(own)
        if alone and (frugal := evaluation.router.at_best) is not None and _differs(frugal, evaluation):
            place = _Place(x=1000 * (frugal.cost_usd or 0), y=100 * (frugal.quality or 0))
            ring = axes.plot(
                [place.x], [place.y], "o", color=INK["paper"], markersize=8, markeredgecolor=colour, mew=2, zorder=5
            )
            text = "as good on validation"
            sheet.tip(
                ring[0], f"Cheapest setting that was as good on validation data: {signed(frugal.difference)} points"
            )
            labels.append(Label(x=place.x, y=place.y, text=text, colour=colour, must=True))
            places.append(place)
        return labels, [path], places


def _differs(setting: Comparison, evaluation: Evaluation) -> bool:
    own = evaluation.router.cost_usd
    return bool(setting.cost_usd) and setting.quality is not None and own is not None and setting.cost_usd != own


def _estimate(row: MethodRow) -> float | None:
    return None if row.quality is None else row.quality.estimate


def _place(row: MethodRow) -> _Place | None:
    if row.quality is None or row.cost_usd is None:
        return None
    return _Place(x=1000 * row.cost_usd, y=100 * row.quality.estimate)


def _tip(row: MethodRow, place: _Place) -> str:
    difference = None if row.own is None else row.own.difference
    beside = "" if difference is None else f"; {signed(difference)} points beside the best single ({ends(difference)})"
    return f"{clean(row.name)}: {place.y:.1f} points at {per_thousand(row.cost_usd)} per 1,000 queries{beside}"


def _bar(axes: Axes, row: MethodRow, place: _Place, colour: str) -> None:
    """Draw the interval of a method's difference to the best single model, around its quality."""
    if row.own is None or (found := row.own.difference) is None:
        return
    low, high = (place.y + 100 * (end - found.estimate) for end in (found.low, found.high))
    axes.plot([place.x, place.x], [low, high], color=colour, linewidth=1.4, alpha=0.7, zorder=2)


def _band(axes: Axes, settings: Sequence[Comparison], path: Sequence[_Place], base: float, colour: str) -> None:
    """Draw the intervals of all settings as one band."""
    known = [(p, s.difference) for s, p in zip(settings, path, strict=True) if s.difference is not None]
    if len(known) < 2:  # noqa: PLR2004 - a band has two ends
        return
    low, high = (
        _mixed([_Place(x=place.x, y=100 * (base + end)) for (place, _), end in zip(known, side, strict=True)])
        for side in zip(*((found.low, found.high) for _, found in known), strict=True)
    )
    axes.fill_between(low[0], low[1], high[1], color=colour, alpha=0.16, linewidth=0, zorder=1)


def _scale(axes: Axes, costs: Sequence[float]) -> None:
    """Set the axis of costs: logarithmic, unless something is free or all cost about the same."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    low, high = min(costs), max(costs)
    dollars = FuncFormatter(lambda x, _: f"${x:.10g}")
    axes.xaxis.set_major_formatter(dollars)
    if low <= 0 or high < _LINEAR * low:
        room = 0.12 * ((high - low) or high or 1)
        axes.set_xlim(low - room, high + room)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        return
    axes.set_xscale("log")
    room = (high / low) ** 0.09
    axes.set_xlim(low / room, high * room)
    steps = (1, 2, 5) if high / low < 150 else (1, 3) if high / low < 1000 else (1,)  # noqa: PLR2004 - ticks with room
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps]
    axes.xaxis.set_major_locator(FixedLocator([t for t in ticks if low / room <= t <= high * room]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(dollars)  # a scale brings its own


def _middle(path: Sequence[_Place]) -> _Place:
    """Return a point in the middle of a path's longest stretch."""
    ordered = sorted(path, key=lambda place: place.x)
    pairs = list(pairwise(ordered))
    one, two = max(pairs, key=lambda pair: log10(pair[1].x / pair[0].x) if pair[0].x > 0 else 0.0)
    x = sqrt(one.x * two.x) if one.x > 0 else (one.x + two.x) / 2
    return _Place(x=x, y=one.y + (two.y - one.y) * ((x - one.x) / (two.x - one.x) if two.x > one.x else 0.5))


def _array(places: Sequence[_Place]) -> np.ndarray:
    return np.array([[p.x, p.y] for p in places], dtype=np.float64).reshape(-1, 2)


def _mixed(path: Sequence[_Place]) -> np.ndarray:
    """Return many (x, y) along a path, shape (2, k): mixing two points is a line in dollars, not in their logarithm."""
    points = _array(path)
    steps = np.linspace(0, 1, 33)[:, None]
    parts = [points[:1]]
    for a, b in pairwise(points):
        share = steps
        if a[0] > 0 and b[0] > a[0]:  # even steps on a logarithmic axis
            share = (a[0] * (b[0] / a[0]) ** steps - a[0]) / (b[0] - a[0])
        parts.append(a + (b - a) * share)
    return np.vstack(parts).T


def _dense(lines: Sequence[Sequence[_Place]]) -> np.ndarray:
    """Return many points along lines, shape (k, 2)."""
    parts = [_mixed(line).T for line in lines if line]
    return np.vstack(parts) if parts else np.empty((0, 2))
