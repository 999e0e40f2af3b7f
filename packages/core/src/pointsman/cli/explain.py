"""`pointsman explain`: why one question goes where it goes."""

from __future__ import annotations

import click

from pointsman.cli.command import Command
from pointsman.cli.inputs import load_router, questions, read_outcomes
from pointsman.cli.output import json_option, result

__all__ = ["explain"]


@click.command(
    cls=Command,
    short_help="Say why a question goes where it goes.",
    examples=('pointsman explain router.pointsman "Prove that there are infinitely many primes."',),
)
@click.argument("artefact")
@click.argument("text")
@click.option(
    "--at", type=float, metavar="POINT", help="Operating point, in the policy's unit: a λ, a threshold, dollars."
)
@click.option("--reference", metavar="DATA", help="Outcomes by which the best single and the cheapest model are named.")
@click.option("--recorded", metavar="DATA", help="Outcomes that hold this question's: they tell the path of a cascade.")
@json_option
def explain(
    *, artefact: str, text: str, at: float | None, reference: str | None, recorded: str | None, as_json: bool
) -> None:
    """Say why TEXT goes to the model it goes to, what was expected of each, and what another choice would mean."""
    from pointsman.evaluation import explain as explained
    from pointsman.types import Context, Query

    (question,) = questions(text, None) if text != "-" else (" ".join(questions("-", None)),)
    router = load_router(artefact)
    known, tape = (None if path is None else read_outcomes(path) for path in (reference, recorded))
    query, context = Query(text=question, id="0"), Context(operating_point=at)
    found = explained(router, query, context, reference=known, recorded=tape)
    result(found.to_dict(), as_json=as_json, shown=lambda _: click.echo(str(found)))
