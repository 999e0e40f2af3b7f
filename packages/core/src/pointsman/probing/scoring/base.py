"""Scorers: what an answer is worth, from 0 to 1."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TypeAlias

from pointsman.probing.prompts import Prompt
from pointsman.types import Call, Response

__all__ = ["Ask", "Score", "Scorer"]

Ask: TypeAlias = Callable[[Call], Awaitable[Response]]
"""Carries out a paid call for a scorer, with the collection's retries, limits and books; raises CallError when it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What an answer is worth: `quality` in [0, 1], or None where that could not be told, and a note on why."""

    quality: float | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Scorer(ABC):
    """Scores one answer at a time; its parameters are what it is, so equal parameters score alike."""

    @property
    def needs_reference(self) -> bool:
        """Whether a prompt without a reference cannot be scored."""
        return False

    @property
    def models(self) -> tuple[str, ...]:
        """The models that scoring calls, which are paid."""
        return ()

    @property
    def identity(self) -> str:
        """The scorer as text: what a log remembers a score by."""
        return json.dumps([type(self).__name__, asdict(self)], sort_keys=True, default=str)

    @abstractmethod
    async def score(self, answer: str, prompt: Prompt, ask: Ask) -> Score:
        """Return what an answer to a prompt is worth."""
