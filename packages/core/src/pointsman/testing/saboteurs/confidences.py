"""Saboteurs of confidences: scores out of range, peeks at the truth, calls in disguise, and plans that differ by driver."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import ClassVar

import numpy as np

from pointsman.confidence.base import Scored
from pointsman.data.dataset import RoutingDataset
from pointsman.flow import Plan, ask
from pointsman.testing.saboteurs.honest import NOW, HonestConfidence
from pointsman.types import Call, Context, Query, Response

__all__ = [
    "AnswersByItself",
    "CountsRuns",
    "GivesUpOnErrors",
    "InventsLikelihoods",
    "JudgesByDriver",
    "NeedsMagic",
    "PeeksAtTruth",
    "RoundsRecords",
    "ScoresInPercent",
    "SwallowsCancellation",
]

_RUNS = count()


class ScoresInPercent(HonestConfidence):
    """Scores from 0 to 100."""

    breaks: ClassVar = ("check_scores_are_from_0_to_1",)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = NOW) -> Plan[float | None]:
        """Score as usual, in another unit."""
        score = yield from super().assess(query, responses, context)
        return None if score is None else 100 * score


class NeedsMagic(HonestConfidence):
    """Needs something that nobody can give."""

    breaks: ClassVar = ("check_needs_are_signals",)
    needs: ClassVar = frozenset({"magic"})


class JudgesByDriver(HonestConfidence):
    """Is less sure inside an event loop."""

    breaks: ClassVar = ("check_awaited_scores_agree",)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = NOW) -> Plan[float | None]:
        """Score by where it runs."""
        score = yield from super().assess(query, responses, context)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return score
        return None


class CountsRuns(HonestConfidence):
    """Changes its mind with every run."""

    breaks: ClassVar = ("check_interrupted_assessments_resume", "check_use_repeats")

    def assess(self, query: Query, responses: Sequence[Response], context: Context = NOW) -> Plan[float | None]:
        """Score by how often it was asked before."""
        yield from super().assess(query, responses, context)
        return 1 / (1 + next(_RUNS))


class SwallowsCancellation(HonestConfidence):
    """Asks again when it is cut off."""

    breaks: ClassVar = ("check_cancelled_assessments_stay_on_record",)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = NOW) -> Plan[float | None]:
        """Go on whatever happens."""
        try:
            return (yield from super().assess(query, responses, context))
        except GeneratorExit:
            yield (Call(model=responses[-1].model, purpose="sample"),)
            raise


class GivesUpOnErrors(HonestConfidence):
    """Raises what its samples raise."""

    breaks: ClassVar = ("check_failed_calls_are_survived",)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = NOW) -> Plan[float | None]:
        """Ask one call that must succeed."""
        yield from ask(Call(model=responses[-1].model, purpose="sample"))
        return (yield from super().assess(query, responses, context))


class AnswersByItself(HonestConfidence):
    """Makes calls that look like answers."""

    breaks: ClassVar = ("check_own_calls_are_named",)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = NOW) -> Plan[float | None]:
        """Call for an answer before scoring."""
        yield (Call(model=responses[-1].model),)
        return (yield from super().assess(query, responses, context))


class InventsLikelihoods(HonestConfidence):
    """Takes unknown log-probabilities for zeros."""

    breaks: ClassVar = ("check_absent_log_probabilities_are_unknown",)
    needs: ClassVar = frozenset({"logprobs"})

    def assess(self, query: Query, responses: Sequence[Response], context: Context = NOW) -> Plan[float | None]:
        """Return the likelihood, or certainty."""
        yield from ()
        return float(np.exp(np.mean(responses[-1].logprobs or (0.0,))))


class PeeksAtTruth(HonestConfidence):
    """Returns what the answers scored."""

    breaks: ClassVar = ("check_truth_is_not_read", "check_recorded_scores_agree")

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Look it up."""
        column = dataset.models.index(ran[-1])
        return replace(super().recorded(dataset, ran), score=dataset.quality[:, column])


class RoundsRecords(HonestConfidence):
    """Forgets what its samples of recorded answers cost."""

    breaks: ClassVar = ("check_recorded_scores_agree",)

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Return the scores for nothing."""
        return replace(super().recorded(dataset, ran), cost_usd=np.zeros(len(dataset)))
