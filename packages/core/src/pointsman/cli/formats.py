"""`pointsman formats`: which files of benchmarks and evaluation tools can be read, and what of them."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from pointsman.cli.command import Command
from pointsman.cli.output import json_option, result, table

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["formats"]


@click.command(
    cls=Command,
    short_help="List the formats that --format knows.",
    examples=(
        "pointsman formats",
        "pointsman formats langsmith",
        "pointsman audit routerbench_0shot.parquet --format routerbench",
        'pointsman audit "runs/*.csv" --format ragas --column quality=faithfulness',
    ),
)
@click.argument("name", required=False)
@json_option
def formats(*, name: str | None, as_json: bool) -> None:
    """List the formats in which outcomes are read besides the long form, or tell more about the one called NAME."""
    from pointsman.data.formats import FORMATS

    rows = [_described(own) for own in ([name] if name else sorted(FORMATS))]
    told = rows[0]["about"] if name else None
    result(rows, as_json=as_json, shown=lambda console: _show(console, rows, told))


def _described(name: str) -> dict[str, Any]:
    """Return what is known about a format; an unknown name raises ConfigError with the choices."""
    from pointsman.data.formats import FORMATS, format_named

    layout = format_named(name)
    return {
        "name": name,
        "what": FORMATS[name],
        "files": list(layout.suffixes),
        "columns": list(layout.fields),
        "names_models": layout.names_models,
        "note": layout.note,
        "about": inspect.getdoc(import_module(f"pointsman.data.formats.{name}")),
    }


def _show(console: Console, rows: list[dict[str, Any]], told: str | None) -> None:
    cells = [[row["name"], row["what"], " ".join(row["files"])] for row in rows]
    console.print(table("Formats", "name", "what it is", "files", rows=cells, words=3))
    if told is None:
        return
    paragraphs = [" ".join(part.splitlines()) for part in told.split("\n\n")]
    model = "The rows say who answered." if rows[0]["names_models"] else "A file is one model's, and named for it."
    columns = f"--column may redirect: {', '.join(rows[0]['columns'])}."
    console.print("\n\n".join([*paragraphs, model, columns]), markup=False, highlight=False)
