"""Equivalences: which answers say the same, live and as codes of recorded texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.confidence.codes import ABSENT, MUTE, keys_of
from pointsman.confidence.equivalence import Equivalence, KeyedEquivalence, share_of_last
from pointsman.confidence.judged_match import ModelMatch
from pointsman.confidence.matches import ChoiceMatch, ExactMatch, JsonMatch, NormalisedMatch, NumericMatch
from pointsman.confidence.meaning import EmbeddingMatch
from pointsman.data import RoutingDataset
from pointsman.flow import Effect, Outcome, drive
from pointsman.types import CallError, Embed, Query

QUERY = Query(text="2+2?", id="q")
KEYED: tuple[KeyedEquivalence, ...] = (ExactMatch(), NormalisedMatch(), NumericMatch(), JsonMatch(), ChoiceMatch())


def grouped(equivalence: Equivalence, answers: Sequence[str], perform: Any = None) -> tuple[int | None, ...]:
    """Return the groups of some answers."""

    def performing(effect: Effect, path: Any) -> Outcome:
        del path
        assert perform is not None
        return perform(effect)  # type: ignore[no-any-return]

    return drive(equivalence.groups(QUERY, answers), performing)


@pytest.mark.parametrize(
    ("equivalence", "answers", "groups"),
    [
        (ExactMatch(), ["4", " 4\n", "4.", "", " "], (0, 0, 1, None, None)),
        (NormalisedMatch(), ["Paris", " “PARIS.” ", "paris, france", "", "..."], (0, 0, 1, None, 2)),
        (NumericMatch(), ["4", "It is 4.0", "four", "1/2 or 0.5", "-0", "0"], (0, 0, None, 1, 2, 2)),
        (NumericMatch(digits=2), ["3.14", "3.1", "3.2"], (0, 0, 1)),
        (
            JsonMatch(),
            ['{"a":1,"b":[2]}', '```\n{"b": [2.0], "a": 1.0}\n```', '{"a":2}', "{", "[" * 9_000],
            (0, 0, 1, None, None),
        ),
        (JsonMatch(), ["1", "true", '"1"', "1e0", "null"], (0, 1, 2, 0, 3)),
        (ChoiceMatch(), ["(B)", "the answer is b", "C", "none"], (0, 0, 1, None)),
    ],
)
def test_groups(equivalence: Equivalence, answers: list[str], groups: tuple[int | None, ...]) -> None:
    """Answers that say the same have one number, by first appearance; what says nothing has none."""
    assert grouped(equivalence, answers) == groups


answers = st.sampled_from(["4", "4.0", "-0", "0", "(A)", "a", "A.", '{"x": 1}', '{"x": 1.0}', "", " ", "...", "[1, 2]"])


@given(st.lists(answers | st.text(max_size=5), min_size=1, max_size=6))
def test_codes_tell_what_groups_tell(texts: list[str]) -> None:
    """Recorded answers have equal codes exactly where live ones are in one group, and no code where they have none."""
    names = [f"m{i}" for i in range(len(texts))]
    data = RoutingDataset.from_arrays(["2+2?"], {name: [1.0] for name in names})
    data = replace(data, answers=np.array([texts], dtype=object))
    for equivalence in KEYED:
        groups = grouped(equivalence, texts)
        codes = [int(keys_of(data, name, equivalence)[0]) for name in names]
        assert [code == MUTE for code in codes] == [group is None for group in groups]
        for i, one in enumerate(groups):
            assert [codes[j] == codes[i] for j in range(len(texts)) if one is not None] == [
                other == one for other in groups if one is not None
            ]


def test_answers_come_before_responses() -> None:
    """The final answer counts where there is one, else all that was written; without either there is no code."""
    data = RoutingDataset.from_arrays(["a", "b", "c"], {"m": [1.0, 1.0, 0.0]})
    answers, responses = np.array([["4"], [None], [None]]), np.array([["So it is 4"], ["4"], [None]])
    first, second, third = keys_of(replace(data, answers=answers, responses=responses), "m", ExactMatch()).tolist()
    assert first == second >= 0
    assert third == ABSENT
    assert keys_of(data, "m", ExactMatch()).tolist() == [ABSENT] * 3


def test_share_of_last() -> None:
    """What cannot be compared agrees with nobody but itself."""
    assert share_of_last([0, 0, 1, 0]) == 0.75
    assert share_of_last([None, None]) == 0.5
    assert share_of_last([0]) == 1.0


def test_a_model_compares(replies: Any) -> None:
    """Equal texts need no call, a new one is held against the first of each group, and the first yes counts."""
    by = replies("No.", "no", "Yes, they do.")
    assert grouped(ModelMatch(model="judge"), ["four", "five", "FOUR.", "4", ""], by) == (0, 1, 0, 1, None)
    assert len(by.calls) == 3
    assert {call.purpose for call in by.calls} == {"judge"}
    assert {call.model for call in by.calls} == {"judge"}


@pytest.mark.parametrize("reply", [None, "", "No", "maybe yes", "They do not say yes."])
def test_a_failed_comparison_is_a_no(replies: Any, reply: str | None) -> None:
    """Whatever is no clear yes makes answers count as different."""
    assert grouped(ModelMatch(model="judge"), ["four", "4"], replies(reply)) == (0, 1)


def vectors(effect: Effect) -> Outcome:
    """Return the angles that the texts name, as vectors of different lengths."""
    assert isinstance(effect, Embed)
    angles = [float(text) for text in effect.texts]
    return tuple((np.cos(angle) * (1 + angle), np.sin(angle) * (1 + angle)) for angle in angles)


def test_vectors_compare() -> None:
    """An answer joins the first group whose first answer is near enough, whatever the vectors' lengths."""
    match = EmbeddingMatch(embedder="words", threshold=float(np.cos(0.5)))
    assert grouped(match, ["0", "0.4", "0.8", "2", "0", ""], vectors) == (0, 0, 1, 2, 0, None)


def test_without_an_embedder_texts_compare() -> None:
    """Where vectors fail, only equal texts are the same."""

    def failing(effect: Effect) -> Outcome:
        raise CallError(str(effect), "busy", retryable=True)

    assert grouped(EmbeddingMatch(embedder="words"), ["a", "A.", "b"], failing) == (0, 0, 1)
    assert grouped(EmbeddingMatch(embedder="words"), ["a", "A."]) == (0, 0), "one text needs no vector"
