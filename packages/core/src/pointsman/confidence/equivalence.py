"""Equivalences: which answers say the same."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence

from pointsman.components import Component
from pointsman.flow import Plan
from pointsman.types import Query

__all__ = ["Equivalence", "KeyedEquivalence", "numbered", "share_of_last"]


class Equivalence(Component):
    """Tells which answers to a query say the same.

    `groups` is a plan, since telling may take a model or an embedding. A call that fails makes answers count as different.
    """

    @abstractmethod
    def groups(self, query: Query, answers: Sequence[str]) -> Plan[tuple[int | None, ...]]:
        """Return each answer's group, numbered from 0 by first appearance; None where nothing can be compared."""


class KeyedEquivalence(Equivalence):
    """Answers say the same when the same is read out of them."""

    @abstractmethod
    def key(self, answer: str) -> Hashable | None:
        """Return what an answer says, comparable; None where it says nothing that can be compared."""

    def groups(self, query: Query, answers: Sequence[str]) -> Plan[tuple[int | None, ...]]:
        """Group answers of equal keys."""
        yield from ()
        return numbered(map(self.key, answers))


def numbered(keys: Iterable[Hashable | None]) -> tuple[int | None, ...]:
    """Number keys by first appearance; None stays.

    >>> numbered(["b", None, "a", "b"])
    (0, None, 1, 0)
    """
    seen: dict[Hashable, int] = {}
    return tuple(None if key is None else seen.setdefault(key, len(seen)) for key in keys)


def share_of_last(groups: Sequence[int | None]) -> float:
    """Return the share of answers that say what the last one says; an answer that cannot be compared is alone.

    >>> share_of_last([0, 1, 0, 0]), share_of_last([0, None])
    (0.75, 0.5)
    """
    last = groups[-1]
    return (1 if last is None else sum(group == last for group in groups)) / len(groups)
