"""Parquet: one file in the long form, or a folder of queries, outcomes and perhaps one `.npy` of embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.data.readers.problems import Problems
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import DataError, MissingExtraError, choices

__all__ = ["read_embeddings", "read_parquet", "write_parquet"]


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("pyarrow", "data") from None
    return pa


def read_parquet(path: Path, problems: Problems) -> Table:  # noqa: ARG001 - every format is read by the same call
    """Read a file as it stands.

    Raises:
        DataError: When it is missing or no parquet file.
        MissingExtraError: Without pyarrow.
    """
    pa = _pyarrow()
    try:
        table = pa.parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read as parquet: {error}") from None
    columns = {name: _column(pa, table.column(name)) for name in table.column_names}
    return Table(source=str(path), unit="row", numbers=np.arange(table.num_rows), columns=columns)


def _column(pa: Any, values: Any) -> Column:
    """Turn an arrow column into numbers where it holds some, into objects otherwise."""
    if pa.types.is_nested(values.type):
        return Column.of(values.to_pylist())
    return Column(values=values.to_numpy(), given=values.is_valid().to_numpy())


def read_embeddings(folder: Path, name: str | None, rows: int) -> NDArray[np.float64] | None:
    """Return the vectors of `<name>.npy`, or of the only `.npy` there is, shape (rows, d); None where there is none.

    Raises:
        DataError: When the named file is missing, several could be meant, or the shape is wrong.
    """
    found = {path.stem: path for path in folder.glob("*.npy")}
    if name is None and not found:
        return None
    if name is None and len(found) > 1:
        raise DataError(f"{folder} has several embeddings; choose one with embeddings=, of {choices(found)}.")
    path = next(iter(found.values())) if name is None else found.get(name)
    if path is None:
        raise DataError(f"{folder} has no embeddings {name!r}; it has {choices(found) or 'none'}.")
    try:
        vectors = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if vectors.ndim != 2 or len(vectors) != rows or vectors.dtype.kind != "f":  # noqa: PLR2004 - a matrix
        raise DataError(f"{path} must hold floats of shape ({rows}, d), has {vectors.dtype} of {vectors.shape}.")
    return np.asarray(vectors, dtype=np.float64)


def write_parquet(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns of text, numbers and None."""
    pa = _pyarrow()
    pa.parquet.write_table(pa.table(dict(columns)), path)
