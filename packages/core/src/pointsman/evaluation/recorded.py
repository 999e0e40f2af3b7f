"""One plan on recorded outcomes: every call is answered from the dataset, and every call is paid."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError
from pointsman.flow import Effect, Outcome, Recorder, drive, recorded
from pointsman.routers.base import Router
from pointsman.types import Answer, Call, Context, Embed, Query, Response, Step, Usage, total_usd

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
    tape = _Tape(dataset, row)
    recorder = Recorder()
    answer = drive(router.plan(tape.query, context), recorded(tape.perform, recorder))
    made = [step for step in recorder.steps if isinstance(step.effect, Call)]
    decisions = dict.fromkeys(step.effect.decision for step in made if isinstance(step.effect, Call))
    propensity = prod(decision.propensity for decision in decisions if decision is not None)
    if len(made) > 1 and not all(tape.has_text(step) for step in made):
        if dataset.answers is None:
            raise DataError(f"{type(router).__name__} reads answers between its calls; the dataset has none.")
        return Driven(model=-1, quality=_NAN, cost_usd=_NAN, propensity=propensity, calls=len(made))
    cost = total_usd(step.cost_usd for step in recorder.steps)
    model, quality = tape.scored(answer, made)
    return Driven(
        model=model,
        quality=quality,
        cost_usd=_NAN if cost is None else cost,
        propensity=propensity,
        calls=len(made),
    )


class _Tape:
    """What is on record of one query."""

    def __init__(self, dataset: RoutingDataset, row: int) -> None:
        self._data = dataset
        self._row = row
        self._column = {name: j for j, name in enumerate(dataset.models)}
        self.query: Query = dataset.queries[row]

    def perform(self, effect: Effect) -> Outcome:
        """Answer an effect from the record."""
        return self._embed(effect) if isinstance(effect, Embed) else self._respond(effect)

    def _embed(self, effect: Embed) -> Outcome:
        vector = self.query.embedding
        if vector is None or set(effect.texts) != {self.query.text}:
            raise DataError(f"The dataset has no embedding by {effect.embedder!r} of query {self.query.id!r}.")
        return (tuple(vector.tolist()),) * len(effect.texts)

    def _respond(self, call: Call) -> Response:
        if call.messages is not None:
            raise DataError(
                f"A {call.purpose!r} call of {call.model!r} sends another prompt than the query's own; outcomes cannot tell "
                "what it would return."
            )
        return Response(
            model=call.model,
            text=self._text(call.model) or "",
            cost_usd=self._cell("cost_usd", call.model),
            latency_s=self._cell("latency_s", call.model),
            usage=self._usage(call.model),
        )

    def has_text(self, step: Step) -> bool:
        """Return whether the text of a call's answer is on record."""
        return isinstance(step.effect, Call) and self._text(step.effect.model) is not None

    def scored(self, answer: Answer, made: list[Step]) -> tuple[int, float]:
        """Return the column and the quality of an answer; voters count when their answers scored alike."""
        if answer.model is not None:
            quality = self._cell("quality", answer.model)
            return self._column.get(answer.model, -1), _NAN if quality is None else quality
        voters = [step.effect.model for step in made if step.path in answer.support and isinstance(step.effect, Call)]
        scores = {self._cell("quality", name) for name in voters}
        quality = scores.pop() if len(scores) == 1 else None
        return -1, _NAN if quality is None else quality

    def _text(self, model: str) -> str | None:
        if self._data.answers is None or model not in self._column:
            return None
        text = self._data.answers[self._row, self._column[model]]
        return None if text is None else str(text)

    def _cell(self, field: str, model: str) -> float | None:
        matrix = getattr(self._data, field)
        if matrix is None or model not in self._column:
            return None
        value = float(matrix[self._row, self._column[model]])
        return None if np.isnan(value) else value

    def _usage(self, model: str) -> Usage | None:
        tokens = [self._cell(field, model) for field in ("input_tokens", "output_tokens")]
        if tokens == [None, None]:
            return None
        read, written = (None if count is None else round(count) for count in tokens)
        return Usage(input_tokens=read, output_tokens=written)
