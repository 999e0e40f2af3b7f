"""Output: a command's result goes to stdout, as tables or as JSON; everything else goes to stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pointsman.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = ["as_data", "check_place", "dollars", "json_option", "note", "percent", "progress", "result", "table"]

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Give a command the option `--json`, as `as_json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Write the result as JSON, and nothing else, to stdout."
    )(command)


def result(data: Any, *, as_json: bool, shown: Callable[[Console], None]) -> None:
    """Write a result: its data as JSON, or whatever `shown` prints on the console."""
    if as_json:
        click.echo(as_data(data))
        return
    from rich.console import Console

    shown(Console(highlight=False, soft_wrap=False))


def check_place(file: str) -> None:
    """Raise ConfigError when a file cannot be written for want of a folder, before any work is done for it."""
    path = Path(file)
    if path.is_dir():
        raise ConfigError(f"{file} is a folder; --out needs the name of a file.")
    if not path.parent.is_dir():
        raise ConfigError(f"{file} cannot be written: there is no folder {path.parent}.")


def note(text: str) -> None:
    """Tell the user something that is not the result."""
    click.echo(text, err=True)


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while work goes on, if anybody watches; yield the function that moves it to a count."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


def table(title: str, *columns: str, rows: Sequence[Sequence[str | Text]], words: int = 1) -> RenderableType:
    """Return a table whose first `words` columns are text and whose others are numbers; plain text is taken literally."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        made.add_column(column, justify="left" if i < words else "right", no_wrap=i >= words, overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return made


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share; what is unknown is a dash.

    >>> percent(0.1234), percent(None)
    ('12.3 %', '–')
    """
    return "–" if share is None or not isfinite(share) else f"{100 * share:.{digits}f} %"


def dollars(usd: float | None, scale: int = 1) -> str:
    """Write an amount of money, `scale` times over; what is unknown is a dash.

    >>> dollars(0.00123, 1000), dollars(0.0000456), dollars(None)
    ('$1.23', '$4.56e-05', '–')
    """
    return "–" if usd is None or not isfinite(usd) else f"${usd * scale:.3g}"


def as_data(data: Any) -> str:
    r"""Write a value as JSON: dataclasses as objects, arrays as lists; what is unknown, NaN included, as null.

    >>> as_data({"a": float("nan"), "b": (1, 2.5)}).replace("\n", "")
    '{  "a": null,  "b": [    1,    2.5  ]}'
    """
    from pydantic_core import to_json

    return to_json(data, indent=2, inf_nan_mode="null", fallback=_plain).decode()


def _plain(value: Any) -> Any:
    """Return what JSON has for an array, a number of NumPy's, or a read-only mapping."""
    return dict(value) if isinstance(value, Mapping) else value.tolist()
