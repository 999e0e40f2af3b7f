"""Format: how outcomes are laid out in files of one origin, and Source: one such file, ready to be taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.data.formats.values import plain_records
from pointsman.data.readers.fields import ColumnsError
from pointsman.data.readers.problems import Problems
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError, choices
from pointsman.models import ModelPool

__all__ = ["INDEX_COLUMNS", "Format", "Source", "constant", "listed", "nothing_told", "taken"]

INDEX_COLUMNS = ("", "Unnamed: 0")
"""Under these names a data frame's row numbers stand in its CSV."""


def constant(value: Any, count: int) -> Column:
    """Return a column that holds one value throughout.

    >>> constant("small", 2).values.tolist()
    ['small', 'small']
    """
    values = np.full(count, value, dtype=object)
    return Column(values=values, given=np.full(count, value is not None))


def nothing_told(_place: Path) -> None:
    """Return what most files tell of the models besides their outcomes."""


def taken(table: Table, rows: NDArray[np.bool_]) -> Table:
    """Return the rows of a table for which `rows` (n,) is true."""
    columns = {
        name: Column(values=column.values[rows], given=column.given[rows]) for name, column in table.columns.items()
    }
    return replace(table, numbers=table.numbers[rows], columns=columns)


def listed(document: Any, source: str) -> Sequence[Mapping[str, Any]]:
    """Return the records of a JSON document that is a list of objects; raise DataError for another one."""
    if not isinstance(document, list):
        raise DataError(f"{source} must hold a list of JSON objects, holds {_kind(document)}.")
    for number, record in enumerate(document):
        if not isinstance(record, Mapping):
            raise DataError(f"{source}, record {number} must be a JSON object, is {_kind(record)}.")
    return document


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", type(None): "null", bool: "a truth value"}
    described = names.get(type(value), "a number")
    return f"{described} with {choices(map(str, value))}" if isinstance(value, dict) else described


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one file, or one result in memory, holds.

    Parameters:
        table: Its rows and columns as they are.
        problems: Collects what is wrong with them.
        columns: Our name -> its name, where the user said so.
        model: Who answered, where the user or the file's name says so.
        path: The file, or None.
    """

    table: Table
    problems: Problems
    columns: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None
    path: Path | None = None

    def find(self, name: str, *usual: str) -> Column | None:
        """Return the column of a field: the user's choice, or else the first usual name that is there; None without one.

        Raises:
            ColumnsError: When the user chose a column that is not there.
        """
        chosen = self.columns.get(name)
        if chosen is not None and chosen not in self.table.columns:
            raise self.missing(name, chosen)
        names = [own for own in (usual if chosen is None else (chosen,)) if own in self.table.columns]
        return self.table.columns[names[0]] if names else None

    def need(self, name: str, *usual: str) -> Column:
        """Return the column of a field as `find` does; without one raise ColumnsError with the choices."""
        column = self.find(name, *usual)
        if column is None:
            raise self.missing(name, *usual)
        return column

    def missing(self, name: str, *wanted: str) -> ColumnsError:
        """Return the error that a field's column is missing; it names what was looked for and what there is."""
        looked = " or ".join(map(repr, wanted))
        there = choices(self.table.columns) or "none"
        return ColumnsError(f"{self.table.source} has no column {looked} for {name}; it has {there}.", name)

    def undecided(self, name: str, candidates: Iterable[str]) -> ColumnsError:
        """Return the error that several columns, or none, could be a field's."""
        named = choices(candidates)
        what = f"several columns that could be {name}: {named}" if named else f"no column that could be {name}"
        there = choices(self.table.columns) or "none"
        return ColumnsError(f"{self.table.source} has {what}; all its columns: {there}.", name)

    def long(self, columns: Mapping[str, Column | None]) -> Table:
        """Return the table under our names; fields without a column are left out."""
        return replace(self.table, columns={name: column for name, column in columns.items() if column is not None})

    def answered_by(self, name: str) -> Column:
        """Return a column that says of every row that this model answered."""
        return constant(name, len(self.table))


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How to read one format.

    Parameters:
        outcomes: From all sources to tables of the long form.
        suffixes: The kinds of file it comes in.
        within: Patterns by which its files are found in a folder; the first that finds any counts.
        fields: What `columns` may redirect.
        names_models: Whether the rows say who answered.
        takes_models: Whether the user may say who answered: `{"small": file, "large": file}`.
        unpacked: From a parsed `.json` document to its records.
        held: From results in memory to records; a data frame or a sequence of mappings needs none.
        pool: What the files in one place tell of the models; None where nothing.
        note: What everybody must know who uses the data.
    """

    outcomes: Callable[[Sequence[Source]], Iterable[Table]]
    suffixes: tuple[str, ...]
    within: tuple[str, ...] = ("**/*",)
    fields: tuple[str, ...]
    names_models: bool = True
    takes_models: bool = False
    unpacked: Callable[[Any, str], Sequence[Mapping[str, Any]]] = listed
    held: Callable[[Any, str], Sequence[Mapping[str, Any]]] = plain_records
    pool: Callable[[Path], ModelPool | None] = nothing_told
    note: str | None = None
