"""Command: a click command whose help ends with examples, written as they are typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

__all__ = ["Command", "write_examples"]


class Command(click.Command):
    """A command with examples.

    Parameters:
        examples: Lines to show as they are.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(self.examples, formatter)


def write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    """Write lines without wrapping them."""
    with formatter.section("Examples"):
        for line in examples:
            formatter.write(f"  {line}".rstrip() + "\n")
