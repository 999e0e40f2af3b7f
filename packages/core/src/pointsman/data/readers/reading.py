"""From a path to a dataset: find the files, read each in its format, check all rows, put them together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from glob import glob
from pathlib import Path
from typing import Any

from pointsman.data.dataset import RoutingDataset
from pointsman.data.readers.assembling import QueryTable, assembled
from pointsman.data.readers.csv_file import read_csv
from pointsman.data.readers.fields import FIELDS, check_names, renamed
from pointsman.data.readers.jsonl_file import read_jsonl
from pointsman.data.readers.kept_texts import with_responses, with_samples
from pointsman.data.readers.parquet_file import read_embeddings, read_parquet
from pointsman.data.readers.problems import Problems
from pointsman.data.readers.rows import Rows, joined, typed
from pointsman.data.readers.tables import Table
from pointsman.errors import DataError, choices
from pointsman.models import ModelPool

__all__ = ["FORMATS", "from_rows", "read"]

FORMATS: Mapping[str, Callable[[Path, Problems], Table]] = {
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".parquet": read_parquet,
}
"""The reader of each kind of file, by its suffix."""

_OF_A_QUERY = ("query_id", "text", "domain", "group")
_OF_AN_OUTCOME = tuple(name for name in FIELDS if name not in _OF_A_QUERY[1:])


def read(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    scale: tuple[float, float] | None = None,
    pool: ModelPool | None = None,
    embeddings: str | None = None,
) -> RoutingDataset:
    """Read outcomes; the arguments are those of `RoutingDataset.read`."""
    if Path(path).is_dir():
        return _read_folder(Path(path), columns=columns, scale=scale, pool=pool, embeddings=embeddings)
    if embeddings is not None:
        raise DataError(
            f"embeddings={embeddings!r} needs a folder with queries.parquet, whose order they have; got {path}."
        )
    problems = Problems()
    tables = [_reader(file)(file, problems) for file in _files(path)]
    return _long(tables, problems, columns=columns, scale=scale, pool=pool)


def from_rows(
    rows: Sequence[Mapping[str, Any]],
    *,
    columns: Mapping[str, str] | None = None,
    scale: tuple[float, float] | None = None,
    pool: ModelPool | None = None,
) -> RoutingDataset:
    """Put rows in memory together; the arguments are those of `RoutingDataset.from_rows`."""
    table = Table.of_rows(rows, range(len(rows)), "rows", "row")
    return _long([table], Problems(), columns=columns, scale=scale, pool=pool)


def _files(path: str | Path) -> list[Path]:
    files = [Path(path)] if Path(path).is_file() else sorted(map(Path, glob(str(path), recursive=True)))  # noqa: PTH207
    if not files:
        raise DataError(f"There is no file or folder {path}.")
    return files


def _reader(file: Path) -> Callable[[Path, Problems], Table]:
    if file.suffix not in FORMATS:
        raise DataError(
            f"{file} must end in {choices(FORMATS)}, or be a folder with queries.parquet and outcomes.parquet."
        )
    return FORMATS[file.suffix]


def _long(
    tables: Sequence[Table],
    problems: Problems,
    *,
    columns: Mapping[str, str] | None,
    scale: tuple[float, float] | None,
    pool: ModelPool | None,
) -> RoutingDataset:
    check_names(columns, FIELDS)
    parts = []
    for table in tables:
        named = renamed(table, columns, known=FIELDS, required=("text", "model", "quality"))
        parts.append(typed(named, problems, filled=("text", "model"), scale=scale))
    rows = joined(parts)
    return assembled(rows, QueryTable.of(rows, problems), problems, embeddings=None, pool=pool)


def _read_folder(
    folder: Path,
    *,
    columns: Mapping[str, str] | None,
    scale: tuple[float, float] | None,
    pool: ModelPool | None,
    embeddings: str | None,
) -> RoutingDataset:
    """Read the folder layout; queries keep their order, and one that nobody answered stays, unobserved."""
    check_names(columns, FIELDS)
    problems = Problems()
    table = renamed(
        read_parquet(folder / "queries.parquet", problems), columns, known=_OF_A_QUERY, required=("query_id", "text")
    )
    asked = typed(table, problems, filled=("query_id", "text"))
    queries = QueryTable.of(asked, problems)
    _refuse_repeated_queries(asked, problems)
    table = renamed(
        read_parquet(folder / "outcomes.parquet", problems),
        columns,
        known=_OF_AN_OUTCOME,
        required=("query_id", "model", "quality"),
    )
    rows = typed(table, problems, filled=("query_id", "model"), scale=scale)
    vectors = read_embeddings(folder, embeddings, len(asked))
    data = assembled(rows, queries, problems, embeddings=vectors, pool=pool)
    return with_samples(with_responses(data, folder), folder)


def _refuse_repeated_queries(rows: Rows, problems: Problems) -> None:
    first: dict[str, int] = {}
    for row, name in enumerate(rows.texts["query_id"]):
        if name is not None and first.setdefault(name, row) != row:
            problems.add(rows.place(row), f"query_id {name!r} repeats {rows.place(first[name])}")
