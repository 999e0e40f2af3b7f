"""Confidences that ask again, or compare models: the shares and entropies of the formulas, failures, and what is paid."""

from __future__ import annotations

from itertools import permutations, product
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.confidence.agreement import Agreement
from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.equivalence import Equivalence
from pointsman.confidence.judged_match import ModelMatch
from pointsman.confidence.matches import ChoiceMatch, ExactMatch, JsonMatch, NormalisedMatch, NumericMatch
from pointsman.confidence.semantic_entropy import SemanticEntropy, _decided
from pointsman.testing.assessments import assess
from pointsman.types import Query, Response


@pytest.mark.parametrize(
    ("equivalence", "said", "samples", "expected"),
    [
        (NormalisedMatch(), "Paris", ["paris.", "“Paris”", "Rome", "PARIS"], 3 / 4),
        (ExactMatch(), "Paris", ["paris", "Paris", "Paris ", "Rome"], 2 / 4),
        (NumericMatch(), "It is 4.", ["4.0", "four", "2 + 2 = 4", "5"], 2 / 4),
        (JsonMatch(), '{"a": 1, "b": 2}', ['{"b": 2, "a": 1}', "{}", '{"a": 1.0, "b": 2.0}', "no"], 2 / 4),
        (ChoiceMatch(), "(B)", ["The answer is b", "C", "none", "**B**"], 2 / 4),
        (NormalisedMatch(), "", ["", "", "x", "y"], 0.0),
        (NumericMatch(), "none", ["none", "none", "1", "1"], 0.0),
        (NormalisedMatch(), "a", ["b", "b", "b", "b"], 0.0),
    ],
)
def test_self_consistency(
    score: Any, replies: Any, equivalence: Any, said: str, samples: list[str], expected: float
) -> None:
    """It is the share of the samples that say what the response says; a response that says nothing has none."""
    by = replies(*samples)
    assert score(SelfConsistency(samples=4, equivalence=equivalence), said, by=by) == expected
    assert [call.purpose for call in by.calls] == ["sample"] * 4
    assert {call.model for call in by.calls} == {"model0"}
    assert {call.messages for call in by.calls} == {None}
    assert {call.params["temperature"] for call in by.calls} == {0.7}


def test_failed_samples_do_not_count(score: Any, replies: Any) -> None:
    """The share is of the samples that came; without any it cannot tell."""
    confidence = SelfConsistency(samples=4)
    assert score(confidence, "a", by=replies("a", None, "b", None)) == 1 / 2
    assert score(confidence, "a", by=replies(None)) is None
    assert score(SemanticEntropy(samples=4), "a", by=replies(None)) is None


def test_the_last_response_counts(score: Any, replies: Any) -> None:
    """Samples are drawn of the last model, and held against its response alone."""
    by = replies("b")
    assert score(SelfConsistency(samples=2), "a", "b", by=by) == 1.0
    assert {call.model for call in by.calls} == {"model1"}


def test_final_answers_are_compared(score: Any, replies: Any) -> None:
    """Where somebody has read the final answer out of a response, that is compared."""
    said = Response(model="small", text="I think: Paris", answer="Paris")
    assert score(SelfConsistency(samples=1), said, by=replies("Paris")) == 1.0


@pytest.mark.parametrize(
    ("said", "samples", "shares"),
    [
        ("a", ["a", "a", "a"], [1]),
        ("a", ["b", "b", "b"], [3 / 4, 1 / 4]),
        ("a", ["a", "b", "b"], [1 / 2, 1 / 2]),
        ("a", ["b", "c", "d"], [1 / 4] * 4),
        ("", ["", "a", "a"], [1 / 4, 1 / 4, 1 / 2]),
    ],
)
def test_semantic_entropy(score: Any, replies: Any, said: str, samples: list[str], shares: list[float]) -> None:
    """It is 1 − (−Σ p log p) / log n over the n answers, the response included; one that says nothing is alone."""
    expected = 1 + sum(p * log(p) for p in shares) / log(4)
    assert score(SemanticEntropy(samples=3), said, by=replies(*samples)) == pytest.approx(expected, abs=1e-11)


def test_semantic_entropy_of_the_same_spread_is_the_same(score: Any, replies: Any) -> None:
    """Whichever answer is whose, and live or on record, the same spread has the same score to the last bit."""
    for size in range(2, 7):
        found: dict[tuple[int, ...], set[float]] = {}
        for codes in product(range(3), repeat=size):
            spread = tuple(sorted(codes.count(one) for one in set(codes)))
            *drawn, own = codes
            recorded = _decided(np.array([drawn]), np.array([own]))[0]
            found.setdefault(spread, set()).add(float(recorded))
            if size < 4:
                by = replies(*map(str, drawn))
                found[spread].add(score(SemanticEntropy(samples=size - 1), str(own), by=by))
        assert all(len(scores) == 1 for scores in found.values()), found


def test_agreement(score: Any) -> None:
    """It is the share of all responses that say what the last says; of one response it tells nothing, and it asks nobody."""
    assert score(Agreement(), "a") is None
    assert score(Agreement(), "b", "A.", "a") == 2 / 3
    assert score(Agreement(), "a", "a", "b") == 1 / 3
    assert score(Agreement(), "", "") == 1 / 2
    assert score(Agreement(equivalence=ChoiceMatch()), "the answer is (C)", "c") == 1.0


def test_agreement_by_a_judge_that_fails(score: Any, replies: Any) -> None:
    """Where comparisons fail, only equal texts agree."""
    judged = Agreement(equivalence=ModelMatch(model="judge"))
    assert score(judged, "four", "4", by=replies(None)) == 1 / 2
    assert score(judged, "four", "4", by=replies("yes")) == 1.0
    assert score(judged, "four", "Four.", by=replies(None)) == 1.0


texts = st.sampled_from(["a", "b", "c", "", "4", "4.0"])


@given(said=texts, samples=st.lists(texts, min_size=1, max_size=3))
def test_the_order_of_samples_does_not_matter(said: str, samples: list[str]) -> None:
    """Samples that come in another order make the same score."""
    kinds: list[Equivalence] = [NormalisedMatch(), NumericMatch()]
    for equivalence in kinds:
        for kind in (SelfConsistency, SemanticEntropy):
            confidence = kind(samples=len(samples), equivalence=equivalence)
            response = Response(model="small", text=said)
            found = {
                assess(confidence, Query(text="q"), [response], _in_turn(order))[0] for order in permutations(samples)
            }
            assert len(found) == 1
            assert 0 <= found.pop() <= 1


def _in_turn(order: tuple[str, ...]) -> Any:
    left = list(order)

    def perform(effect: Any) -> Response:
        return Response(model=effect.model, text=left.pop())

    return perform


@given(st.lists(texts, min_size=2, max_size=4))
def test_earlier_responses_may_come_in_any_order(said: list[str]) -> None:
    """Who said the same before does not matter for agreement."""
    *before, last = [Response(model=f"m{i}", text=text) for i, text in enumerate(said)]
    found = {assess(Agreement(), Query(text="q"), [*order, last])[0] for order in permutations(before)}
    assert len(found) == 1
