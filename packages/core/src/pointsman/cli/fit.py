"""`pointsman fit`: learn a router from outcomes, measure it on held-out queries, and save it with those figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import FITTED_TEXTS, outcomes_arguments, read_outcomes
from pointsman.cli.models import read_pool
from pointsman.cli.output import check_place, json_option, note, result
from pointsman.cli.recipe import Recipe, findings_of, learn, router_options
from pointsman.errors import DataError

if TYPE_CHECKING:
    from rich.console import Console

    from pointsman.data.dataset import RoutingDataset

__all__ = ["fit"]

_FEWEST, _FEWEST_LEARNT, _FEWEST_HELD_OUT = 20, 10, 2
"""Groups of queries below which neither a router nor its figures would mean anything."""


@click.command(
    cls=Command,
    short_help="Learn a router and measure it on held-out queries.",
    examples=(
        "pointsman fit outcomes.csv",
        "pointsman fit outcomes.csv --budget 0.002",
        "pointsman fit outcomes.csv --estimator Nearest --lambda 250",
        "pointsman fit outcomes.csv --config router.toml --out router.pointsman",
    ),
)
@outcomes_arguments
@click.option("--out", default="router.pointsman", show_default=True, metavar="FILE", help="Where to save the router.")
@click.option(
    "--models", "models_file", metavar="FILE", help="What the models can do and charge; see `pointsman models -h`."
)
@router_options
@click.option("--test-share", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.2, show_default=True,
              help="Share of the queries that is held out to measure the router.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the split.")
@json_option
def fit(
    *,
    data: str,
    columns: Mapping[str, str],
    scale: tuple[float, float] | None,
    layout: str | None,
    out: str,
    models_file: str | None,
    recipe: Recipe,
    test_share: float,
    seed: int,
    as_json: bool,
) -> None:
    """Learn a router from the outcomes in DATA and save it, with what it reached on queries held out from it.

    DATA is a CSV, JSON lines or parquet file, a folder, or - for JSON lines on stdin: one row per query and model, with the
    columns text, model, quality (0 to 1) and, where known, cost_usd. By default the router is an AutoRouter: a stack of
    estimators, trusted as far as held-out queries bear it out, at the cheapest setting that is as good as the best single
    model; where costs are unknown, quality comes first. A single estimator without a policy takes the cheapest model that is
    expected to be within two points of the best.
    """
    from pointsman.artifacts import save
    from pointsman.cli.figures import kept_figures, show_evaluation, show_findings
    from pointsman.data.splits import grouped_split
    from pointsman.data.text_id import short_id
    from pointsman.evaluation import evaluate

    check_place(out)
    pool = None if models_file is None else read_pool(models_file)
    outcomes = read_outcomes(data, columns, scale, layout, pool=pool)
    _check_size(outcomes, data, test_share)
    router = recipe.router(outcomes)
    train, test = grouped_split(outcomes, (1 - test_share, test_share), random_state=seed)
    learn(router, train)
    findings = findings_of(router)
    found = evaluate(router, test, train=train, random_state=seed)
    metadata: dict[str, Any] = {
        "data": {
            "source": data,
            "queries": len(outcomes),
            "fitted_on": len(train),
            "seed": seed,
        },
        "held_out": kept_figures(found),
    }
    if findings is not None:
        metadata["findings"] = findings.to_dict()
    texts = " ".join(sorted({short_id(text) for text in train.queries.texts}))
    path = save(router, out, metadata={**metadata, FITTED_TEXTS: texts})
    note(f"Fitted on {len(train):,} queries, measured on {len(test):,} others, saved to {path}.")
    written = {"path": str(path), "digest": router.digest(), "spec": router.spec(), **metadata}

    def shown(console: Console) -> None:
        if findings is not None:
            show_findings(findings, console)
            console.print()
        show_evaluation(found, console)

    result(written, as_json=as_json, shown=shown)


def _check_size(outcomes: RoutingDataset, data: str, test_share: float) -> None:
    """Raise DataError when there are too few different queries, in all or on one side of the split."""
    groups = len(set(outcomes.group_of.tolist()))
    if groups < _FEWEST:
        raise DataError(
            f"{data} holds {groups} different queries (or groups of them); to fit and measure a router takes at least "
            f"{_FEWEST}."
        )
    learnt = int(round(1 - test_share, 12) * groups)
    if learnt < _FEWEST_LEARNT or groups - learnt < _FEWEST_HELD_OUT:
        raise DataError(
            f"--test-share {test_share:g} of {groups} different queries leaves {learnt} to learn from and "
            f"{groups - learnt} to measure on; it takes at least {_FEWEST_LEARNT} and {_FEWEST_HELD_OUT}."
        )
