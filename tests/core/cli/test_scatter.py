"""The plot: everything stands inside the frame, right of what is cheaper and above what is worse, at any width."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pointsman.cli.scatter import Curve, Mark, Scatter

MARKS = (
    Mark(x=0.02, y=0.2, label="cheap"),
    Mark(x=0.9, y=0.9, label="dear"),
    Mark(x=0.3, y=0.95, label="router", symbol="◆"),
)


def drawn(scatter: Scatter, width: int = 80, encoding: str = "utf-8") -> list[str]:
    """Return the lines of a plot as plain text."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(file=file, width=width, color_system=None, legacy_windows=False).print(scatter)
    file.flush()
    return file.buffer.getvalue().decode(encoding).splitlines()  # type: ignore[attr-defined]


def place(lines: list[str], symbol: str) -> tuple[int, int]:
    """Return the row and column of the first such symbol."""
    return next((row, line.index(symbol)) for row, line in enumerate(lines) if symbol in line)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_every_line_fits_the_terminal(width: int) -> None:
    """No line is longer than the terminal is wide, and every label is written."""
    lines = drawn(
        Scatter(marks=MARKS, curves=[Curve(points=[(0.02, 0.2), (0.9, 0.9)])], x_title="cost", y_title="q"), width
    )
    assert max(map(len, lines)) <= width
    assert all(any(mark.label in line for line in lines) for mark in MARKS)


def test_marks_stand_in_the_order_of_their_values() -> None:
    """The better one is higher and the dearer one is further right."""
    lines = drawn(Scatter(marks=[Mark(x=1, y=0.1, label="a", symbol="+"), Mark(x=9, y=0.8, label="b", symbol="x")]))
    (low, left), (high, right) = place(lines, "+"), place(lines, "x")
    assert high < low
    assert left < right


def test_a_curve_joins_its_points() -> None:
    """A level curve leaves dots all the way from its first to its last point."""
    lines = drawn(Scatter(marks=[], curves=[Curve(points=[(1, 0.5), (100, 0.5)])]))
    dots = [char for line in lines for char in line if 0x2800 < ord(char) < 0x2900]
    assert len(dots) > 50


def test_without_unicode_it_is_ascii() -> None:
    """An ASCII terminal gets nothing but ASCII."""
    lines = drawn(Scatter(marks=MARKS, curves=[Curve(points=[(0.02, 0.2), (0.9, 0.9)])]), encoding="ascii")
    assert any("o" in line for line in lines)
    assert all(line.isascii() for line in lines)


@pytest.mark.parametrize("marks", [[], [Mark(x=1, y=0.5, label="only")], [Mark(x=0, y=float("nan"), label="unknown")]])
def test_nothing_one_thing_or_an_unknown_is_no_error(marks: list[Mark]) -> None:
    """A plot of nothing is an empty frame; what has no place on the axes is left out."""
    lines = drawn(Scatter(marks=marks))
    assert any("only" in line for line in lines) == any(mark.label == "only" for mark in marks)
    assert not any("unknown" in line for line in lines)


@given(
    st.lists(st.tuples(st.floats(1e-9, 1e6), st.floats(0, 1)), min_size=1, max_size=12),
    st.integers(40, 160),
)
def test_any_values_are_drawn_inside_the_frame(points: list[tuple[float, float]], width: int) -> None:
    """Whatever the values, no line overflows and at least one mark is seen."""
    marks = [Mark(x=x, y=y, label=f"m{i}") for i, (x, y) in enumerate(points)]
    lines = drawn(Scatter(marks=marks, curves=[Curve(points=points)]), width)
    assert max(map(len, lines)) <= width
    assert any("●" in line for line in lines)
