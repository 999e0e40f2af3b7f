"""Answers compared with references as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose

from pointsman.confidence.reading import last_number
from pointsman.errors import ConfigError
from pointsman.probing.prompts import Prompt
from pointsman.probing.scoring.base import Ask, Score, Scorer

__all__ = ["Numeric"]


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
