"""Confidences: scores from 0 to 1, blind to the truth, by plans that pay for what they ask and survive its failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pointsman.confidence.base import SIGNALS, Confidence, by_cost, prefixes
from pointsman.errors import DataError
from pointsman.flow import Effect, Outcome
from pointsman.testing.assessments import aassess, assess, assess_again, assess_cut_off
from pointsman.testing.cases import ConfidenceCase, only
from pointsman.testing.expecting import expect_same
from pointsman.testing.listeners import Listener
from pointsman.testing.plain import numbers
from pointsman.testing.toys import QUERIES, toy
from pointsman.types import Call, CallError, Query, Response

__all__ = [
    "check_absent_log_probabilities_are_unknown",
    "check_awaited_scores_agree",
    "check_cancelled_assessments_stay_on_record",
    "check_failed_calls_are_survived",
    "check_interrupted_assessments_resume",
    "check_needs_are_signals",
    "check_own_calls_are_named",
    "check_recorded_scores_agree",
    "check_scores_are_from_0_to_1",
    "check_truth_is_not_read",
]


def _responses(query: Query) -> list[list[Response]]:
    return [[Listener.response(query, name) for name in ran] for ran in prefixes(by_cost(toy()))]


def _asked() -> list[tuple[Query, Sequence[Response]]]:
    return [(query, responses) for query in QUERIES[:3] for responses in _responses(query)]


def check_scores_are_from_0_to_1(case: ConfidenceCase) -> None:
    """Every score is a number in [0, 1], or None."""
    for query, responses in _asked():
        score, _ = assess(case.fitted, query, responses)
        assert score is None or 0 <= score <= 1, f"a score is {score!r}"


def check_needs_are_signals(case: ConfidenceCase) -> None:
    """What it needs has a name that others know, and it needs something."""
    assert case.fitted.needs, "it says nothing of what it needs"
    assert set(case.fitted.needs) <= set(SIGNALS), f"it needs {sorted(case.fitted.needs)}, of {sorted(SIGNALS)}"


def check_awaited_scores_agree(case: ConfidenceCase) -> None:
    """Awaited, it takes the same steps to the same score."""
    for query, responses in _asked():
        expect_same(
            aassess(case.fitted, query, responses), assess(case.fitted, query, responses), "awaited, it differs"
        )


def check_interrupted_assessments_resume(case: ConfidenceCase) -> None:
    """Replaying its first steps and going on from there ends in the same score."""
    for query, responses in _asked():
        whole = assess(case.fitted, query, responses)
        for done in range(len(whole[1]) + 1):
            again = assess_again(case.fitted, query, responses, done)
            expect_same(again, whole, f"resuming after {done} steps differs")


def check_cancelled_assessments_stay_on_record(case: ConfidenceCase) -> None:
    """Cut off while it waits, it ends, and the calls it waits for are on record at a cost that nobody knows."""
    for query, responses in _asked()[-2:]:
        ended, steps = assess_cut_off(case.fitted, query, responses)
        assert ended == ("cancelled" if steps else "ended"), f"cut off, it {ended}"
        assert all(step.cost_usd is None for step in steps if isinstance(step.effect, Call)), "a cost was made up"


def check_failed_calls_are_survived(case: ConfidenceCase) -> None:
    """When its own calls fail, it is unable to tell or tells by what it has; it never raises."""

    def failing(effect: Effect) -> Outcome:
        return CallError(effect.model if isinstance(effect, Call) else effect.embedder, "busy", retryable=True)

    for query, responses in _asked():
        try:
            score, _ = assess(case.fitted, query, responses, failing)
        except CallError as error:
            raise AssertionError(f"a failed call of its own raises {error!r}") from error
        assert score is None or 0 <= score <= 1, f"after a failure the score is {score!r}"


def check_own_calls_are_named(case: ConfidenceCase) -> None:
    """Its own calls are samples or judgements, and never shown to the user."""
    for query, responses in _asked():
        _, steps = assess(case.fitted, query, responses)
        for effect in (step["effect"] for step in steps):
            assert len(effect) == 2 or effect[1] in {"sample", "judge"}, f"it makes a call for {effect[1]!r}"  # noqa: PLR2004
        wanted = assess_cut_off(case.fitted, query, responses)[1]
        shown = [step for step in wanted if isinstance(step.effect, Call) and step.effect.stream]
        assert not shown, "it streams a call of its own"


def _reads_log_probabilities(case: ConfidenceCase) -> bool:
    return bool(case.component.needs & {"logprobs", "top_logprobs"})


@only(_reads_log_probabilities)
def check_absent_log_probabilities_are_unknown(case: ConfidenceCase) -> None:
    """Without the log-probabilities that it needs, it cannot tell."""
    for query, responses in _asked():
        bare = [replace(response, logprobs=None, top_logprobs=None) for response in responses]
        score, _ = assess(case.fitted, query, bare)
        assert score is None, f"knowing nothing, it scores {score}"


def check_truth_is_not_read(case: ConfidenceCase) -> None:
    """What answers scored has no influence on the scores of a fitted confidence."""
    data = toy()
    other = replace(data, quality=1 - data.quality, sample_quality=np.full((*data.quality.shape, 3), 0.5))
    for ran in prefixes(by_cost(data)):
        try:
            expected = case.fitted.recorded(data, ran)
        except DataError:
            return  # what it asks is not on record
        found = case.fitted.recorded(other, ran)
        expect_same(numbers(found.score), numbers(expected.score), "its scores follow the truth")


def check_recorded_scores_agree(case: ConfidenceCase) -> None:
    """Scores of recorded responses, and what they cost, are those of assessing each of them."""
    for ran in prefixes(by_cost(toy())):
        try:
            expected = Confidence.recorded(case.fitted, toy(), ran)
        except DataError:
            return
        found = case.fitted.recorded(toy(), ran)
        for name in ("score", "cost_usd", "calls"):
            one, two = (numbers(getattr(each, name)) for each in (found, expected))
            expect_same(one, two, f"{name} differs", tolerance=1e-9)
