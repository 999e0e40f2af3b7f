"""What is wrong with the rows of a file: collected first, raised together, each with its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.errors import DataError

__all__ = ["LISTED", "Place", "Problems", "shown"]

LISTED = 50
"""How many problems an error lists; it counts the rest."""

_WIDTH = 60


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row stands: `line` 12 of a text file, from 1, or `row` 12 of a table, `record` 12 of a list, from 0."""

    source: str
    number: int
    unit: str = "line"

    def __str__(self) -> str:
        return f"{self.source}, {self.unit} {self.number}"


class Problems:
    """Collects what is wrong, so that one error can say all of it."""

    def __init__(self) -> None:
        self._found: list[tuple[Place, str]] = []

    def add(self, place: Place, what: str) -> None:
        """Note what is wrong at a place."""
        self._found.append((place, what))

    def lines(self) -> Sequence[str]:
        """Return the problems in the order of their places, the first `LISTED` of them and the number of the rest."""
        found = sorted(self._found)
        listed = [f"{place}: {what}" for place, what in found[:LISTED]]
        return [*listed, f"... and {len(found) - LISTED} more"] if len(found) > LISTED else listed

    def raise_if_any(self) -> None:
        """Raise DataError if anything is wrong."""
        if self._found:
            count = len(self._found)
            raise DataError(f"{count} problem{'s' * (count > 1)} in the data:", self.lines())


def shown(value: Any) -> str:
    """Return a value as messages repeat it, cut short where it is long.

    >>> shown("x" * 100)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"
    """
    text = repr(value)
    return text if len(text) <= _WIDTH else text[:_WIDTH] + "…"
