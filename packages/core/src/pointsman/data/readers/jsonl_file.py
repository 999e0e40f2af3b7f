"""JSON lines in the long form: an object per query and model (and run); a null, or a name left out, is unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pointsman.data.readers.problems import Place, Problems, shown
from pointsman.data.readers.tables import Table
from pointsman.errors import DataError

__all__ = ["read_jsonl", "write_jsonl"]


def read_jsonl(path: Path, problems: Problems) -> Table:
    """Read a file as it stands; lines that are no JSON object are problems, blank ones are nothing.

    Raises:
        DataError: When the file is not UTF-8.
    """
    rows: list[Mapping[str, Any]] = []
    numbers: list[int] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError as error:
                raise DataError(f"{path}, line {number} is not UTF-8: {error.reason} at byte {error.start}.") from None
            except ValueError as error:
                problems.add(Place(str(path), number), f"no valid JSON: {error}")
                continue
            if isinstance(row, dict):
                rows.append(row)
                numbers.append(number)
            else:
                problems.add(Place(str(path), number), f"must be a JSON object, is {shown(row)}")
    return Table.of_rows(rows, numbers, str(path), "line")


def write_jsonl(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns of text, numbers and None as one object a row; every row has all names."""
    with path.open("w", encoding="utf-8") as file:
        for values in zip(*columns.values(), strict=True):
            file.write(json.dumps(dict(zip(columns, values, strict=True)), ensure_ascii=False) + "\n")
