"""The numbers and quoted strings of a prompt, lent out so that made-up values look extracted from it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

__all__ = ["Borrowed"]

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?!\w)")
_QUOTED = re.compile(
    r"(?<!\w)'([^'\n]+)'(?!\w)|\"([^\"\n]+)\"|`([^`\n]+)`|\u201c([^\u201d\n]+)\u201d|\u300c([^\u300d\n]+)\u300d"
)  # an apostrophe quotes only where no word ends or begins
_EXCERPT = 60  # characters


class Borrowed:
    """What a prompt lends, each kind in turn and then from the start again.

    Parameters:
        prompt: The text to borrow from.
        answer: The recorded answer, lent to whatever is called an answer.

    Attributes:
        excerpt: The beginning of the prompt, never empty.
        quoted: All that the prompt quotes, in order.

    >>> lent = Borrowed("Move 'chair' and 'table' by 2 and 3.5 metres")
    >>> lent.string(), lent.string(), lent.number(lambda value: value > 2), lent.string()
    ('chair', 'table', 3.5, 'chair')
    """

    def __init__(self, prompt: str, *, answer: str = "") -> None:
        self.answer = answer
        self._prompt = " ".join(prompt.split())
        self.excerpt = self._prompt[:_EXCERPT] or "text"
        self._numbers = deque(float(number) for number in _NUMBER.findall(prompt))
        self.quoted: tuple[str, ...] = tuple(next(filter(None, groups)) for groups in _QUOTED.findall(prompt))
        self._strings: deque[str] = deque(self.quoted)

    def number(self, fits: Callable[[float], bool]) -> float | None:
        """Return the next number that `fits`, or None if no number of the prompt does."""
        for _ in range(len(self._numbers)):
            value = self._numbers[0]
            self._numbers.rotate(-1)
            if fits(value):
                return value
        return None

    def string(self) -> str:
        """Return the next quoted string; the beginning of a prompt that quotes nothing."""
        if not self._strings:
            return self.excerpt
        value = self._strings[0]
        self._strings.rotate(-1)
        return value

    def mentions(self, value: object) -> bool:
        """Return whether the prompt contains `value`, in any case of letters."""
        return str(value).lower() in self._prompt.lower()
