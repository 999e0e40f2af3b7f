"""`pointsman stress`: what a kind of router is worth on new domains, new models, few or noisy data, and rewritten questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import outcomes_arguments, read_outcomes
from pointsman.cli.output import json_option, note, progress, result
from pointsman.cli.recipe import Recipe, router_options

if TYPE_CHECKING:
    from pointsman.data.dataset import RoutingDataset
    from pointsman.routers.base import Router

__all__ = ["stress"]


class _Finding(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


def _domains(router: Router, data: RoutingDataset, seed: int) -> _Finding:
    from pointsman.evaluation.protocols import leave_one_domain_out

    return leave_one_domain_out(router, data, random_state=seed)


def _models(router: Router, data: RoutingDataset, seed: int) -> _Finding:
    from pointsman.evaluation.protocols import leave_one_model_out

    return leave_one_model_out(router, data, random_state=seed)


def _learning(router: Router, data: RoutingDataset, seed: int) -> _Finding:
    from pointsman.evaluation.protocols import learning_curve

    return learning_curve(router, data, random_state=seed)


def _noise(router: Router, data: RoutingDataset, seed: int) -> _Finding:
    from pointsman.evaluation.protocols import label_noise

    return label_noise(router, data, random_state=seed)


def _perturbations(router: Router, data: RoutingDataset, seed: int) -> _Finding:
    from pointsman.evaluation.protocols import perturbations

    return perturbations(router, data, random_state=seed)


def _controls(router: Router, data: RoutingDataset, seed: int) -> _Finding:
    from pointsman.evaluation.protocols import controls

    return controls(router, data, random_state=seed)


def _diagnostics(router: Router, data: RoutingDataset, seed: int) -> _Finding:
    from pointsman.data.splits import grouped_split
    from pointsman.evaluation.protocols import diagnose, fitted_on

    train, test = grouped_split(data.canonical(), (0.8, 0.2), random_state=seed)
    return diagnose(fitted_on(router, train), test, train=train, random_state=seed)


_PROTOCOLS: dict[str, Callable[[Router, RoutingDataset, int], _Finding]] = {
    "controls": _controls,
    "diagnostics": _diagnostics,
    "domains": _domains,
    "models": _models,
    "learning": _learning,
    "noise": _noise,
    "perturbations": _perturbations,
}


@click.command(
    cls=Command,
    short_help="See where a kind of router breaks.",
    examples=(
        "pointsman stress outcomes.csv",
        "pointsman stress outcomes.csv --protocol controls --protocol domains",
        "pointsman stress outcomes.csv --protocol perturbations --estimator Nearest --json",
    ),
)
@outcomes_arguments
@click.option(
    "--protocol", "protocols", multiple=True, type=click.Choice(tuple(_PROTOCOLS)),
    help="What to run; may be repeated.  [default: all that the data allow]",
)  # fmt: skip
@router_options
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of splits, noise and resampling.")
@json_option
def stress(
    *,
    data: str,
    columns: Mapping[str, str],
    scale: tuple[float, float] | None,
    layout: str | None,
    protocols: tuple[str, ...],
    recipe: Recipe,
    seed: int,
    as_json: bool,
) -> None:
    """Fit a kind of router on the outcomes in DATA, again and again, under conditions that break routers.

    controls: outcomes that no query can tell. diagnostics: collapse and calibration. domains: a kind of query never seen.
    models: one that leaves, or comes with few probes. learning: few queries. noise: outcomes that would come out otherwise
    next time. perturbations: the same question written otherwise, and attacks. DATA is as for `pointsman fit`.
    """
    outcomes = read_outcomes(data, columns, scale, layout)
    router = recipe.router(outcomes)
    wanted = tuple(dict.fromkeys(protocols)) or tuple(name for name in _PROTOCOLS if _possible(name, outcomes))
    found: dict[str, _Finding] = {}
    with progress("Running", len(wanted)) as done:
        for name in wanted:
            found[name] = _PROTOCOLS[name](router, outcomes, seed)
            done(len(found))
    rows = {name: finding.to_dict() for name, finding in found.items()}
    texts = "\n\n".join(str(finding) for finding in found.values())
    result(rows, as_json=as_json, shown=lambda _console: click.echo(texts))


def _possible(name: str, data: RoutingDataset) -> bool:
    """Return whether the data allow a protocol that nobody asked for by name; say why where they do not."""
    lacking = {
        "domains": len({domain for domain in data.queries.domains if domain is not None}) < 2 and "no two domains",  # noqa: PLR2004
        "models": len(data.models) < 3 and "fewer than three models",  # noqa: PLR2004
        "perturbations": bool((data.mean_cost_usd != data.mean_cost_usd).any()) and "a model of unknown cost",
    }.get(name)
    if lacking:
        note(f"The data have {lacking}: {name} is left out.")
    return not lacking
