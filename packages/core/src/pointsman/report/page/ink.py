"""Ink: the colours of the charts, as names that the page's style sheet gives a value for light, dark and paper."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["INK", "SERIES", "inked"]

INK: Mapping[str, str] = {
    "text": "#000101",
    "muted": "#000102",
    "line": "#000103",
    "paper": "#000104",
    "router": "#000105",
    "best": "#000106",
    "dot": "#000107",
    "series-1": "#000105",
    "series-2": "#000112",
    "series-3": "#000113",
    "series-4": "#000114",
    "series-5": "#000115",
    "series-6": "#000116",
    "series-7": "#000117",
    "series-8": "#000118",
}
"""What the plotting library is told: a colour of its own for every name, to be told apart in its output."""

SERIES = tuple(name for name in INK if name.startswith("series-"))
"""Colours for several methods in one chart, apart for colour-blind eyes too."""

_NAMES = {colour: name for name, colour in reversed(tuple(INK.items()))}


def inked(svg: str) -> str:
    """Put the style sheet's variables in the place of the colours of a drawing.

    >>> inked('<path style="stroke: #000101"/>')
    '<path style="stroke: var(--text)"/>'
    """
    for colour, name in _NAMES.items():
        svg = svg.replace(colour, f"var(--{name})")
    return svg
