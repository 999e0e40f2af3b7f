"""Answers compared with references as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isclose, isfinite

from pointsman.errors import ConfigError
from pointsman.probing.prompts import Prompt
from pointsman.probing.scoring.base import Ask, Score, Scorer

__all__ = ["Numeric", "last_number"]

_NUMBER = re.compile(
    r"(?<![\w.])(?P<top>[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?|[-+]?\.\d+)"
    r"(?:\s*/\s*(?P<bottom>\d+))?"
)
_FRACTION = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")


def last_number(text: str) -> float | None:
    r"""Return the last number a text states, with thousands' commas, exponents and fractions understood; or None.

    >>> last_number("First 3, so the total is $1,234.50."), last_number("none"), last_number(r"\frac{3}{4}")
    (1234.5, None, 0.75)
    """
    plain = _FRACTION.sub(r"\1/\2", text.replace("−", "-"))
    last = None
    for found in _NUMBER.finditer(plain):
        value = float(found["top"].replace(",", "")) / float(found["bottom"] or 1) if _whole(found) else None
        last = value if value is not None and isfinite(value) else last
    return last


def _whole(found: re.Match[str]) -> bool:
    return found["bottom"] is None or float(found["bottom"]) > 0


@dataclass(frozen=True, kw_only=True)
class Numeric(Scorer):
    """1 where the last number of the answer is that of a reference.

    Parameters:
        tolerance: The difference that does not matter, relative to the larger of both numbers.
    """

    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < 1:
            raise ConfigError(f"Numeric.tolerance must be in [0, 1), got {self.tolerance}.")

    @property
    def needs_reference(self) -> bool:
        """There must be something to compare with."""
        return True

    async def score(self, answer: str, prompt: Prompt, ask: Ask) -> Score:
        """Compare the last numbers; an answer or a reference without any matches nothing."""
        given = last_number(answer)
        if given is None:
            return Score(quality=0.0, note="no number")
        wanted = [number for text in prompt.references if (number := last_number(text)) is not None]
        return Score(quality=float(any(isclose(given, one, rel_tol=self.tolerance) for one in wanted)))
