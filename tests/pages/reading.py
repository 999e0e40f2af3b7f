"""Reading: the fenced blocks of a Markdown page, the output shown below them, and what they need installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Block", "blocks", "pages"]

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)\s*$")
_HEADING = re.compile(r"^(#+) ")
_REQUIRES = re.compile(r"^<!-- requires: (.+) -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block: its lines are those numbered first to last, the last excluded, from 0.

    `requires` are the modules without which it cannot run, by a comment `<!-- requires: a, b -->`, which holds for its section:
    up to the next heading of its own level or a higher one.
    """

    language: str
    lines: tuple[str, ...]
    first: int
    last: int
    requires: tuple[str, ...]
    adjoining: bool
    """Whether nothing but blank lines stands between this block and the one before."""

    @property
    def code(self) -> str:
        """The lines as one text."""
        return "".join(f"{line}\n" for line in self.lines)


def pages() -> list[Path]:
    """Return every page whose code is run."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("packages/*/README.md"))]


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    return list(_blocks(text.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    level, required = 1, {}
    language, first, since = None, 0, False
    for number, line in enumerate(lines):
        if language is None:
            opened = _FENCE.match(line)
            since = since and (opened is not None or not line.strip())
            if opened:
                language, first = opened[1] or "text", number + 1
            elif heading := _HEADING.match(line):
                level = len(heading[1])
                required = {at: names for at, names in required.items() if at < level}
            elif wanted := _REQUIRES.match(line):
                required[level] = tuple(name.strip() for name in wanted[1].split(","))
        elif line == "```":
            names = tuple(name for held in required.values() for name in held)
            yield Block(language, tuple(lines[first:number]), first, number, names, since)
            language, since = None, True
    if language is not None:
        raise ValueError(f"The block that starts in line {first} is never closed.")
