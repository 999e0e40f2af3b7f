"""CSV in the long form: a header, then a row per query and model (and run); UTF-8, commas, an empty field is unknown."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from pointsman.data.readers.problems import Place, Problems
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError

__all__ = ["read_csv", "write_csv"]

_LIMIT = Lock()


def read_csv(path: Path, problems: Problems) -> Table:
    """Read a file as it stands; rows with more or fewer fields than the header are problems.

    Raises:
        DataError: When there is no header, a name stands in it twice, or the file is not UTF-8.
    """
    numbers: list[int] = []
    rows: list[list[str]] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file, _long_fields():
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if not header or len(set(header)) < len(header):
                raise DataError(f"{path} must begin with a header of distinct column names, has {header}.")
            for number, row in _numbered(reader):
                if len(row) == len(header):
                    numbers.append(number)
                    rows.append(row)
                elif row:
                    what = f"{len(row)} fields, but the header has {len(header)}"
                    problems.add(Place(str(path), number), what)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8: {error.reason} at byte {error.start}.") from None
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}.") from None
    columns = zip(*rows, strict=True) if rows else ((),) * len(header)
    return Table(
        source=str(path),
        unit="line",
        numbers=np.array(numbers, dtype=np.int64),
        columns={name: Column.of(values, nothing="") for name, values in zip(header, columns, strict=True)},
    )


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the line it begins on; quoted fields may span several."""
    begins = reader.line_num + 1
    for row in reader:
        yield begins, row
        begins = reader.line_num + 1


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let fields be longer than the csv module's own limit, which is one for the whole process, for as long as needed."""
    with _LIMIT:
        before = csv.field_size_limit(sys.maxsize)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def write_csv(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns of text, numbers and None; floats keep every digit."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
