"""A scatter plot for terminals: labelled marks, and curves in braille dots, cost to the right and quality upwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, isfinite, log10

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

__all__ = ["Curve", "Mark", "Scatter"]

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800
_LEFT = 8
_WIDEST = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One labelled point."""

    x: float
    y: float
    label: str
    style: str = ""
    symbol: str = "●"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Points to join, in order."""

    points: Sequence[tuple[float, float]]
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """A rich renderable that fills the console's width; the x axis is logarithmic, so every x must be above 0.

    Where the terminal has no Unicode, dots, marks and frame are plain ASCII.
    """

    marks: Sequence[Mark]
    curves: Sequence[Curve] = ()
    height: int = 18
    x_title: str = ""
    y_title: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw on as many columns as there are, up to a width that stays readable."""
        width = min(options.max_width, _WIDEST) - _LEFT - 2
        canvas = _Canvas(width=width, height=self.height, ascii_only=options.ascii_only)
        across, up = self._axes()
        for curve in self.curves:
            places = [(across.place(x), up.place(y)) for x, y in curve.points if x > 0 and isfinite(y)]
            canvas.line(places, curve.style)
        placed = [
            (mark, across.place(mark.x), up.place(mark.y)) for mark in self.marks if mark.x > 0 and isfinite(mark.y)
        ]
        for mark, x, y in placed:
            canvas.point(x, y, mark)
        for mark, x, y in placed:
            canvas.name(x, y, mark)
        yield from canvas.framed(across, up, self.x_title, self.y_title)

    def _axes(self) -> tuple[_Axis, _Axis]:
        points = [(mark.x, mark.y) for mark in self.marks] + [point for curve in self.curves for point in curve.points]
        known = [(log10(x), y) for x, y in points if x > 0 and isfinite(y)] or [(0.0, 0.0)]
        xs, ys = zip(*known, strict=True)
        return _Axis.around(xs, log=True), _Axis.around(ys, log=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """A range of (logarithms of) values and its ticks."""

    low: float
    high: float
    log: bool

    @classmethod
    def around(cls, values: Sequence[float], *, log: bool) -> _Axis:
        """Return an axis with a margin around the values."""
        low, high = min(values), max(values)
        margin = 0.07 * (high - low) or 0.1
        return cls(low=low - margin, high=high + margin, log=log)

    def place(self, value: float) -> float:
        """Return where a value lies, from 0 (low) to 1 (high)."""
        return ((log10(value) if self.log else value) - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> Iterator[tuple[float, str]]:
        """Yield at most so many places with their labels: round numbers."""
        values = _round_logarithms(self.low, self.high, most) if self.log else _round_numbers(self.low, self.high, most)
        for value in values:
            yield self.place(value), f"{value:.4g}" if self.log else f"{value:.2f}"


def _round_numbers(low: float, high: float, most: int) -> list[float]:
    step = 10.0 ** floor(log10(high - low))
    for factor in (0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10):
        size = step * factor
        first, last = ceil(low / size - 1e-9), floor(high / size + 1e-9)
        if last - first < most:
            return [i * size for i in range(first, last + 1)]
    return []


def _round_logarithms(low: float, high: float, most: int) -> list[float]:
    found: list[float] = []
    for digits in ((1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
        values = [d * 10.0**power for power in range(floor(low), ceil(high) + 1) for d in digits]
        found = [value for value in values if low <= log10(value) <= high]
        if len(found) <= most:
            break
    return found[:: max(1, ceil(len(found) / most))]


def _nearby(column: int) -> tuple[int, ...]:
    return (column, column + 1, column - 1, column + 2, column - 2)


@dataclass(slots=True, kw_only=True)
class _Canvas:
    """A grid of characters with a layer of braille dots below it; places run from 0 to 1 from the lower left."""

    width: int
    height: int
    ascii_only: bool
    dots: dict[tuple[int, int], int] = field(default_factory=dict)
    styles: dict[tuple[int, int], str] = field(default_factory=dict)
    letters: dict[tuple[int, int], str] = field(default_factory=dict)

    def line(self, places: Sequence[tuple[float, float]], style: str) -> None:
        """Join places by dots."""
        across, down = 2 * self.width - 1, 4 * self.height - 1
        points = [(x * across, (1 - y) * down) for x, y in places]
        for (x, y), (u, v) in zip(points, points[1:] or points, strict=False):
            steps = max(1, round(max(abs(u - x), abs(v - y))))
            for i in range(steps + 1):
                self._dot(round(x + (u - x) * i / steps), round(y + (v - y) * i / steps), style)

    def _dot(self, x: int, y: int, style: str) -> None:
        cell = (y // 4, x // 2)
        self.dots[cell] = self.dots.get(cell, 0) | _DOTS[y % 4][x % 2]
        self.styles[cell] = style

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Return the row and the column of a place."""
        return round((1 - y) * (self.height - 1)), round(x * (self.width - 1))

    def point(self, x: float, y: float, mark: Mark) -> None:
        """Put a mark on its place, or right beside one that is there already."""
        row, column = self.cell(x, y)
        free = [c for c in _nearby(column) if 0 <= c < self.width and (row, c) not in self.letters]
        symbol = "o" if self.ascii_only and not mark.symbol.isascii() else mark.symbol
        self._write((row, free[0] if free else column), symbol, mark.style)

    def name(self, x: float, y: float, mark: Mark) -> None:
        """Write a mark's label beside it: right, left, above or below, wherever there is room; an empty one nowhere."""
        row, column = self.cell(x, y)
        size = len(mark.label)
        middle = min(max(0, column - size // 2), self.width - size)
        free = [
            (r, c)
            for r, c in ((row, column + 2), (row, column - size - 1), (row - 1, middle), (row + 1, middle))
            if 0 <= r < self.height and c >= 0 and c + size <= self.width and self._free(r, c, size)
        ]
        if free:
            clear = min(free, key=lambda at: sum((at[0], at[1] + i) in self.dots for i in range(size)))
            self._write(clear, mark.label, mark.style)

    def _free(self, row: int, column: int, size: int) -> bool:
        return all((row, column + i) not in self.letters for i in range(-1, size + 1))

    def _write(self, at: tuple[int, int], text: str, style: str) -> None:
        for i, letter in enumerate(text):
            self.letters[at[0], at[1] + i] = letter
            self.styles[at[0], at[1] + i] = style

    def row(self, number: int) -> Text:
        """Return one row of the canvas."""
        text = Text()
        for column in range(self.width):
            at = (number, column)
            dots = (
                "."
                if self.ascii_only and at in self.dots
                else chr(_BRAILLE + self.dots[at])
                if at in self.dots
                else " "
            )
            text.append(self.letters.get(at, dots), style=self.styles.get(at, ""))
        return text

    def framed(self, across: _Axis, up: _Axis, x_title: str, y_title: str) -> Iterator[Text]:
        """Yield the lines of the plot with its axes."""
        side, corner, floor_line = ("|", "+", "-") if self.ascii_only else ("│", "└", "─")
        ticks = {self.cell(0, place)[0]: label for place, label in up.ticks(self.height // 3)}
        yield Text(f"{'':{_LEFT}}{y_title}", style="dim")
        for number in range(self.height):
            yield Text.assemble((f"{ticks.get(number, ''):>{_LEFT - 2}} {side} ", "dim"), self.row(number))
        labels = [" "] * (self.width + 2)
        for place, label in across.ticks(self.width // 10):
            start = min(max(0, self.cell(place, 0)[1] - len(label) // 2), self.width - len(label)) + 1
            labels[start : start + len(label)] = label
        yield Text(f"{'':{_LEFT - 1}}{corner}{floor_line * (self.width + 1)}", style="dim")
        yield Text(f"{'':{_LEFT - 0}}{''.join(labels)}".rstrip(), style="dim")
        yield Text(f"{x_title:>{self.width + _LEFT + 1}}", style="dim")
