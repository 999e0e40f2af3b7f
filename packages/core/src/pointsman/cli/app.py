"""The application: finds the command, and turns every user's mistake into one sentence and an exit code.

0 is success, 1 a mistake in what was given (files, values, data), 2 a mistake in how the command was written, 130 Ctrl-C.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn

import click

from pointsman.cli.command import write_examples
from pointsman.errors import PointsmanError

__all__ = ["main"]

_COMMANDS = (
    "demo",
    "collect",
    "audit",
    "fit",
    "evaluate",
    "compare",
    "stress",
    "report",
    "route",
    "explain",
    "card",
    "models",
    "formats",
    "version",
)


class _Application(click.Group):
    """A group that imports a command when it is named, in the order in which a user meets them."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(self.examples, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None where there is none of this name."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"pointsman.cli.{cmd_name}"), cmd_name)
        return command

    def main(  # type: ignore[override]  # this one always exits
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **options: Any
    ) -> NoReturn:
        """Run a command and exit with its code."""
        options["standalone_mode"] = False
        try:
            with _warnings_shown():
                code = super().main(args, prog_name, **options)
        except click.Abort:
            click.echo("Interrupted.", err=True)
            code = 130
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except PointsmanError as error:
            click.echo(f"Error: {error}", err=True)
            code = 1
        except OSError as error:
            click.echo(f"Error: {_named(error)}", err=True)
            code = 1
        sys.exit(code)


def _named(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}." if error.filename and error.strerror else str(error)


class _Echo(logging.Handler):
    """Writes the library's warnings to the error stream of the moment, the same one once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        said = f"{record.levelname.capitalize()}: {record.getMessage()}"
        if said not in self._said:
            self._said.add(said)
            click.echo(said, err=True)


@contextmanager
def _warnings_shown() -> Iterator[None]:
    logger, handler = logging.getLogger("pointsman"), _Echo()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@click.group(
    cls=_Application,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    examples=(
        "pointsman demo                                     see it work: no key, no network, no data of yours",
        "pointsman audit outcomes.csv                       do I need a router at all?",
        "pointsman compare outcomes.csv                     which kind would help most?",
        "pointsman report outcomes.csv                      show whether it pays, on a page",
        "pointsman fit outcomes.csv --out router.pointsman  learn one",
        'pointsman route router.pointsman "What is 2 + 2?"  ask it',
    ),
)
def main() -> None:
    """Pick, for every request, the language model that should answer it.

    Outcomes are CSV, JSON lines or parquet files with one row per query and model: text, model, quality and cost_usd. Files of
    benchmarks and evaluation tools are read with --format.
    """
