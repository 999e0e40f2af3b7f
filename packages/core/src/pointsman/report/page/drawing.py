"""Drawing: a chart of matplotlib's as inline SVG, the same bytes every time, with tooltips and a description."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from pointsman.errors import MissingExtraError
from pointsman.report.page.ink import INK, inked

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Chart", "Sheet", "drawn", "requires_matplotlib"]

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_PER_INCH = 72  # the unit of SVG that the library draws in


def requires_matplotlib() -> None:
    """Raise MissingExtraError where matplotlib is not installed."""
    try:
        import matplotlib as mpl  # noqa: F401
    except ImportError:
        raise MissingExtraError("matplotlib", "report") from None


@dataclass(slots=True, kw_only=True)
class Sheet:
    """What a chart is drawn on: a figure, whether it is for a narrow screen, and the tooltips of its parts."""

    figure: Figure
    narrow: bool
    tips: dict[str, str] = field(default_factory=dict)

    def tip(self, artist: Artist, text: str) -> None:
        """Give a part of the drawing a tooltip."""
        name = f"tip{len(self.tips)}"
        artist.set_gid(name)
        self.tips[name] = text

    def axes(self, *place: int) -> Axes:
        """Return axes in the style of the house: open to the right and the top, with faint lines across."""
        axes = self.figure.add_subplot(*place)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(INK["line"])
        axes.grid(axis="y", color=INK["line"], linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(length=0, labelcolor=INK["muted"], pad=5)
        return axes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart: its name, what it shows in words, and how it is drawn.

    Parameters:
        name: Distinct on its page; a word.
        title: What it is, in a few words.
        description: What it shows, for those who cannot see it.
        draw: Draws it on a sheet.
        size, narrow_size: Width and height in pixels, for a wide screen and for a narrow one.
    """

    name: str
    title: str
    description: str
    draw: Callable[[Sheet], None]
    size: tuple[int, int]
    narrow_size: tuple[int, int]


def drawn(chart: Chart) -> str:
    """Return a chart as HTML: one drawing for wide screens and paper, one for narrow screens."""
    wide, narrow = (_svg(chart, narrow=narrow) for narrow in (False, True))
    return f'<div class="chart wide">{wide}</div>\n<div class="chart narrow">{narrow}</div>'


def _svg(chart: Chart, *, narrow: bool) -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    width, height = chart.narrow_size if narrow else chart.size
    name = f"{chart.name}-{'narrow' if narrow else 'wide'}"
    with _style(name):
        figure = Figure(figsize=(width / _PER_INCH, height / _PER_INCH), dpi=_PER_INCH, layout="constrained")
        figure.set_layout_engine("constrained", hspace=0.1, wspace=0.04)
        FigureCanvasSVG(figure)
        sheet = Sheet(figure=figure, narrow=narrow)
        chart.draw(sheet)
        out = StringIO()
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return inked(_inline(out.getvalue(), name, chart, sheet.tips))


@contextmanager
def _style(salt: str) -> Iterator[None]:
    from matplotlib import rc_context

    colours = dict.fromkeys(("text.color", "axes.labelcolor"), INK["text"])
    settings: Any = {
        "svg.hashsalt": salt,  # names of clips and marks follow from the drawing, not from chance
        "svg.fonttype": "none",  # text stays text, in the page's font; it is measured in a wider one
        "font.family": "DejaVu Sans",
        "font.size": 11,
        "axes.labelsize": 11,
        "axes.titlesize": 12,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "lines.solid_capstyle": "round",
        "lines.solid_joinstyle": "round",
        "axes.unicode_minus": True,
        "text.parse_math": False,  # a dollar is a dollar
        **colours,
    }
    with rc_context():
        from matplotlib import rcdefaults, rcParams

        rcdefaults()  # a user's own settings have no say in what a report looks like
        rcParams.update(settings)
        yield


def _inline(svg: str, name: str, chart: Chart, tips: dict[str, str]) -> str:
    """Return a drawing without anything but itself: no declarations, no addresses, names that are its own."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(svg)  # noqa: S314 - drawn a moment ago
    for parent in root.iter():
        for child in [part for part in parent if part.tag == f"{{{_SVG}}}metadata"]:
            parent.remove(child)
    for part in root.iter():
        if (text := tips.get(part.get("id", ""))) is not None:
            title = ET.Element(f"{{{_SVG}}}title")
            title.text = text
            part.insert(0, title)
            part.set("class", "tip")
        if (link := part.attrib.pop(f"{{{_XLINK}}}href", None)) is not None:
            part.set("href", link)
        if (style := part.get("style")) is not None and "font" in style:
            part.set("style", _unfonted(style))
        _rename(part, name)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for tag, text in (("desc", chart.description), ("title", chart.title)):
        element = ET.Element(f"{{{_SVG}}}{tag}", id=f"{name}-{tag}")
        element.text = text
        root.insert(0, element)
    text = ET.tostring(root, encoding="unicode")
    return re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)


def _rename(part: ET.Element, name: str) -> None:
    """Put the drawing's name in front of an identifier and of every reference to one."""
    if "id" in part.attrib:
        part.set("id", f"{name}-{part.get('id')}")
    if part.get("href", "").startswith("#"):
        part.set("href", f"#{name}-{part.get('href', '')[1:]}")
    for key in ("clip-path", "style"):
        if "url(#" in part.get(key, ""):
            part.set(key, part.get(key, "").replace("url(#", f"url(#{name}-"))


def _unfonted(style: str) -> str:
    """Leave the family of a font to the page, and keep its size and weight."""
    found = re.search(r"font: ([^;]*?)([\d.]+)px [^;]*", style)
    if found is None:
        return style
    weight = "font-weight: 600; " if re.search(r"bold|[6-9]00", found.group(1)) else ""
    return style.replace(found.group(0), f"{weight}font-size: {found.group(2)}px")
