"""Tasks whose answers can be checked: drawn from generators, with the reference answer computed as they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from pointsman.errors import ConfigError

__all__ = ["ANSWER", "SCORER", "Kind", "Maker", "Puzzle", "Task", "final_answer", "generate"]

ANSWER = "Answer:"
"""What stands before the final answer in a worked reply."""

SCORER = MappingProxyType({"type": "regex", "pattern": f"{ANSWER} (.+)"})
"""How a reply is scored against the reference answer: by what it gives as its last answer."""


class Puzzle(NamedTuple):
    """One question and its answer."""

    text: str
    answer: str


Maker: TypeAlias = Callable[[Random], Puzzle]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One family of tasks: what makes its easy, its medium and its hard ones."""

    name: str
    easy: tuple[Maker, ...]
    medium: tuple[Maker, ...]
    hard: tuple[Maker, ...]

    @property
    def levels(self) -> tuple[tuple[Maker, ...], ...]:
        """The makers by difficulty, easy first."""
        return self.easy, self.medium, self.hard


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A question of one kind and level (1 easy to 3 hard) with its reference answer."""

    id: str
    kind: str
    level: int
    text: str
    answer: str


def generate(n: int, *, seed: int = 0) -> list[Task]:
    """Return n different tasks, the kinds in turn and the levels at random; a longer list begins with the shorter one.

    >>> [task.text for task in generate(2)] == [task.text for task in generate(5)][:2]
    True
    """
    if n < 1:
        raise ConfigError(f"The number of tasks must be at least 1, got {n}.")
    endless = _tasks(seed)
    return [next(endless) for _ in range(n)]


def _tasks(seed: int) -> Iterator[Task]:
    from pointsman.demo.kinds import KINDS

    seen: set[str] = set()
    while True:
        for kind in KINDS:
            rng = Random(f"{seed}:{len(seen)}")  # noqa: S311 - exercises, not secrets
            puzzle = None
            while puzzle is None or puzzle.text in seen:
                level, makers = rng.choice([*enumerate(kind.levels, start=1)])
                puzzle = rng.choice(makers)(rng)
            seen.add(puzzle.text)
            name = f"{kind.name}-{len(seen):05d}"
            yield Task(id=name, kind=kind.name, level=level, text=puzzle.text, answer=puzzle.answer)


def final_answer(reply: str) -> str:
    """Return what a reply gives as its answer: the text after the last `Answer:`, or all of it.

    >>> final_answer("3 × 4 = 12. Answer: 12")
    '12'
    """
    return reply.rpartition(ANSWER)[2].strip()
