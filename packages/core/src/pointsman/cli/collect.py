"""`pointsman collect`: ask models prompts, score the answers, and write the outcomes to learn from."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import columns_option, columns_told
from pointsman.cli.models import read_pool
from pointsman.cli.output import check_place, dollars, json_option, note, percent, progress, result, table
from pointsman.cli.recipe import named
from pointsman.errors import DataError, MissingExtraError, PointsmanError

if TYPE_CHECKING:
    from pointsman.callers.base import Caller
    from pointsman.models import ModelPool
    from pointsman.pricing import PriceTable
    from pointsman.probing import Collection, Collector, Prompt
    from pointsman.types import Call, Query, Response

__all__ = ["collect", "filled"]


@click.command(
    cls=Command,
    short_help="Ask models prompts and score their answers.",
    examples=(
        "pointsman collect prompts.csv --models models.toml --metric exact --budget 2.50",
        'pointsman collect prompts.jsonl --models models.toml --metric \'{"type": "regex", "pattern": "answer is (.+)"}\'',
    ),
)
@click.argument("prompts", type=click.Path())
@columns_option
@click.option(
    "--models",
    "models_file",
    required=True,
    metavar="FILE",
    help="The models: TOML or JSON; see `pointsman models --help`.",
)
@click.option(
    "--metric",
    required=True,
    metavar="NAME|JSON",
    help="exact, contains, numeric, a JSON object with a type, or module:function.",
)
@click.option("--out", default="outcomes.jsonl", show_default=True, metavar="FILE", help="Where to write the outcomes.")
@click.option(
    "--budget", type=float, metavar="USD", help="The most to spend in all, earlier runs of the same log included."
)
@click.option("--runs", default=1, show_default=True, help="How often each model answers each prompt.")
@click.option("--concurrency", default=8, show_default=True, help="Calls under way at once, at most.")
@click.option("--max-tokens", type=int, help="The longest answer, in tokens.")
@click.option("--system", metavar="TEXT", help="A system message before every prompt.")
@click.option("--log", metavar="FILE", help="Where every call is put on record.  [default: beside --out]")
@json_option
def collect(
    *,
    prompts: str,
    columns: Mapping[str, str],
    models_file: str,
    metric: str,
    out: str,
    log: str | None,
    max_tokens: int | None,
    as_json: bool,
    **limits: Any,
) -> None:
    """Ask every model every prompt of a file, score the answers, and write the outcomes.

    PROMPTS is a CSV, JSON lines or parquet file with the columns text and reference (or a .txt with a prompt a line). Every
    answer is put on record at once: after an interruption the same command goes on where it stopped and pays nothing twice.

    Each model's metadata say how to reach it: `endpoint` (an OpenAI-compatible URL) or `callable` (module:function).
    """
    from pointsman.probing import Collector, read_prompts

    check_place(out)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - `module:function` means the user's own files, as in `python -m`
    with columns_told():
        asked = read_prompts(prompts, columns=columns or None)
    pool = read_pool(models_file)
    collector = Collector(
        pool=pool,
        callers=_functions(pool),
        scorer=named(metric) if metric.lstrip().startswith("{") else metric,
        log=log or f"{out}.log",
        budget_usd=limits.pop("budget"),
        params={} if max_tokens is None else {"max_tokens": max_tokens},
        prices=_public_prices(),
        **limits,
    )
    found = filled(collector, asked)
    for model, why in found.given_up.items():
        note(f"Warning: {model} was given up: {why}")
    if found.stopped:
        note(f"Stopped early: {found.stopped}")
    if not found.rows:
        why = next(iter(found.failures.values()), found.stopped or "no reason is known")
        raise DataError(f"Nothing was answered, so {out} is not written: {why.rstrip('.')}.")
    dataset = found.dataset()
    dataset.write(out)
    note(f"Wrote {len(found.rows):,} outcomes of {len(dataset):,} prompts to {out}.")
    result(_summary(found, out), as_json=as_json, shown=lambda console: console.print(_shown(found)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blaming:
    """Calls a function of the user's; what it raises becomes a sentence that names the model and the function."""

    caller: Caller
    model: str
    reference: str

    async def __call__(self, call: Call, query: Query) -> Response:
        try:
            return await self.caller(call, query)
        except PointsmanError:
            raise
        except Exception as error:
            raise PointsmanError(f"{self.model}: {self.reference} raised {type(error).__name__}: {error}") from error


def _functions(pool: ModelPool) -> dict[str, Caller]:
    """Return the callers of the models that are functions."""
    from pointsman.callers.resolving import callers_of

    return {
        name: _Blaming(caller=caller, model=name, reference=pool[name].metadata["callable"])
        for name, caller in callers_of(pool).items()
        if "callable" in pool[name].metadata
    }


def filled(collector: Collector, prompts: tuple[Prompt, ...]) -> Collection:
    """Run a collector behind a progress bar."""
    import asyncio
    from dataclasses import replace

    with progress("Asking", len(prompts) * len(collector.candidates) * collector.runs) as moved:
        watched = replace(collector, on_progress=lambda state: moved(state.finished + state.failed))
        return asyncio.run(watched.run(prompts))


def _public_prices() -> PriceTable | None:
    """Return the list prices of public models where the extra is installed; models without any price stay unknown."""
    from pointsman.prices_genai import GenaiPrices

    try:
        return GenaiPrices()
    except MissingExtraError:
        return None


def _summary(found: Collection, out: str) -> dict[str, Any]:
    dataset, state = found.dataset(), found.progress
    return {
        "path": str(Path(out)),
        "complete": found.complete,
        "finished": state.finished,
        "total": state.total,
        "failed": state.failed,
        "spent_usd": state.spent_usd,
        "calls_of_unknown_cost": state.unknown_calls,
        "stopped": found.stopped,
        "given_up": found.given_up,
        "models": {
            name: {"quality": quality, "cost_usd": cost}
            for name, quality, cost in zip(dataset.models, dataset.mean_quality, dataset.mean_cost_usd, strict=True)
        },
    }


def _shown(found: Collection) -> Any:
    state = found.progress
    rows = [
        [name, percent(figures["quality"]), dollars(figures["cost_usd"], 1000)]
        for name, figures in _summary(found, "")["models"].items()
    ]
    spent = f"{dollars(state.spent_usd)}{' and more' if state.unknown_calls else ''}"
    title = f"{state.finished:,} of {state.total:,} cells, {spent} spent"
    return table(title, "model", "quality", "cost per 1,000", rows=rows)
