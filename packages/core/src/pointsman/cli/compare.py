"""`pointsman compare`: several kinds of router side by side on the same held-out queries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import outcomes_arguments, read_outcomes
from pointsman.cli.output import check_place, json_option, note, progress, result
from pointsman.cli.recipe import DEFAULT, Recipe, Spec, aim, every_estimator, label_of, learn, named, policy_options

if TYPE_CHECKING:
    from rich.console import Console

    from pointsman.evaluation import Comparison, Evaluation, MethodRow
    from pointsman.metrics import Interval

__all__ = ["compare"]

_LETTERS = "ABCDEFGHIJKLMNPQRSTUVWXYZ"  # without O, which looks like a mark
_COLUMNS = ("method", "AIQ", "gain", "best setting", "as good", "verdict")


@click.command(
    cls=Command,
    short_help="Hold several kinds of router against each other.",
    examples=(
        "pointsman compare outcomes.csv",
        "pointsman compare outcomes.csv --html compare.html",
        'pointsman compare outcomes.csv --estimator Linear --estimator \'{"type": "Nearest", "k": 50}\'',
    ),
)
@outcomes_arguments
@click.option(
    "--estimator", "estimators", multiple=True, metavar="NAME|JSON",
    help=f"What to compare; may be repeated.  [default: {DEFAULT} and every estimator there is]",
)  # fmt: skip
@policy_options
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the split into 60 / 20 / 20 %.")
@click.option("--html", metavar="FILE", help="Write a page with all curves in one plane, too.")
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
    html: str | None,
    as_json: bool,
) -> None:
    """Fit several kinds of router on the outcomes in DATA and hold them against each other and every baseline.

    Each is fitted on 60 % of the queries; its settings are chosen on 20 %, and all figures are of the last 20 %. AutoRouter,
    which `pointsman fit` learns by default, is a stack of some of the estimators beside it. For scale: the Zero router mixes
    single models without looking at the query, and the oracle knows every outcome.
    """
    from pointsman.data.splits import grouped_split
    from pointsman.evaluation import evaluate

    if html is not None:
        _check_page(html)
    chosen = aim(policy, budget, cost_weight)
    outcomes = read_outcomes(data, columns, scale, layout)
    routers = {
        name: Recipe(estimator=name, policy=chosen or _usual_aim(name)).router(outcomes)
        for name in estimators or (DEFAULT, *every_estimator())
    }
    train, validation, test = grouped_split(outcomes, random_state=seed)
    found: dict[str, Evaluation] = {}
    with progress("Fitting", len(routers)) as done:
        for name, router in routers.items():
            fitted = learn(router, train)
            found[name] = evaluate(fitted, test, train=train, validation=validation, random_state=seed)
            done(len(found))
    if html is not None:
        _write_page(html, data, found)
    rows = {name: evaluation.to_dict() for name, evaluation in found.items()}
    result(rows, as_json=as_json, shown=lambda console: _show(found, console))


def _usual_aim(name: str) -> Spec | None:
    """Return the policy of those who name none: the default router's own, for an estimator quality first."""
    return None if named(name).get("type") == DEFAULT else {"type": "Utility"}


def _check_page(html: str) -> None:
    """Raise before any work when the page could not be made or written."""
    from pointsman.report.page.template import check_extra

    check_extra()
    check_place(html)


def _write_page(html: str, data: str, found: Mapping[str, Evaluation]) -> None:
    from pointsman.report.page.compare_page import compare_page

    named = {label_of(name): evaluation for name, evaluation in found.items()}
    Path(html).write_text(compare_page(named, source=data), encoding="utf-8", newline="\n")
    note(f"Wrote {html}.")


def _show(found: Mapping[str, Evaluation], console: Console) -> None:
    from pointsman.cli.figures import plot
    from pointsman.cli.output import table

    first = next(iter(found.values()))
    letters = {name: _LETTERS[i % len(_LETTERS)] for i, name in enumerate(found)}
    rows = [
        [f"{letters[name]} {label_of(name)}", *_cells(evaluation.router), evaluation.verdict.kind]
        for name, evaluation in found.items()
    ]
    rows += [[name, *_cells(row), ""] for name, row in _baselines(first)]
    title = f"{first.queries:,} test queries, best single model: {first.best_single}"
    console.print(table(title, *_COLUMNS, rows=rows))
    for line in (
        (
            "AIQ: mean quality between the costs of the cheapest and of the best single model; gain: over the Zero router's, "
            "half of its interval behind ±. All in points."
        ),
        "best setting, as good as the best single model: chosen on validation; points beside that model × its cost.",
    ):
        console.print(line, style="dim")
    if (drawn := plot(found, letters)) is not None:
        console.print(drawn)
        console.print("A letter is a router as it is; its line joins what it reaches at other trade-offs.", style="dim")
    for name, evaluation in found.items():
        console.print(f"\n{letters[name]} {label_of(name)}: {evaluation.verdict.text}", markup=False)
    for told in dict.fromkeys(told for evaluation in found.values() for told in evaluation.notes):
        console.print(f"Note: {told}", style="dim", markup=False)


def _baselines(evaluation: Evaluation) -> list[tuple[str, MethodRow]]:
    """Return what all routers are held against: of the single models the best and the cheapest."""
    named = {f"always {evaluation.cheapest}": "cheapest", f"always {evaluation.best_single}": "best single"}
    return [
        (named.get(row.name, row.name), row)
        for row in evaluation.rows[1:]
        if row.name in named or not row.name.startswith("always ")
    ]


def _cells(row: MethodRow) -> list[str]:
    from pointsman.cli.figures import points

    return [points(row.aiq), _signed(row.aiq_gain), _setting(row.peak or row.own), _setting(row.at_best)]


def _signed(found: Interval | None) -> str:
    if found is None:
        return "–"
    return f"{100 * found.estimate:+.1f} ± {50 * (found.high - found.low):.1f}".replace("-", "−")


def _setting(found: Comparison | None) -> str:
    if found is None or found.difference is None:
        return "–"
    cost = "" if found.relative_cost is None else f" × {found.relative_cost.estimate:.2f}"
    return f"{round(100 * found.difference.estimate, 1) + 0.0:+.1f}{cost}".replace("-", "−")
