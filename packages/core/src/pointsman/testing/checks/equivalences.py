"""Equivalences: groups of answers, numbered as they appear, that hold equal answers together and survive failing calls."""

from __future__ import annotations

from pointsman.flow import Effect, Outcome, drive
from pointsman.testing.cases import EquivalenceCase
from pointsman.testing.listeners import ANSWERS, Listener
from pointsman.testing.toys import QUERIES
from pointsman.types import Call, CallError

__all__ = [
    "check_equal_answers_are_together",
    "check_failed_comparisons_are_survived",
    "check_groups_are_numbered_as_they_appear",
]


def _groups(case: EquivalenceCase) -> tuple[int | None, ...]:
    query = QUERIES[0]
    return drive(case.fitted.groups(query, ANSWERS), lambda effect, _: Listener(query)(effect))


def check_equal_answers_are_together(case: EquivalenceCase) -> None:
    """Every answer has a group or None, and equal texts have the same."""
    groups = _groups(case)
    assert len(groups) == len(ANSWERS), f"{len(ANSWERS)} answers have {len(groups)} groups"
    at = dict(zip(ANSWERS, groups, strict=True))
    apart = [answer for answer, group in zip(ANSWERS, groups, strict=True) if at[answer] != group]
    assert not apart, f"equal answers {apart} are in different groups"


def check_groups_are_numbered_as_they_appear(case: EquivalenceCase) -> None:
    """Groups are numbered from 0 by first appearance."""
    first = list(dict.fromkeys(group for group in _groups(case) if group is not None))
    assert first == list(range(len(first))), f"groups appear as {first}"


def check_failed_comparisons_are_survived(case: EquivalenceCase) -> None:
    """When its calls fail, answers count as different; it never raises."""

    def failing(effect: Effect) -> Outcome:
        return CallError(effect.model if isinstance(effect, Call) else effect.embedder, "busy", retryable=True)

    try:
        groups = drive(case.fitted.groups(QUERIES[0], ANSWERS), lambda effect, _: failing(effect))
    except CallError as error:
        raise AssertionError(f"a failed call raises {error!r}") from error
    assert len(groups) == len(ANSWERS), f"{len(ANSWERS)} answers have {len(groups)} groups"
