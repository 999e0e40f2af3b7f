"""`pointsman report`: one page that shows whether a router pays, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from pointsman.cli.command import Command
from pointsman.cli.evaluate import unseen
from pointsman.cli.inputs import load_router, outcomes_arguments, read_outcomes
from pointsman.cli.output import as_data, check_place, json_option, note
from pointsman.cli.recipe import DEFAULT_ESTIMATOR, aim, default_aim, policy_options, router_from

if TYPE_CHECKING:
    from pointsman.cli.recipe import Spec
    from pointsman.report import Report

__all__ = ["report"]


@click.command(
    cls=Command,
    short_help="Write a page that shows whether a router pays.",
    examples=(
        "pointsman report outcomes.csv",
        "pointsman report outcomes.csv --estimator Nearest --budget 0.002 --out nearest.html",
        "pointsman report new-outcomes.csv --router router.pointsman",
    ),
)
@outcomes_arguments
@click.option("--out", default="report.html", show_default=True, metavar="FILE", help="Where to write the page.")
@click.option("--router", "artefact", metavar="FILE", help="A saved router, measured on what it was not fitted on.")
@click.option(
    "--estimator",
    metavar="NAME|JSON",
    help=f"An estimator by name, or with parameters as JSON.  [default: {DEFAULT_ESTIMATOR}]",
)
@click.option("--config", metavar="FILE", help="A whole router as TOML or JSON, in place of the other options.")
@policy_options
@click.option(
    "--margin", type=float, default=0.01, show_default=True, help="Quality that may be lost and still counts as equal."
)
@click.option(
    "--repeats", type=click.IntRange(min=0), default=3, show_default=True,
    help="Fits for each point of the learning curve; 0 leaves it out.",
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
    estimator: str | None,
    config: str | None,
    policy: str | None,
    budget: float | None,
    cost_weight: float | None,
    margin: float,
    repeats: int,
    seed: int,
    as_json: bool,
) -> None:
    """Write one HTML page that shows whether a router pays on the outcomes in DATA, and why.

    DATA is a CSV, JSON lines or parquet file, a folder, or - for JSON lines on stdin. A router is fitted on 60 % of the
    queries, its settings are chosen on 20 %, and all figures are of the last 20 %. With --router a saved one is measured
    instead, on all queries that are new to it. The page needs no network and no script; with --json the figures go to
    stdout.
    """
    from pointsman.report.page.template import check_extra

    check_extra()
    check_place(out)
    chosen = aim(policy, budget, cost_weight)
    if config is not None and (estimator or chosen):
        raise click.UsageError("--config describes the whole router; leave the estimator and the policy to it.")
    if artefact is not None and (config or estimator or chosen):
        raise click.UsageError("--router is fitted already; leave the estimator, the policy and --config away.")
    if artefact is not None:
        found = _of_saved(artefact, data, columns, scale, layout, margin, seed)
    else:
        found = _of_new(
            data,
            columns,
            scale,
            layout,
            estimator=estimator,
            chosen=chosen,
            config=config,
            margin=margin,
            repeats=repeats,
            seed=seed,
        )
    path = found.write(out)
    if as_json:
        click.echo(as_data({"path": str(path)} | found.to_dict()))
    else:
        click.echo(f"{found}\n")
    note(f"Wrote {path}.")


def _of_saved(
    artefact: str,
    data: str,
    columns: Mapping[str, str],
    scale: tuple[float, float] | None,
    layout: str | None,
    margin: float,
    seed: int,
) -> Report:
    from pointsman.report import measure_report

    router = load_router(artefact)
    test = unseen(read_outcomes(data, columns, scale, layout), artefact)
    return measure_report(router, test, source=data, margin=margin, random_state=seed, on_progress=note)


def _of_new(
    data: str,
    columns: Mapping[str, str],
    scale: tuple[float, float] | None,
    layout: str | None,
    *,
    estimator: str | None,
    chosen: Spec | None,
    config: str | None,
    margin: float,
    repeats: int,
    seed: int,
) -> Report:
    from pointsman.report import build_report

    outcomes = read_outcomes(data, columns, scale, layout)
    router = router_from(estimator, chosen or default_aim(outcomes), config=config)
    return build_report(
        router, outcomes, source=data, margin=margin, repeats=repeats, random_state=seed, on_progress=note
    )
