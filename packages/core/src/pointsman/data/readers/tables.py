"""A file's rows before anybody has judged them: columns as they stand in it, and the place of every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.readers.problems import Place

__all__ = ["Column", "Table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The values of one column, and which of them the file really gives.

    Parameters:
        values: Shape (n,): objects as the format has them, or numbers.
        given: Shape (n,); False where the file has nothing: an empty field, a null.
    """

    values: NDArray[Any]
    given: NDArray[np.bool_]

    @classmethod
    def of(cls, values: Sequence[Any], nothing: Any = None) -> Self:
        """Make a column of objects, in which `nothing` stands for what is not given."""
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return cls(values=column, given=np.fromiter((v != nothing for v in values), dtype=bool, count=len(values)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of one file.

    Parameters:
        source: The file, as messages name it.
        unit: What `numbers` count: "line", "row" or "record".
        numbers: Where each row stands in the file, shape (n,).
        columns: By the names the file uses, each of length n.
    """

    source: str
    unit: str
    numbers: NDArray[np.int64]
    columns: Mapping[str, Column]

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]], numbers: Sequence[int], source: str, unit: str) -> Self:
        """Put rows into columns, one for every name that any row has; a name that a row lacks is not given there."""
        names = dict.fromkeys(name for row in rows for name in row)
        return cls(
            source=source,
            unit=unit,
            numbers=np.asarray(numbers, dtype=np.int64),
            columns={name: Column.of([row.get(name) for row in rows]) for name in names},
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def place(self, row: int) -> Place:
        """Return where a row stands."""
        return Place(self.source, int(self.numbers[row]), self.unit)
