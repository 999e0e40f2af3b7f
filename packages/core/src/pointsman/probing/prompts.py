"""Prompts: what the candidate models are asked, and what a good answer would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pointsman.data.readers.fields import check_names, renamed
from pointsman.data.readers.problems import Place, Problems, shown
from pointsman.data.readers.reading import FORMATS
from pointsman.data.readers.tables import Table
from pointsman.data.text_id import text_id
from pointsman.errors import DataError, choices
from pointsman.types import Query

__all__ = ["Prompt", "read_prompts"]

_FIELDS = ("id", "text", "reference", "domain", "group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One question for every candidate.

    Parameters:
        text: The question.
        id: Its identifier; by default a hash of the text.
        references: Good answers, any of which is one; empty where none is known.
        domain: What it is about.
        group: Prompts that a later split must not tear apart share one.
    """

    text: str
    id: str = ""
    references: tuple[str, ...] = ()
    domain: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise DataError("A prompt needs a text.")
        if not all(map(str.strip, self.references)):
            raise DataError("A reference must not be blank.")
        if not self.id:
            object.__setattr__(self, "id", text_id(self.text))

    @property
    def query(self) -> Query:
        """The prompt as routers and callers see it."""
        return Query(text=self.text, id=self.id, domain=self.domain)


def read_prompts(path: str | Path, *, columns: Mapping[str, str] | None = None) -> tuple[Prompt, ...]:
    """Read prompts from a `.csv`, `.jsonl` or `.parquet` file, or from a `.txt` with a prompt on every line.

    The columns are text and, where known, id, reference (in JSON also a list of them), domain and group; `columns` maps
    these names to the file's, where they differ.

    Raises:
        DataError: Listing everything that is wrong, each with its line.
    """
    path = Path(path)
    check_names(columns, _FIELDS)
    problems = Problems()
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    if path.suffix == ".txt":
        table = _lines(path)
    elif path.suffix in FORMATS:
        table = renamed(FORMATS[path.suffix](path, problems), columns, known=_FIELDS, required=("text",))
    else:
        raise DataError(f"{path} must end in {choices({'.txt', *FORMATS})}.")
    prompts = _prompts(table, problems)
    problems.raise_if_any()
    if not prompts:
        raise DataError(f"{path} holds no prompts.")
    return tuple(prompts)


def _lines(path: Path) -> Table:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from None
    filled = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
    return Table.of_rows([{"text": line} for _, line in filled], [number for number, _ in filled], str(path), "line")


def _prompts(table: Table, problems: Problems) -> list[Prompt]:
    """Make a prompt of each row; what is malformed, or repeats an identifier, is a problem."""
    prompts: list[Prompt] = []
    places: dict[str, Place] = {}
    for row in range(len(table)):
        place = table.place(row)
        values = {name: _value(table, name, row) for name in table.columns}
        try:
            prompt = _prompt(values)
        except DataError as error:
            problems.add(place, str(error))
            continue
        if places.setdefault(prompt.id, place) is place:
            prompts.append(prompt)
        else:
            problems.add(place, f"prompt {shown(prompt.id)} repeats {places[prompt.id]}")
    return prompts


def _value(table: Table, name: str, row: int) -> Any:
    column = table.columns[name]
    value = column.values[row] if column.given[row] else None
    return value.item() if isinstance(value, np.generic) else value


def _prompt(values: Mapping[str, Any]) -> Prompt:
    references = values.get("reference")
    several = references if isinstance(references, list) else [] if references in (None, "") else [references]
    return Prompt(
        text=_text("text", values.get("text")) or "",
        id=_text("id", values.get("id")) or "",
        references=tuple(_text("reference", one) or "" for one in several),
        domain=_text("domain", values.get("domain")),
        group=_text("group", values.get("group")),
    )


def _text(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise DataError(f"{name} must be text, is {shown(value)}")
