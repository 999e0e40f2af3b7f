"""Rows of the long form with their types: text or None, numbers or NaN; whatever else a file says is a problem."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.data.readers.fields import FIELDS, Field
from pointsman.data.readers.problems import Place, Problems, shown
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError

__all__ = ["Rows", "joined", "typed"]

_log = logging.getLogger(__name__)

Numbers = NDArray[np.float64]
Texts = NDArray[np.object_]
_TRUTH = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one or more tables by field; a field that a table lacks is all None or NaN.

    Parameters:
        tables: Where the rows come from, in order.
        texts: Objects of shape (n,) by field: text or None.
        numbers: Floats of shape (n,) by field; NaN is unknown.
    """

    tables: Sequence[Table]
    texts: Mapping[str, Texts]
    numbers: Mapping[str, Numbers]

    def __len__(self) -> int:
        return sum(map(len, self.tables))

    def place(self, row: int) -> Place:
        """Return where a row stands in its file."""
        for table in self.tables:
            if row < len(table):
                return table.place(row)
            row -= len(table)
        raise IndexError(row)


def joined(parts: Sequence[Rows]) -> Rows:
    """Put the rows of several files one after the other."""
    return Rows(
        tables=[table for part in parts for table in part.tables],
        texts={name: np.concatenate([part.texts[name] for part in parts]) for name in parts[0].texts},
        numbers={name: np.concatenate([part.numbers[name] for part in parts]) for name in parts[0].numbers},
    )


def typed(
    table: Table, problems: Problems, *, filled: Collection[str], scale: tuple[float, float] | None = None
) -> Rows:
    """Give every column of a table its type and report each value that does not fit.

    `filled` names the texts that no row may lack. `scale` is the (lowest, highest) quality a file can hold: it becomes
    [0, 1], and the variance between runs shrinks with it.
    """
    low, high = (0.0, 1.0) if scale is None else scale
    if not low < high:
        raise DataError(f"scale must be (lowest, highest) quality, got {scale}.")
    fields = {**FIELDS, "quality": replace(FIELDS["quality"], low=low, high=high)}
    numbers = {name: _numbers(name, field, table, problems) for name, field in fields.items() if field.numeric}
    if scale is not None:
        numbers["quality"] = (numbers["quality"] - low) / (high - low)
        numbers["run_variance"] = numbers["run_variance"] / (high - low) ** 2
    if "quality" in table.columns and len(unscored := np.flatnonzero(~table.columns["quality"].given)):
        first = table.place(int(unscored[0]))
        _log.warning("%d rows have no quality and count as not scored, the first at %s", len(unscored), first)
    texts = {name: _texts(name, table, problems) for name, field in fields.items() if not field.numeric}
    for name in filled:
        for row in (i for i, value in enumerate(texts[name]) if value is None or not value.strip()):
            problems.add(table.place(row), f"{name} is empty")
    return Rows(tables=[table], texts=texts, numbers=numbers)


def _texts(name: str, table: Table, problems: Problems) -> Texts:
    """Return a column as text; whole numbers are taken for text as well, since identifiers often are."""
    column = table.columns.get(name)
    texts = np.full(len(table), None, dtype=object)
    if column is None:
        return texts
    nothing = None if name == "answer" else ""  # an empty answer is one; an empty name is none
    rows = np.flatnonzero(column.given & (column.values != nothing))
    values = column.values[rows]
    if set(map(type, values)) <= {str}:
        texts[rows] = values
        return texts
    for row, value in zip(rows.tolist(), values.tolist(), strict=True):
        texts[row] = str(value)
        if not isinstance(value, str | int) or isinstance(value, bool):
            problems.add(table.place(row), f"{name} must be text, is {shown(value)}")
    return texts


def _numbers(name: str, field: Field, table: Table, problems: Problems) -> Numbers:
    """Return a column as floats; NaN says unknown, except that a quality must not be NaN."""
    column = table.columns.get(name)
    numbers = np.full(len(table), np.nan)
    if column is None:
        return numbers
    rows = np.flatnonzero(column.given)
    values, fits = _parsed(column.values[rows], field)
    fits &= ~((values < field.low) | (values > field.high) | np.isinf(values))
    if name == "quality":
        fits &= ~np.isnan(values)
    if field.whole:
        fits &= np.isnan(values) | (values == np.floor(values))
    for row in rows[~fits].tolist():
        problems.add(table.place(row), f"{name} must be {field.wanted}, is {shown(_plain(column, row))}")
    numbers[rows[fits]] = values[fits]
    return numbers


def _parsed(values: NDArray[Any], field: Field) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return values as floats, and which of them are numbers at all."""
    all_fit = np.ones(len(values), dtype=bool)
    if values.dtype.kind in "biuf":
        return values.astype(np.float64), all_fit
    if set(map(type, values)) <= {str, int, float}:
        try:
            return values.astype(np.float64), all_fit
        except (ValueError, OverflowError):
            pass  # at least one is no number: find out which
    numbers = [_number(value, field) for value in values.tolist()]
    fits = np.array([number is not None for number in numbers], dtype=bool)
    return np.array([np.nan if number is None else number for number in numbers], dtype=np.float64), fits


def _number(value: Any, field: Field) -> float | None:
    if isinstance(value, bool):
        return float(value) if field.truth else None
    if not isinstance(value, str | int | float | Decimal):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return _TRUTH.get(str(value).strip().lower()) if field.truth else None


def _plain(column: Column, row: int) -> Any:
    value = column.values[row]
    return value.item() if isinstance(value, np.generic) else value
