"""Reading answers: what a text says, however it is written."""

from __future__ import annotations

import pytest

from pointsman.confidence.matches import ChoiceMatch, ExactMatch, JsonMatch, NormalisedMatch, NumericMatch
from pointsman.confidence.reading import json_objects, last_choice
from pointsman.flow import drive
from pointsman.types import Query


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The answer is (B).", "B"),
        ("(A) is wrong, so the answer is C", "C"),
        ("Let us see.\n\nD", "D"),
        ("I would say (E), since the others are too large.", "E"),
        ("**Answer:** f", "F"),
        ("There is no way to tell.", None),
        ("", None),
    ],
)
def test_the_last_choice_is_read(text: str, letter: str | None) -> None:
    """Reasoning about other options does not matter, nor how the letter is set."""
    assert last_choice(text) == letter


def test_objects_are_found_in_prose() -> None:
    """JSON objects are found among other text, broken ones passed over."""
    assert list(json_objects('First {"a": {"b": 1}} then {oops} and {"c": 2}.')) == [{"a": {"b": 1}}, {"c": 2}]


@pytest.mark.parametrize(
    ("equivalence", "same", "other", "mute"),
    [
        (ExactMatch(), ("Paris", " Paris "), "paris", "  "),
        (NormalisedMatch(), ("Paris.", '"paris"'), "Lyon", ""),
        (NumericMatch(), ("It is 1,000.", "1000.0000001"), "1001", "none"),
        (JsonMatch(), ('{"a": 1, "b": 2}', '```json\n{"b": 2, "a": 1}\n```'), '{"a": 1}', "{"),
        (ChoiceMatch(), ("the answer is b", "(B)"), "(C)", "no idea"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_answers_are_grouped(equivalence: NumericMatch, same: tuple[str, str], other: str, mute: str) -> None:
    """What says the same is one group, what cannot be compared is none."""
    plan = equivalence.groups(Query(text="?"), [*same, other, mute])
    assert drive(plan, lambda effect, path: pytest.fail(f"{effect} at {path}")) == (0, 0, 1, None)
