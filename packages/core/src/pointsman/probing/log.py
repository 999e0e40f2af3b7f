"""The log of a collection: every attempt and every score on a line of its own, appended the moment it is known."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self, TypeAlias

from pointsman.errors import DataError

__all__ = ["Attempt", "Cell", "Entry", "Log", "Scored", "read_log"]

_log = logging.getLogger(__name__)


class Cell(NamedTuple):
    """One answer to collect: which prompt, from which model, for the how-manyth time (from 0)."""

    query_id: str
    model: str
    run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One paid call made for a cell, its judge's included.

    Parameters:
        query_id, model, run: The cell.
        called: The model that was called: the candidate or a judge.
        purpose: "answer" or "judge".
        request: A hash of what was sent.
        answer: The text that came back; None when the call failed, and then `error` says why.
        cost_usd: None is unknown, and then `held_usd` is the most it can be thought to have cost.
        at: When it began, in seconds since 1970.
    """

    query_id: str
    model: str
    run: int
    called: str
    purpose: str
    request: str
    answer: str | None = None
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    held_usd: float | None = None
    latency_s: float | None = None
    at: float = 0.0

    @property
    def cell(self) -> Cell:
        """The cell it was made for."""
        return Cell(self.query_id, self.model, self.run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What a scorer made of a cell's answer; `quality` None means that it could not tell."""

    query_id: str
    model: str
    run: int
    scorer: str
    quality: float | None = None
    note: str = ""

    @property
    def cell(self) -> Cell:
        """The cell that was scored."""
        return Cell(self.query_id, self.model, self.run)


Entry: TypeAlias = Attempt | Scored

_KINDS: dict[str, type[Attempt | Scored]] = {"attempt": Attempt, "score": Scored}


def read_log(path: Path) -> Iterator[Entry]:
    """Yield the entries of a log, if there is one.

    A last line without its end was torn by a crash and is passed over; any other malformed line raises DataError.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            yield _entry(line, f"{path}, line {number}")


def _entry(line: bytes, place: str) -> Entry:
    try:
        content: dict[str, Any] = json.loads(line)
        return _KINDS[content.pop("entry")](**content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{place} is no entry of a collection's log: {error}.") from None


class Log:
    """An open log to append to; opening it removes a torn last line, so that what follows stays readable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b")
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        if torn := content[whole:]:
            _log.warning("%s: removing a last line that was torn: %r", self._path, torn[:200])
            self._file.truncate(whole)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def append(self, entry: Entry) -> None:
        """Write an entry; it outlives this process from here on."""
        if self._file is None:
            raise ValueError(f"The log {self._path} is not open.")
        kind = "attempt" if isinstance(entry, Attempt) else "score"
        content = {name: value for name, value in asdict(entry).items() if value is not None}
        self._file.write(json.dumps({"entry": kind, **content}, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
