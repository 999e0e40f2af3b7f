"""Work: the answer a skill reached and the steps that led to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

__all__ = ["Skill", "Work"]


class Work(NamedTuple):
    """The final answer, and the lines a thorough program would show before it."""

    answer: str
    steps: tuple[str, ...] = ()


Skill: TypeAlias = Callable[[str], Work | None]
