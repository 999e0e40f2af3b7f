"""Inputs: outcomes, artefacts and questions from files, arguments or stdin (`-`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pointsman.errors import ArtifactError, DataError

if TYPE_CHECKING:
    from pointsman.data.dataset import RoutingDataset
    from pointsman.models import ModelPool
    from pointsman.routers.base import Router

__all__ = [
    "FITTED_TEXTS",
    "columns_option",
    "columns_told",
    "load_router",
    "outcomes_arguments",
    "questions",
    "read_outcomes",
]

FITTED_TEXTS = "fitted_texts"
"""Where an artefact's metadata keep which texts its router was fitted on: short identifiers in one line."""

F = TypeVar("F", bound=Callable[..., Any])


def columns_option(command: F) -> F:
    """Give a command the option that renames columns, as `columns`."""
    return click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="OURS=YOURS",
        callback=lambda _context, _option, pairs: _renamings(pairs),
        help="Where your file names a column differently, such as quality=score; may be repeated.",
    )(command)


def outcomes_arguments(command: F) -> F:
    """Give a command the argument DATA and the options that say how to read it."""
    scale = click.option(
        "--scale", type=(float, float), default=None, metavar="LOW HIGH", help="Bounds of your scores, where not 0 1."
    )
    layout = click.option(
        "--format",
        "layout",
        default=None,
        metavar="NAME",
        help="Read DATA as a benchmark or an evaluation tool writes it; `pointsman formats` lists the names.",
    )
    return click.argument("data", metavar="DATA")(columns_option(scale(layout(command))))


def _renamings(pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} must have the form OURS=YOURS, such as quality=score.")
    return dict(pair.split("=", 1) for pair in pairs)


@contextmanager
def columns_told() -> Iterator[None]:
    """Say what is wrong with columns in terms of the option `--column`."""
    from pointsman.data.readers.fields import ColumnsError

    try:
        yield
    except ColumnsError as error:
        raise DataError(error.told("--column", f"--column {error.missing}=YOUR_NAME")) from None


@columns_told()
def read_outcomes(
    data: str,
    columns: Mapping[str, str] | None = None,
    scale: tuple[float, float] | None = None,
    layout: str | None = None,
    *,
    pool: ModelPool | None = None,
) -> RoutingDataset:
    """Read outcomes from a file or folder, or from stdin as JSON lines; `pool` tells more about the models."""
    from pointsman.data.dataset import RoutingDataset

    if data != "-":
        return RoutingDataset.read(data, columns=columns or None, scale=scale, pool=pool, format=layout)
    rows: list[Mapping[str, Any]] = []
    for number, line in enumerate(sys.stdin, start=1):
        if line.strip():
            rows.append(_object(line, number))
    if layout is not None:
        return RoutingDataset.from_results(rows, format=layout, columns=columns or None, scale=scale, pool=pool)
    return RoutingDataset.from_rows(rows, columns=columns or None, scale=scale, pool=pool)


def _object(line: str, number: int) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"stdin, line {number} is no valid JSON: {error}.") from None
    if not isinstance(row, dict):
        raise DataError(f"stdin, line {number} must be a JSON object, got {line.strip()!r}.")
    return row


def load_router(path: str) -> Router:
    """Read a router back from its file; another kind of component raises ArtifactError."""
    from pointsman.artifacts import load
    from pointsman.routers.base import Router

    component = load(path)
    if not isinstance(component, Router):
        raise ArtifactError(f"{path} holds a {type(component).__name__}, not a router.")
    return component


def questions(text: str | None, file: str | None) -> list[str]:
    """Return the question given, or those of a file, one a line; `-` reads stdin."""
    if (text is None) == (file is None):
        raise click.UsageError("Give either a TEXT or a --file of questions, one a line.")
    if text is not None and text != "-":
        found = [text]
    else:
        with click.open_file(file or "-", encoding="utf-8") as stream:
            found = [line.rstrip("\n") for line in stream]
    found = [line for line in found if line.strip()]
    if not found:
        raise DataError("There is no question: all lines are blank.")
    return found
