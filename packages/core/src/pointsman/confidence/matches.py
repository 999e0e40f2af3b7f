"""Matches: answers that are the same as text, but for spelling, as a number, as JSON, or as the letter of an option."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Annotated

from annotated_types import Ge, Le

from pointsman.confidence.equivalence import KeyedEquivalence
from pointsman.confidence.reading import json_in, last_choice, last_number, normalised

__all__ = ["ChoiceMatch", "ExactMatch", "JsonMatch", "NormalisedMatch", "NumericMatch"]


class ExactMatch(KeyedEquivalence):
    """Answers are the same when their texts are, but for blanks at both ends."""

    def key(self, answer: str) -> Hashable | None:
        """Return the text."""
        return answer.strip() or None


class NormalisedMatch(KeyedEquivalence):
    """Answers are the same when their texts are, but for case, blanks, and the quotes and stops around them."""

    def key(self, answer: str) -> Hashable | None:
        """Return the normalised text."""
        return normalised(answer) or None


class NumericMatch(KeyedEquivalence):
    """Answers are the same when their last numbers are, to so many significant digits.

    Parameters:
        digits: Digits that count, from 1 to 15.
    """

    digits: Annotated[int, Ge(1), Le(15)] = 6

    def key(self, answer: str) -> Hashable | None:
        """Return the last number, rounded."""
        number = last_number(answer)
        return None if number is None else float(f"{number:.{self.digits - 1}e}") + 0.0  # -0 is 0


class JsonMatch(KeyedEquivalence):
    """Answers are the same when they, or the code blocks in them, are equal as JSON.

    The order of keys does not matter, and 1.0 is 1.
    """

    def key(self, answer: str) -> Hashable | None:
        """Return the value with its keys sorted."""
        try:
            return json.dumps(json_in(answer, parse_float=_number), sort_keys=True)
        except ValueError:
            return None


class ChoiceMatch(KeyedEquivalence):
    """Answers are the same when they settle on the same option's letter."""

    def key(self, answer: str) -> Hashable | None:
        """Return the letter."""
        return last_choice(answer)


def _number(digits: str) -> float:
    value = float(digits)
    return int(value) if value.is_integer() else value
