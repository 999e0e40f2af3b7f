"""`pointsman evaluate`: a saved router on outcomes it has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import FITTED_TEXTS, load_router, outcomes_arguments, read_outcomes
from pointsman.cli.output import json_option, note, result
from pointsman.errors import DataError

if TYPE_CHECKING:
    from pointsman.data.dataset import RoutingDataset

__all__ = ["evaluate", "unseen"]


@click.command(
    cls=Command,
    short_help="Hold a saved router against every baseline.",
    examples=(
        "pointsman evaluate router.pointsman new-outcomes.csv",
        "pointsman evaluate router.pointsman new.csv --train old.csv --json",
    ),
)
@click.argument("artefact")
@outcomes_arguments
@click.option(
    "--train", metavar="DATA", help="Outcomes by which the baselines are chosen; without them, by the test data."
)
@click.option(
    "--at", type=float, metavar="POINT", help="Operating point, in the policy's unit: a λ, a threshold, dollars."
)
@click.option(
    "--margin", type=float, default=0.01, show_default=True, help="Quality that may be lost and still counts as equal."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the resampling behind the intervals.")
@json_option
def evaluate(
    *,
    artefact: str,
    data: str,
    columns: dict[str, str],
    scale: tuple[float, float] | None,
    layout: str | None,
    train: str | None,
    at: float | None,
    margin: float,
    seed: int,
    as_json: bool,
) -> None:
    """Hold a saved router against every baseline on the outcomes in DATA that are new to it.

    DATA is a CSV, JSON lines or parquet file, a folder, or - for JSON lines on stdin. Queries that `fit` learnt from are left
    out, and so counted.
    """
    from pointsman.cli.figures import show_evaluation
    from pointsman.evaluation import evaluate as evaluated
    from pointsman.types import Context

    router = load_router(artefact)
    test = unseen(read_outcomes(data, columns, scale, layout), artefact)
    known = None if train is None else read_outcomes(train, columns, scale, layout)
    found = evaluated(router, test, train=known, context=Context(operating_point=at), margin=margin, random_state=seed)
    result(found.to_dict(), as_json=as_json, shown=lambda console: show_evaluation(found, console))


def unseen(test: RoutingDataset, artefact: str) -> RoutingDataset:
    """Return the rows whose text the artefact's router was not fitted on, as far as its metadata say, and tell how many."""
    from pointsman.artifacts import read_manifest
    from pointsman.data.text_id import short_id

    known = set(read_manifest(artefact)["metadata"].get(FITTED_TEXTS, "").split())
    new = [row for row, text in enumerate(test.queries.texts) if short_id(text) not in known]
    if not new and len(test):
        raise DataError(
            f"The router was fitted on all {len(test):,} queries of these outcomes; measure it on new ones."
        )
    if len(new) < len(test):
        note(f"{len(test) - len(new):,} of {len(test):,} queries were fitted on and are left out.")
    return test.take(new)
