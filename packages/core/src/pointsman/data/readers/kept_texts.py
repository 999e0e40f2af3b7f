"""What models wrote, from the tables beside a folder's outcomes: whole responses, and the answers of repeated samples."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.readers.parquet_file import read_parquet
from pointsman.data.readers.problems import Problems
from pointsman.data.readers.tables import Table
from pointsman.errors import DataError, choices

__all__ = ["with_responses", "with_samples"]

_log = logging.getLogger(__name__)
_USUAL = "default"  # the temperature that goes without saying in an arm's name


def with_responses(dataset: RoutingDataset, folder: Path) -> RoutingDataset:
    """Add the texts of `responses.parquet` (query_id, model, response), if there is one."""
    path = folder / "responses.parquet"
    if not path.is_file():
        return dataset
    table = read_parquet(path, Problems())
    _require(table, "query_id", "model", "response")
    rows, cells = _cells(table, dataset, _texts(table, "model"))
    kept = np.full((len(dataset), len(dataset.models)), None, dtype=object)
    kept.reshape(-1)[cells] = _written(table, "response")[rows]
    return replace(dataset, responses=kept)


def with_samples(dataset: RoutingDataset, folder: Path) -> RoutingDataset:
    """Add the answers of `samples.parquet` (query_id, model, answer and perhaps sample_idx, quality), if there is one.

    In place of `model`, an arm may be named by its `family` and `strategy`, and by its `temperature` where that is not
    "default": family|strategy|temperature. `correct` is another name of `quality`.
    """
    path = folder / "samples.parquet"
    if not path.is_file():
        return dataset
    table = read_parquet(path, Problems())
    _require(table, "query_id", "answer", *(() if "model" in table.columns else ("family", "strategy")))
    rows, cells = _cells(table, dataset, _arms(table))
    order = _order(table, rows, cells)
    rows, cells = rows[order], cells[order]
    number = _numbered(cells)
    shape = (len(dataset), len(dataset.models), int(number.max(initial=-1)) + 1)
    samples = np.full(shape, None, dtype=object)
    samples.reshape(-1, max(shape[2], 1))[cells, number] = _written(table, "answer")[rows]
    quality = np.full(shape, np.nan)
    quality.reshape(-1, max(shape[2], 1))[cells, number] = _scores(table)[rows]
    return replace(dataset, samples=samples, sample_quality=quality)


def _require(table: Table, *names: str) -> None:
    if missing := [name for name in names if name not in table.columns]:
        raise DataError(f"{table.source} has no column {choices(missing)}; it has {choices(table.columns)}.")


def _texts(table: Table, name: str) -> NDArray[np.object_]:
    column = table.columns[name]
    texts: NDArray[np.object_] = column.values.astype(object)
    texts[~column.given] = None
    return texts


def _written(table: Table, name: str) -> NDArray[np.object_]:
    """Return a column as text, numbers as they are written: whole ones without a point, as gaps make floats of them."""
    texts = _texts(table, name)
    for row in np.flatnonzero([not isinstance(text, str | None) for text in texts]):
        value = texts[row]
        texts[row] = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    return texts


def _arms(table: Table) -> NDArray[np.object_]:
    """Return whose sample each row is."""
    if "model" in table.columns:
        return _texts(table, "model")
    parts = [_texts(table, name).tolist() for name in ("family", "strategy", "temperature") if name in table.columns]
    named = ["|".join(str(part) for part in row if part not in (None, _USUAL)) for row in zip(*parts, strict=True)]
    return np.array(named, dtype=object)


def _cells(
    table: Table, dataset: RoutingDataset, arms: NDArray[np.object_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows that belong to a cell of the dataset, and those cells, numbered row by row."""
    row_of = {name: i for i, name in enumerate(dataset.queries.ids)}
    column_of = {name: j for j, name in enumerate(dataset.models)}
    ids = _texts(table, "query_id").tolist()
    at = np.array(
        [
            row_of[name] * len(column_of) + column_of[arm] if name in row_of and arm in column_of else -1
            for name, arm in zip(map(str, ids), arms.tolist(), strict=True)
        ],
        dtype=np.intp,
    )
    if (at < 0).any():
        _log.warning("%s: %d rows are of no query and model with an outcome", table.source, int((at < 0).sum()))
    rows = np.flatnonzero(at >= 0)
    return rows, at[rows]


def _order(table: Table, rows: NDArray[np.intp], cells: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the order by cell, then by the sample's own number where there is one, else as the file has them."""
    own = rows.astype(np.float64)
    if "sample_idx" in table.columns:
        own = table.columns["sample_idx"].values.astype(np.float64)[rows]
    return np.lexsort((rows, own, cells)).astype(np.intp)


def _numbered(cells: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number the members of each run of equal cells from 0."""
    starts = np.flatnonzero(np.r_[True, cells[1:] != cells[:-1]]) if len(cells) else np.zeros(0, dtype=np.intp)
    lengths = np.diff(np.r_[starts, len(cells)])
    return np.arange(len(cells)) - np.repeat(starts, lengths)


def _scores(table: Table) -> NDArray[np.float64]:
    name = next((name for name in ("quality", "correct") if name in table.columns), None)
    if name is None:
        return np.full(len(table), np.nan)
    column = table.columns[name]
    scores = np.full(len(table), np.nan)
    scores[column.given] = column.values[column.given].astype(np.float64)
    return scores
