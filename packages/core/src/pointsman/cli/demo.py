"""`pointsman demo`: the whole way from outcomes to a routed chain, with nothing but what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pointsman.cli.command import Command
from pointsman.cli.output import as_data, json_option

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["demo"]


@click.command(
    cls=Command,
    short_help="See it work: no network, no key, no data of yours.",
    examples=("pointsman demo", "pointsman demo --tasks 400 --seed 7 --json"),
)
@click.option(
    "--tasks", "count", type=click.IntRange(min=40), default=1200, show_default=True, help="How many tasks to generate."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the tasks and of the split.")
@click.option(
    "--out",
    default="pointsman-demo",
    show_default=True,
    metavar="FOLDER",
    help="Where outcomes and router are written.",
)
@json_option
def demo(*, count: int, seed: int, out: str, as_json: bool) -> None:
    """See it work, with no network, no key and no data of yours.

    Generates tasks, has four small programs answer them, audits the outcomes, learns a router, measures it on held-out tasks
    beside every baseline, explains a decision, and runs the router in a LangChain chain where that is installed. The programs
    stand in for language models, and are none.
    """
    from rich.console import Console

    from pointsman.cli.story import Story
    from pointsman.demo import DISCLAIMER

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    story = Story(count=count, seed=seed, folder=folder)
    if as_json:
        told = {chapter.name: chapter.data for chapter in story.chapters()}
        click.echo(as_data({"disclaimer": DISCLAIMER, "artefact": str(story.artefact), **told}))
        return
    console = Console(highlight=False)
    _open(console, DISCLAIMER)
    for number, chapter in enumerate(story.chapters(), start=1):
        console.print()
        console.rule(f"[bold]{number} · {chapter.title}[/]", align="left", style="cyan")
        chapter.show(console)
    _close(console, story.artefact)


def _open(console: Console, disclaimer: str) -> None:
    from rich.panel import Panel

    promise = "All figures below are computed here and now; nothing leaves this machine."
    text = f"[bold yellow]{disclaimer}[/]\n{promise}"
    console.print(Panel(text, title="[bold]pointsman demo[/]", title_align="left", border_style="yellow"))


def _close(console: Console, artefact: Path) -> None:
    console.print()
    console.rule("[bold]What to do next[/]", align="left", style="cyan")
    for why, command in (
        ("Ask the router you have just seen:", f'pointsman route {artefact} "What is 7 times 8?"'),
        (
            "With outcomes of your own (text, model, quality, cost_usd): is a router worth it?",
            "pointsman audit outcomes.csv",
        ),
        ("Which kind would help most?", "pointsman compare outcomes.csv"),
        ("Learn one, with held-out figures:", "pointsman fit outcomes.csv --out router.pointsman"),
        ("No outcomes yet? Collect them:", "pointsman collect prompts.csv --models models.toml --metric exact"),
    ):
        console.print(why, style="dim", markup=False)
        console.print(f"  {command}", markup=False, soft_wrap=True)
