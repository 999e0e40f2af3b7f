"""Templates: pages are filled in by jinja2, which escapes everything that is not marked as safe."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pointsman.errors import MissingExtraError
from pointsman.report.page.drawing import Chart, drawn, requires_matplotlib
from pointsman.report.provenance import version

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["check_extra", "filled_in", "picture"]


def check_extra() -> None:
    """Raise MissingExtraError where what a page takes is not installed."""
    requires_matplotlib()
    try:
        import jinja2  # noqa: F401
    except ImportError:
        raise MissingExtraError("jinja2", "report") from None


def filled_in(template: str, **content: Any) -> str:
    """Return a page.

    Raises:
        MissingExtraError: Without jinja2.
    """
    check_extra()
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    # The style sheet is ours; nothing of the data enters it.
    page = environment.get_template(template).render(style=Markup(_source("style.css")), version=version(), **content)  # noqa: S704
    return page if page.endswith("\n") else page + "\n"


def picture(chart: Chart | None) -> Markup | None:
    """Return a chart as part of a page; what was drawn has been escaped by the library that wrote it."""
    from markupsafe import Markup

    return None if chart is None else Markup(drawn(chart))  # noqa: S704


def _source(name: str) -> str:
    return files("pointsman.report.page").joinpath("templates", name).read_text(encoding="utf-8")
