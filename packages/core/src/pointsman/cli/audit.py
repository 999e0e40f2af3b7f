"""`pointsman audit`: do I need a router, and what is the most I could gain?"""

from __future__ import annotations

from collections.abc import Mapping

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import outcomes_arguments, read_outcomes
from pointsman.cli.output import json_option, result

__all__ = ["audit"]


@click.command(
    cls=Command,
    short_help="Say whether a router is worth it.",
    examples=("pointsman audit outcomes.csv", "pointsman audit outcomes.jsonl --margin 0.02 --json"),
)
@outcomes_arguments
@click.option("--margin", type=float, default=0.01, show_default=True, help="Quality that counts as equal.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the resampling and of the folds.")
@json_option
def audit(
    *,
    data: str,
    columns: Mapping[str, str],
    scale: tuple[float, float] | None,
    layout: str | None,
    margin: float,
    seed: int,
    as_json: bool,
) -> None:
    """Say whether the outcomes in DATA call for a router, before anything is trained.

    DATA is a CSV, JSON lines or parquet file, a folder, or - for JSON lines on stdin. "You don't need a router" is a result
    like any other, and exits with 0.
    """
    from pointsman.cli.figures import show_audit
    from pointsman.selection import audit as audited

    found = audited(read_outcomes(data, columns, scale, layout), margin=margin, random_state=seed)
    result(found.to_dict(), as_json=as_json, shown=lambda console: show_audit(found, console))
