"""When two texts are the same answer."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data.equivalence import Equivalence, answer_key, coded


@pytest.mark.parametrize(
    ("equivalence", "one", "other", "same"),
    [
        ("exact", " Paris ", "Paris", True),
        ("exact", "Paris", "paris", False),
        ("normalised", "The  answer.", "the answer", True),
        ("normalised", "Paris", "Rome", False),
        ("numeric", "It costs $1,200.50 in all", "1200.5", True),
        ("numeric", "first 3, then -4", "-4.0", True),
        ("numeric", "12", "13", False),
        ("option", "A or B? The answer is (B).", "b) no, Answer: B", True),
        ("option", "(C)", "C", True),
        ("option", "The answer is C", "The answer is D", False),
    ],
)
def test_keys_tell_answers_apart(equivalence: Equivalence, one: str, other: str, *, same: bool) -> None:
    """Equal keys are equal answers."""
    assert (answer_key(one, equivalence) == answer_key(other, equivalence)) is same


@pytest.mark.parametrize("text", [None, "", "  \n", "no number or letter here?"])
def test_nothing_said_is_no_answer(text: str | None) -> None:
    """A text in which there is no answer has no key."""
    assert answer_key(text, "numeric") is None
    assert answer_key(text, "option") is None


def test_codes_are_first_columns() -> None:
    """An answer's code is the first column of its row that gave it; rows do not know each other."""
    texts = np.array([["4", "5", "4.0", None], ["5", "", "4", "4"]], dtype=object)
    assert coded(texts, "numeric").tolist() == [[0, 1, 0, -1], [0, -1, 2, 2]]
