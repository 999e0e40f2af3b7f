"""`pointsman route`: which model should answer; nothing is called."""

from __future__ import annotations

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import load_router, questions
from pointsman.cli.output import dollars, json_option, result, table

__all__ = ["route"]


@click.command(
    cls=Command,
    short_help="Decide which model should answer.",
    examples=(
        'pointsman route router.pointsman "Prove that there are infinitely many primes."',
        "pointsman route router.pointsman --file questions.txt --json",
    ),
)
@click.argument("artefact")
@click.argument("text", required=False)
@click.option("--file", metavar="FILE", help="Questions to decide on, one a line; - reads stdin.")
@click.option(
    "--at", type=float, metavar="POINT", help="Operating point, in the policy's own unit (a λ, a threshold, dollars)."
)
@json_option
def route(*, artefact: str, text: str | None, file: str | None, at: float | None, as_json: bool) -> None:
    """Decide which model should answer TEXT (or each line of a file). Nothing is called and nothing is spent."""
    from rich.console import Console
    from rich.text import Text

    from pointsman.types import Context, Query

    asked = questions(text, file)
    router = load_router(artefact)
    context = Context(operating_point=at)
    decisions = [router.decide(Query(text=question, id=str(i)), context) for i, question in enumerate(asked)]
    data = [
        {
            "text": question,
            "model": decision.model,
            "ranking": decision.ranking,
            "propensity": decision.propensity,
            "estimates": {name: estimate._asdict() for name, estimate in decision.estimates.items()},
            "reason": decision.reason,
            "excluded": decision.excluded,
            "degraded": decision.degraded,
        }
        for question, decision in zip(asked, decisions, strict=True)
    ]

    def shown(console: Console) -> None:
        rows: list[list[str | Text]] = []
        for question, decision in zip(asked, decisions, strict=True):
            mine = decision.estimates.get(decision.model)
            quality = "–" if mine is None or mine.quality is None else f"{mine.quality:.3f}"
            rows.append(
                [question, Text(decision.model, style="bold"), quality, dollars(mine.cost_usd if mine else None)]
            )
        console.print(table("", "question", "model", "expected quality", "expected cost", rows=rows, words=2))

    result(data, as_json=as_json, shown=shown)
