"""Confidences: a query and the responses so far in, a score of the last one out; higher is better."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import Component, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.tape import Tape, play
from pointsman.errors import DataError, choices
from pointsman.flow import Plan
from pointsman.types import Call, Context, Query, Response, total_usd

__all__ = ["SIGNALS", "Confidence", "Scored", "by_cost", "free", "prefixes"]

Vector = NDArray[np.float64]

SIGNALS: Mapping[str, str] = {
    "text": "what the last model wrote",
    "responses": "what the models before it wrote",
    "logprobs": "log-probabilities of the tokens",
    "top_logprobs": "log-probabilities of the likeliest tokens at each place",
    "samples": "further answers of the last model",
    "judge": "calls that send a prompt of their own",
    "tool calls": "the calls that a response asks for",
}
"""What a confidence may need to know."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Scores of n responses, shape (n,), NaN where it cannot tell.

    Beside them the dollars of its own calls, NaN where unknown, and their number.
    """

    score: Vector
    cost_usd: Vector
    calls: Vector


class Confidence(Component):
    """Scores the last response to a query, given those before it.

    A score is in [0, 1], higher is better; it need not be a probability, unless `Calibrated` made it one. `assess` is a plan:
    what it wants done beside, such as samples or a judge, it yields as calls, which are paid like any other. It never sees what
    an answer scored. A call of its own that fails makes it less sure or unable to tell; it never raises CallError.
    """

    tags: ClassVar[Tags] = Tags(when=frozenset({"post-generation"}), what=frozenset({"query", "response"}))
    needs: ClassVar[frozenset[str]] = frozenset({"text"})
    """The signals it reads, of `SIGNALS`."""
    asks: ClassVar[Mapping[str, Any]] = {}
    """The parameters that the calls to be scored must be made with, such as `{"logprobs": True}`."""

    @property
    def learns(self) -> bool:
        """Whether `fit` has to be called before `assess`."""
        return type(self).fit is not Confidence.fit

    def fit(self, dataset: RoutingDataset, order: Sequence[str] | None = None) -> Self:
        """Learn from outcomes and return self.

        Args:
            dataset: What models answered, and what that scored.
            order: In which order they will be run; by default from the cheapest to the dearest.
        """
        del dataset, order
        return self

    @abstractmethod
    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Return the score of the last of the responses, at least one; None where it cannot tell."""

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Return the scores of the last of the models `ran`, had they been run in this order on every query.

        Where a text was not kept, the score is unknown. What `assess` returns on recorded responses, for all rows at once;
        override it where that is faster.

        Raises:
            DataError: When the dataset lacks a model, or what its calls would return.
        """
        unknown = set(ran) - set(dataset.models)
        if unknown or not ran:
            told = choices(unknown) or "no model"
            raise DataError(f"There are no outcomes of {told}; there are those of {choices(dataset.models)}.")
        rows = [self._row(dataset, row, ran) for row in range(len(dataset))]
        found = np.array(rows, dtype=np.float64).reshape(-1, 3)
        return Scored(score=found[:, 0], cost_usd=found[:, 1], calls=found[:, 2])

    def _row(self, dataset: RoutingDataset, row: int, ran: Sequence[str]) -> tuple[float, float, int]:
        tape = Tape(dataset, row)
        if any(tape.text(name) is None for name in ran):
            return np.nan, 0.0, 0
        score, steps = play(self.assess(tape.query, [tape.response(name) for name in ran]), tape)
        cost = total_usd(step.cost_usd for step in steps)
        calls = sum(isinstance(step.effect, Call) for step in steps)
        return np.nan if score is None else score, np.nan if cost is None else cost, calls


def free(score: Vector) -> Scored:
    """Return scores that took no calls."""
    return Scored(score=score, cost_usd=np.zeros(len(score)), calls=np.zeros(len(score)))


def by_cost(dataset: RoutingDataset) -> tuple[str, ...]:
    """Return the models from the cheapest to the dearest; those of unknown cost last, ties by name."""
    cost = np.nan_to_num(dataset.mean_cost_usd, nan=np.inf).tolist()
    return tuple(name for _, name in sorted(zip(cost, dataset.models, strict=True)))


def prefixes(order: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the lists of models that have run when each of them is assessed.

    >>> prefixes(("small", "large"))
    [('small',), ('small', 'large')]
    """
    return [tuple(order[: i + 1]) for i in range(len(order))]
