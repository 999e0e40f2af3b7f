"""Answers scored by the user's own function."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pointsman.errors import DataError
from pointsman.probing.prompts import Prompt
from pointsman.probing.scoring.base import Ask, Score, Scorer
from pointsman.references import load

__all__ = ["Function"]


@dataclass(frozen=True, kw_only=True)
class Function(Scorer):
    """What `function(answer, prompt)` returns: a number in [0, 1], a bool, or None where it cannot tell.

    It may be async; a plain one runs in a thread, as it may execute code or read files. Its errors propagate.

    Parameters:
        function: As "module:name".
    """

    function: str

    def __post_init__(self) -> None:
        _ = self._loaded

    @cached_property
    def _loaded(self) -> Any:
        return load(self.function)

    async def score(self, answer: str, prompt: Prompt, ask: Ask) -> Score:
        """Ask the function."""
        if inspect.iscoroutinefunction(self._loaded):
            result = await self._loaded(answer, prompt)
        else:
            result = await asyncio.to_thread(self._loaded, answer, prompt)
        if result is not None and not (isinstance(result, int | float) and 0 <= result <= 1):
            raise DataError(
                f"{self.function} must return a number in [0, 1] or None; for {prompt.id!r} it gave {result!r}."
            )
        return Score(quality=None if result is None else float(result))
