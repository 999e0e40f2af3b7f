"""`pointsman report`: one page that shows whether a router pays, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from pointsman.cli.command import Command
from pointsman.cli.evaluate import unseen
from pointsman.cli.inputs import load_router, outcomes_arguments, read_outcomes
from pointsman.cli.output import as_data, check_place, json_option, note
from pointsman.cli.recipe import Recipe, router_options

__all__ = ["report"]


@click.command(
    cls=Command,
    short_help="Write a page that shows whether a router pays.",
    examples=(
        "pointsman report outcomes.csv",
        "pointsman report outcomes.csv --budget 0.002 --out frugal.html",
        "pointsman report new-outcomes.csv --router router.pointsman",
    ),
)
@outcomes_arguments
@click.option("--out", default="report.html", show_default=True, metavar="FILE", help="Where to write the page.")
@click.option("--router", "artefact", metavar="FILE", help="A saved router, measured on what it was not fitted on.")
@router_options
@click.option(
    "--margin", type=float, default=0.01, show_default=True, help="Quality that may be lost and still counts as equal."
)
@click.option(
    "--repeats", type=click.IntRange(min=0), default=3, show_default=True,
    help="Splits behind each point of the learning curve, 2 or more; 0 leaves it out and saves most of the time.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the split into 60 / 20 / 20 %.")
@json_option
def report(
    *,
    data: str,
    columns: Mapping[str, str],
    scale: tuple[float, float] | None,
    layout: str | None,
    out: str,
    artefact: str | None,
    recipe: Recipe,
    margin: float,
    repeats: int,
    seed: int,
    as_json: bool,
) -> None:
    """Write one HTML page that shows whether a router pays on the outcomes in DATA, and why.

    DATA is a CSV, JSON lines or parquet file, a folder, or - for JSON lines on stdin. A router, by default the one that
    `pointsman fit` learns, is fitted on 60 % of the queries, its settings are chosen on 20 %, and all figures are of the last
    20 %. With --router a saved one is measured instead, on all queries that are new to it. The page needs no network and no
    script; with --json the figures go to stdout.
    """
    from pointsman.report import build_report, measure_report
    from pointsman.report.page.template import check_extra

    check_extra()
    check_place(out)
    if artefact is not None and not recipe.empty:
        raise click.UsageError("--router is fitted already; leave the estimator, the policy and --config away.")
    told: dict[str, Any] = {"source": data, "random_state": seed, "on_progress": note}
    if artefact is not None:
        known = unseen(read_outcomes(data, columns, scale, layout), artefact)
        found = measure_report(load_router(artefact), known, margin=margin, **told)
    else:
        known = read_outcomes(data, columns, scale, layout)
        found = build_report(recipe.router(known), known, margin=margin, repeats=repeats, **told)
    path = found.write(out)
    if as_json:
        click.echo(as_data({"path": str(path)} | found.to_dict()))
    else:
        click.echo(f"{found}\n")
    note(f"Wrote {path}.")
