"""Tapes: what is on record of one query, as the outcomes of the calls that a plan makes."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError
from pointsman.flow import Effect, Outcome, Plan, Recorder, Run
from pointsman.types import Call, CallError, Embed, Path, Query, Response, Step, Usage

__all__ = ["Tape", "play"]

T = TypeVar("T")


class Tape:
    """The record of one query: it performs calls for an answer, samples, and the query's own embedding.

    The text of a response is all that the model wrote where that was kept, else its final answer. A call whose purpose is
    "sample" gets the cell's next recorded sample, at the price of the cell; when they run out, a CallError.

    Parameters:
        dataset: The outcomes.
        row: Which query.
    """

    def __init__(self, dataset: RoutingDataset, row: int) -> None:
        self._data = dataset
        self._row = row
        self._column = {name: j for j, name in enumerate(dataset.models)}
        self._sampled: dict[Path, tuple[int, int]] = {}
        self.query: Query = dataset.queries[row]

    def perform(self, effect: Effect, path: Path) -> Outcome:
        """Answer an effect from the record.

        Raises:
            DataError: For what no outcome can tell: another prompt than the query's own, samples where none are kept, an
                embedding of another text.
        """
        if isinstance(effect, Embed):
            return self._embed(effect)
        if effect.messages is not None:
            raise DataError(
                f"A {effect.purpose!r} call of {effect.model!r} sends another prompt than the query's own; outcomes cannot "
                "tell what it would return."
            )
        return self._sample(effect, path) if effect.purpose == "sample" else self.response(effect.model)

    def response(self, model: str) -> Response:
        """Return what a model answered; text that nobody kept is empty."""
        return Response(
            model=model,
            text=self.text(model) or "",
            answer=self._kept("answers", model),
            cost_usd=self.cell("cost_usd", model),
            latency_s=self.cell("latency_s", model),
            usage=self._usage(model),
        )

    def text(self, model: str) -> str | None:
        """Return the text of a model's answer, or None where none is on record."""
        whole = self._kept("responses", model)
        return self._kept("answers", model) if whole is None else whole

    def cell(self, field: str, model: str) -> float | None:
        """Return a number on record of a model, or None."""
        matrix = getattr(self._data, field)
        if matrix is None or model not in self._column:
            return None
        value = float(matrix[self._row, self._column[model]])
        return None if np.isnan(value) else value

    def quality(self, step: Step) -> float | None:
        """Return what the answer of a call scored, or None where nobody knows."""
        if step.path[:2] in self._sampled:
            column, number = self._sampled[step.path[:2]]
            scores = self._data.sample_quality
            value = np.nan if scores is None else float(scores[self._row, column, number])
            return None if np.isnan(value) else value
        return self.cell("quality", step.effect.model) if isinstance(step.effect, Call) else None

    def _embed(self, effect: Embed) -> Outcome:
        vector = self.query.embedding
        if vector is None or set(effect.texts) != {self.query.text}:
            raise DataError(f"The dataset has no embedding by {effect.embedder!r} of query {self.query.id!r}.")
        return (tuple(vector.tolist()),) * len(effect.texts)

    def _sample(self, call: Call, path: Path) -> Response | CallError:
        samples = self._data.samples
        if samples is None:
            raise DataError(f"A 'sample' call of {call.model!r} needs samples, and the dataset keeps none.")
        column = self._column.get(call.model, -1)
        number = sum(1 for known, _ in self._sampled.values() if known == column)
        if column < 0 or number >= samples.shape[2]:
            return CallError(call.model, "no further sample is on record")
        self._sampled[path[:2]] = (column, number)
        kept, scores = samples[self._row, column, number], self._data.sample_quality
        if kept is None and (scores is None or np.isnan(scores[self._row, column, number])):
            return CallError(call.model, "this sample is not on record")
        price, text = self.cell("cost_usd", call.model), "" if kept is None else str(kept)
        return Response(model=call.model, text=text, answer=None if kept is None else text, cost_usd=price)

    def _kept(self, field: str, model: str) -> str | None:
        texts = getattr(self._data, field)
        if texts is None or model not in self._column:
            return None
        text = texts[self._row, self._column[model]]
        return None if text is None else str(text)

    def _usage(self, model: str) -> Usage | None:
        tokens = [self.cell(field, model) for field in ("input_tokens", "output_tokens")]
        if tokens == [None, None]:
            return None
        read, written = (None if count is None else round(count) for count in tokens)
        return Usage(input_tokens=read, output_tokens=written)


def play(plan: Plan[T], tape: Tape) -> tuple[T, tuple[Step, ...]]:
    """Drive a plan with what is on record, one effect after the other; return its result and the steps."""
    recorder = Recorder()
    with Run(plan) as run:
        while not run.done:
            outcomes: list[Outcome] = []
            for effect, path in run.requests():
                with recorder.recording(effect, path) as keep:
                    outcomes.append(keep(tape.perform(effect, path)))
            run.send(tuple(outcomes))
        return run.result, recorder.steps
