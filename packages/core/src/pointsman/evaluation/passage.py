"""Passages: the path of one query through its calls, what each cost, and why it ended where it did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pointsman.data.dataset import RoutingDataset
from pointsman.data.tape import Tape, play
from pointsman.errors import DataError
from pointsman.evaluation.tables import as_text, simple_table
from pointsman.evaluation.wording import dollars
from pointsman.routers.base import Router
from pointsman.types import Answer, Call, CallError, Context, Query, Step, Trace, total_usd

__all__ = ["Passage", "Taken", "passage_of", "recorded_passage"]

_LONG = 60  # characters of an answer that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One call: whom it asked, for what, what came of it, its dollars (None: unknown), and whether the answer rests on it.

    `why` is the reason of the decision behind the call, "" where it is that of the call before, as it is for the first.
    """

    model: str
    purpose: str
    outcome: str
    cost_usd: float | None
    supports: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The calls of one query in order, and the answer they ended in; without one, `reason` is empty.

    Parameters:
        taken: The calls, drafts, samples and judges among them.
        model: Whose answer it is; None for a vote, or no answer.
        confidence: The chance that it is right, or whatever score the router went by; None where it had none.
        reason: Why this answer.
        cost_usd: Dollars of all calls; None when that of any is unknown.
    """

    taken: tuple[Taken, ...]
    model: str | None
    confidence: float | None
    reason: str
    cost_usd: float | None

    def __str__(self) -> str:
        table = simple_table("path", "call", "for", "came to", "cost", "answer", "why")
        for place, step in enumerate(self.taken, start=1):
            cost = "unknown" if step.cost_usd is None else dollars(step.cost_usd)
            table.add_row(
                f"{place}. {step.model}",
                step.purpose,
                step.outcome,
                cost,
                "this" if step.supports else "",
                step.why,
            )
        money = "an unknown amount" if self.cost_usd is None else dollars(self.cost_usd)
        sure = "" if self.confidence is None else f", confidence {self.confidence:.3f}"
        return f"{as_text(table)}\n{self.reason or 'no answer'}{sure}; {len(self.taken)} calls for {money}"


def passage_of(trace: Trace) -> Passage:
    """Return the passage of a query that was really run."""
    return _passage(trace.steps, trace.answer)


def recorded_passage(
    router: Router,
    query: Query,
    recorded: RoutingDataset,
    context: Context = Context(),  # noqa: B008 - frozen
) -> Passage:
    """Return the passage of a query whose outcomes are on record, by driving the router's plan on them.

    Raises:
        DataError: When no query of this text is on record, or outcomes cannot tell what a call would have returned.
    """
    found = [row for row, text in enumerate(recorded.queries.texts) if text == query.text]
    if not found:
        raise DataError(f"No outcome of the query {query.text[:_LONG]!r} is on record.")
    tape = Tape(recorded, found[0])
    answer, steps = play(router.plan(tape.query, context), tape)
    return _passage(steps, answer)


def _passage(steps: Iterable[Step], answer: Answer | None) -> Passage:
    taken: list[Taken] = []
    steps, support = tuple(steps), () if answer is None else answer.support
    before: str | None = None
    for step in steps:
        if not isinstance(step.effect, Call):
            continue
        why = "" if step.effect.decision is None else step.effect.decision.reason
        before = why if before is None else before
        taken.append(
            Taken(
                model=step.effect.model,
                purpose=step.effect.purpose,
                outcome=_outcome(step),
                cost_usd=step.cost_usd,
                supports=step.path in support,
                why="" if why == before else why,
            )
        )
        before = why
    return Passage(
        taken=tuple(taken),
        model=None if answer is None else answer.model,
        confidence=None if answer is None else answer.confidence,
        reason="" if answer is None else answer.reason,
        cost_usd=total_usd(step.cost_usd for step in steps),
    )


def _outcome(step: Step) -> str:
    """Say in a few words what a call came to."""
    if isinstance(step.outcome, CallError):
        return f"failed: {step.outcome.message}"
    text = "" if isinstance(step.outcome, tuple) else step.outcome.answer or step.outcome.text
    shown = " ".join(text.split())
    return shown if len(shown) <= _LONG else f"{shown[: _LONG - 1]}…"
