"""One plan on recorded outcomes: every call is answered from the dataset, and every call is paid."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from pointsman.data.dataset import RoutingDataset
from pointsman.data.tape import Tape, play
from pointsman.errors import DataError
from pointsman.routers.base import Router
from pointsman.types import Answer, Call, Context, Step, total_usd

__all__ = ["Driven", "drive_row"]

_NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Driven:
    """How one plan ended: the column of the answering model (-1: none), and its figures; NaN is unknown."""

    model: int
    quality: float
    cost_usd: float
    propensity: float
    calls: int


def drive_row(router: Router, dataset: RoutingDataset, row: int, context: Context) -> Driven:
    """Drive the plan of one query with what was recorded for it.

    A plan that makes several calls may act on what they said. Where the text of one of them was not recorded, what it
    would have done is unknown, and so are quality and cost.

    Raises:
        DataError: When the plan makes several calls and no answer at all is recorded, or when it wants what no outcome can
            tell: another prompt than the query's own, or an embedding of another text.
    """
    tape = Tape(dataset, row)
    answer, steps = play(router.plan(tape.query, context), tape)
    made = [step for step in steps if isinstance(step.effect, Call)]
    decisions = dict.fromkeys(step.effect.decision for step in made if isinstance(step.effect, Call))
    propensity = prod(decision.propensity for decision in decisions if decision is not None)
    if len(made) > 1 and not all(_heard(step, tape) for step in made):
        if dataset.answers is None and dataset.responses is None:
            raise DataError(f"{type(router).__name__} reads answers between its calls; the dataset has none.")
        return Driven(model=-1, quality=_NAN, cost_usd=_NAN, propensity=propensity, calls=len(made))
    cost = total_usd(step.cost_usd for step in steps)
    model, quality = _scored(answer, made, tape, dataset)
    return Driven(
        model=model,
        quality=quality,
        cost_usd=_NAN if cost is None else cost,
        propensity=propensity,
        calls=len(made),
    )


def _heard(step: Step, tape: Tape) -> bool:
    """Return whether the text of a call's answer is on record; a sample that is not was an error, which the plan saw."""
    effect = step.effect
    return isinstance(effect, Call) and (effect.purpose == "sample" or tape.text(effect.model) is not None)


def _scored(answer: Answer, made: list[Step], tape: Tape, dataset: RoutingDataset) -> tuple[int, float]:
    """Return the column and the quality of an answer; voters count when their answers scored alike."""
    if answer.model is not None:
        quality = tape.cell("quality", answer.model)
        column = dataset.models.index(answer.model) if answer.model in dataset.models else -1
        return column, _NAN if quality is None else quality
    scores = {tape.quality(step) for step in made if step.path in answer.support}
    quality = scores.pop() if len(scores) == 1 else None
    return -1, _NAN if quality is None else quality
