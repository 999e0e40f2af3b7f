"""Saboteurs of equivalences: groups that tear equal answers apart, are numbered backwards, or need every call to succeed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pointsman.flow import Plan, ask
from pointsman.testing.saboteurs.honest import HonestEquivalence
from pointsman.types import Call, Query

__all__ = ["NumbersBackwards", "TearsApart", "TrustsCalls"]


class TearsApart(HonestEquivalence):
    """Takes no two answers for the same."""

    breaks: ClassVar = ("check_equal_answers_are_together",)

    def groups(self, query: Query, answers: Sequence[str]) -> Plan[tuple[int | None, ...]]:
        """Put each into a group of its own."""
        yield from ()
        return tuple(range(len(answers)))


class NumbersBackwards(HonestEquivalence):
    """Gives the last group the number 0."""

    breaks: ClassVar = ("check_groups_are_numbered_as_they_appear",)

    def groups(self, query: Query, answers: Sequence[str]) -> Plan[tuple[int | None, ...]]:
        """Number the groups from the end."""
        found = yield from super().groups(query, answers)
        top = max((group for group in found if group is not None), default=0)
        return tuple(None if group is None else top - group for group in found)


class TrustsCalls(HonestEquivalence):
    """Raises what its calls raise."""

    breaks: ClassVar = ("check_failed_comparisons_are_survived",)

    def groups(self, query: Query, answers: Sequence[str]) -> Plan[tuple[int | None, ...]]:
        """Ask a model that must not fail."""
        yield from ask(Call(model="medium", purpose="judge"))
        return (yield from super().groups(query, answers))
