"""`pointsman compare`: several kinds of router side by side on the same held-out queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import outcomes_arguments, read_outcomes
from pointsman.cli.output import json_option, progress, result
from pointsman.cli.recipe import aim, learn, policy_options, router_from

if TYPE_CHECKING:
    from rich.console import Console

    from pointsman.evaluation import Comparison, Evaluation
    from pointsman.metrics import Interval

__all__ = ["compare"]

_ESTIMATORS = ("Linear", "Nearest", "Clusters", "Domain")


@click.command(
    cls=Command,
    short_help="Hold several kinds of router against each other.",
    examples=(
        "pointsman compare outcomes.csv",
        'pointsman compare outcomes.csv --estimator Linear --estimator \'{"type": "Nearest", "k": 50}\'',
    ),
)
@outcomes_arguments
@click.option(
    "--estimator", "estimators", multiple=True, metavar="NAME|JSON", default=_ESTIMATORS, show_default=True,
    help="What to compare; may be repeated.",
)  # fmt: skip
@policy_options
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the split into 60 / 20 / 20 %.")
@json_option
def compare(
    *,
    data: str,
    columns: Mapping[str, str],
    scale: tuple[float, float] | None,
    layout: str | None,
    estimators: tuple[str, ...],
    policy: str | None,
    budget: float | None,
    cost_weight: float | None,
    seed: int,
    as_json: bool,
) -> None:
    """Fit several kinds of router on the outcomes in DATA and hold them against each other and every baseline.

    Each is fitted on 60 % of the queries; its settings are chosen on 20 %, and all figures are of the last 20 %. For scale:
    the Zero router mixes single models without looking at the query, and the oracle knows every outcome.
    """
    from pointsman.data.splits import grouped_split
    from pointsman.evaluation import evaluate

    chosen = aim(policy, budget, cost_weight) or {"type": "Utility"}
    routers = {name: router_from(name, chosen) for name in estimators}
    train, validation, test = grouped_split(read_outcomes(data, columns, scale, layout), random_state=seed)
    found: dict[str, Evaluation] = {}
    with progress("Fitting", len(routers)) as done:
        for name, router in routers.items():
            fitted = learn(router, train)
            found[name] = evaluate(fitted, test, train=train, validation=validation, random_state=seed)
            done(len(found))
    rows = {name: evaluation.to_dict() for name, evaluation in found.items()}
    result(rows, as_json=as_json, shown=lambda console: _show(found, console))


def _show(found: Mapping[str, Evaluation], console: Console) -> None:
    from pointsman.cli.figures import plot, points
    from pointsman.cli.output import table

    first = next(iter(found.values()))
    rows = [
        [
            name,
            points(evaluation.router.aiq),
            _signed(evaluation.router.aiq_gain),
            _setting(evaluation.router.peak),
            _setting(evaluation.router.at_best),
            evaluation.verdict.kind,
        ]
        for name, evaluation in found.items()
    ]
    title = f"{first.queries:,} test queries, best single model: {first.best_single}"
    console.print(
        table(title, "estimator", "AIQ", "− zero router", "best setting", "as good as best", "verdict", rows=rows)
    )
    console.print(
        "AIQ: mean quality between the costs of the cheapest and of the best single model, in points.", style="dim"
    )
    console.print("Settings, chosen on validation: points beside the best single model × its cost.", style="dim")
    if (drawn := plot(found)) is not None:
        console.print(drawn)
    for name, evaluation in found.items():
        console.print(f"\n{name}: {evaluation.verdict.text}", markup=False)
    for note in dict.fromkeys(note for evaluation in found.values() for note in evaluation.notes):
        console.print(f"Note: {note}", style="dim", markup=False)


def _signed(found: Interval | None) -> str:
    if found is None:
        return "–"
    return f"{100 * found.estimate:+.1f} ± {50 * (found.high - found.low):.1f}".replace("-", "−")


def _setting(found: Comparison | None) -> str:
    if found is None or found.difference is None:
        return "–"
    cost = "" if found.relative_cost is None else f" × {found.relative_cost.estimate:.2f}"
    return f"{100 * found.difference.estimate:+.1f}{cost}".replace("-", "−")
