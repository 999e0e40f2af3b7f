"""Answers compared with references as text: equal, containing, or fitting a pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pointsman.confidence.reading import normalised
from pointsman.errors import ConfigError
from pointsman.probing.prompts import Prompt
from pointsman.probing.scoring.base import Ask, Score, Scorer

__all__ = ["Contains", "Exact", "Regex"]


@dataclass(frozen=True, kw_only=True)
class Exact(Scorer):
    """1 where the whole answer is one of the references, but for case, blanks and the quotes and stops around it."""

    @property
    def needs_reference(self) -> bool:
        """There must be something to compare with."""
        return True

    async def score(self, answer: str, prompt: Prompt, ask: Ask) -> Score:
        """Compare the normalised texts."""
        given = normalised(answer)
        return Score(quality=float(any(given == normalised(reference) for reference in prompt.references)))


@dataclass(frozen=True, kw_only=True)
class Contains(Scorer):
    """1 where one of the references stands in the answer as whole words, in any case."""

    @property
    def needs_reference(self) -> bool:
        """There must be something to compare with."""
        return True

    async def score(self, answer: str, prompt: Prompt, ask: Ask) -> Score:
        """Search the normalised answer; "4" is not in "14"."""
        given = normalised(answer)
        wanted = (re.escape(normalised(reference)) for reference in prompt.references)
        return Score(quality=float(any(re.search(rf"(?<!\w){one}(?!\w)", given) for one in wanted)))


@dataclass(frozen=True, kw_only=True)
class Regex(Scorer):
    r"""1 where the answer fits a pattern; a pattern with a group finds the answer proper, which must equal a reference.

    The last match counts, since reasoning comes before its result: `answer is \(?([A-J])` reads a choice.

    Parameters:
        pattern: A regular expression as Python writes them.
    """

    pattern: str

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ConfigError(f"Regex.pattern {self.pattern!r} is no regular expression: {error}.") from None

    @property
    def needs_reference(self) -> bool:
        """Whether the pattern extracts something to compare."""
        return re.compile(self.pattern).groups > 0

    async def score(self, answer: str, prompt: Prompt, ask: Ask) -> Score:
        """Search the answer as it is."""
        matches = list(re.finditer(self.pattern, answer))
        if not matches:
            return Score(quality=0.0, note="no match")
        if not self.needs_reference:
            return Score(quality=1.0)
        found = normalised(matches[-1].group(1) or "")
        return Score(quality=float(any(found == normalised(reference) for reference in prompt.references)))
