"""Labels: names beside points, none over another name or mark, the important ones first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Label", "Labels", "shortened"]

_LONGEST = 30
_MARK = 5.0  # half of a mark's size, in pixels
_NEAR, _FAR = 9.0, 61.0
_LINE_PENALTY = 3.0

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name for the point (x, y); where it `must` be shown and there is no room beside the point, a line leads to it."""

    x: float
    y: float
    text: str
    colour: str
    must: bool = False
    bold: bool = False
    size: float = 10.5


@dataclass(slots=True, kw_only=True, eq=False)
class Labels:
    """Places labels on axes whose limits are final.

    Parameters:
        axes: Where.
        points: All marks, in data coordinates, shape (n, 2).
        lines: Points along curves that are better left clear, shape (k, 2).
    """

    axes: Axes
    points: NDArray[np.float64]
    lines: NDArray[np.float64]

    def place(self, labels: Sequence[Label]) -> list[Label]:
        """Write every label that has room, in this order; return those that have none."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        figure = self.axes.figure
        figure.draw_without_rendering()  # type: ignore[union-attr]  # settles the layout
        renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[arg-type, no-untyped-call]
        marks, lines = self._pixels(self.points), self._pixels(self.lines)
        frame: Box = self.axes.get_window_extent(renderer).extents
        taken: list[Box] = []
        left_out = []
        for label in labels:
            weight = "bold" if label.bold else "normal"
            text = self.axes.text(0, 0, label.text, fontsize=label.size, color=label.colour, fontweight=weight)
            extent = text.get_window_extent(renderer)
            at = self._pixels(np.array([[label.x, label.y]]))[0]
            best = _best_place(at, (extent.width, extent.height), frame, taken, marks, lines, far=label.must)
            if best is None:
                text.remove()
                left_out.append(label)
                continue
            taken.append(best)
            self._write(text, best, at, label)
        return left_out

    def _pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        shape = points.reshape(-1, 2)
        return np.asarray(self.axes.transData.transform(shape)) if len(shape) else shape

    def _write(self, text: object, box: Box, at: NDArray[np.float64], label: Label) -> None:
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        x, y = self.axes.transData.inverted().transform(middle).tolist()
        text.set(position=(x, y), ha="center", va="center")  # type: ignore[attr-defined]
        nearest = (min(max(at[0], box[0]), box[2]), min(max(at[1], box[1]), box[3]))
        if np.hypot(nearest[0] - at[0], nearest[1] - at[1]) > 2 * _NEAR:
            end = self.axes.transData.inverted().transform(nearest).tolist()
            self.axes.plot([label.x, end[0]], [label.y, end[1]], color=label.colour, linewidth=0.7, zorder=2)


def _best_place(
    at: NDArray[np.float64],
    size: tuple[float, float],
    frame: Box,
    taken: Sequence[Box],
    marks: NDArray[np.float64],
    lines: NDArray[np.float64],
    *,
    far: bool,
) -> Box | None:
    """Return the least costly free box for a text of this size beside a point, or None."""
    found: tuple[float, Box] | None = None
    for cost, box in _places(at, size, far=far):
        inside = box[0] >= frame[0] and box[2] <= frame[2] and box[1] >= frame[1] and box[3] <= frame[3]
        if not inside or any(_overlap(box, other) for other in taken) or _holds(box, marks, _MARK):
            continue
        total = cost + _LINE_PENALTY * _holds(box, lines, 1.0)
        if found is None or total < found[0]:
            found = total, box
    return None if found is None else found[1]


def _places(at: NDArray[np.float64], size: tuple[float, float], *, far: bool) -> Iterator[tuple[float, Box]]:
    """Yield boxes around a point with a cost: near ones first, and the right side before the others."""
    width, height = size
    x, y = float(at[0]), float(at[1])
    for distance in np.arange(_NEAR, _FAR, 6.0) if far else (_NEAR, 13.0):
        for turn, (dx, dy) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))):
            left = x + dx * distance - (width if dx < 0 else width / 2 if dx == 0 else 0)
            low = y + dy * distance - (height if dy < 0 else height / 2 if dy == 0 else 0)
            yield float(distance) + turn, (left, low, left + width, low + height)


def _overlap(one: Box, other: Box) -> bool:
    gap = 2.0
    return one[0] < other[2] + gap and other[0] < one[2] + gap and one[1] < other[3] + gap and other[1] < one[3] + gap


def _holds(box: Box, points: NDArray[np.float64], margin: float) -> int:
    """Return how many points lie in a box or within a margin of it."""
    if not len(points):
        return 0
    x, y = points[:, 0], points[:, 1]
    within = (x > box[0] - margin) & (x < box[2] + margin) & (y > box[1] - margin) & (y < box[3] + margin)
    return int(within.sum())


def shortened(name: str, longest: int = _LONGEST) -> str:
    """Return a name with its middle left out where it is too long.

    >>> shortened("a-very-long-name-of-a-model", 11)
    'a-ver…model'
    """
    if len(name) <= longest:
        return name
    half = (longest - 1) // 2
    return f"{name[: longest - 1 - half]}…{name[-half:]}"
