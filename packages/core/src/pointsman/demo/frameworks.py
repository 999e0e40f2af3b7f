"""Frameworks: the demonstration's router at work in those that are installed; each registers a demonstration of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple, TypeAlias

from pointsman.errors import MissingExtraError

__all__ = ["ENTRY_POINTS", "Exchange", "FrameworkRun", "framework_runs"]

ENTRY_POINTS = "pointsman.demos"
"""The entry-point group of functions `(artefact, questions) -> FrameworkRun`, named after the extra that each one needs."""


class Exchange(NamedTuple):
    """One question, the program that the router had answer it, and what it said."""

    question: str
    model: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkRun:
    """What was run (the source code of it) and what came back."""

    framework: str
    code: str
    exchanges: tuple[Exchange, ...]


Demonstration: TypeAlias = Callable[[Path, Sequence[str]], FrameworkRun]


def framework_runs(artefact: Path, questions: Sequence[str]) -> Iterator[FrameworkRun | MissingExtraError]:
    """Yield what each registered framework makes of a saved router, or the error that names the extra to install."""
    for point in sorted(entry_points(group=ENTRY_POINTS)):
        try:
            demonstration: Demonstration = point.load()
        except MissingExtraError as error:
            yield error
        except ModuleNotFoundError as error:
            yield MissingExtraError(error.name or point.name, point.name)
        else:
            yield demonstration(artefact, questions)
