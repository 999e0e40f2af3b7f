"""From a dataset to files that `read` turns into the same dataset again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.data.readers.csv_file import write_csv
from pointsman.data.readers.jsonl_file import write_jsonl
from pointsman.data.readers.long_form import outcome_columns, query_columns, response_columns, sample_columns
from pointsman.data.readers.parquet_file import write_parquet
from pointsman.errors import DataError, choices

__all__ = ["write"]

_log = logging.getLogger(__name__)

_FORMATS: Mapping[str, Callable[[Path, Mapping[str, Sequence[Any]]], None]] = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}


def write(dataset: RoutingDataset, path: str | Path) -> Path:
    """Write a dataset; the arguments are those of `RoutingDataset.write`."""
    path = Path(path)
    if not len(dataset):
        raise DataError(f"A dataset without queries cannot be written to {path}.")
    for note in dataset.notes:
        _log.warning("%s cannot hold notes, so whoever reads it must be told: %s", path, note)
    if not path.suffix or path.is_dir():
        return _write_folder(dataset, path)
    if path.suffix not in _FORMATS:
        raise DataError(f"{path} must end in {choices(_FORMATS)}, or have no suffix: then it becomes a folder.")
    if dataset.queries.embeddings is not None:
        _log.warning("%s cannot hold embeddings, so they are left out; a folder can", path)
    if dataset.responses is not None or dataset.samples is not None:
        _log.warning("%s cannot hold responses and samples, so they are left out; a folder can", path)
    of_query = query_columns(dataset)
    outcomes = outcome_columns(dataset)
    row_of = {name: row for row, name in enumerate(of_query["query_id"])}
    rows = [row_of[name] for name in outcomes["query_id"]]
    repeated = {name: [values[row] for row in rows] for name, values in of_query.items()}
    _replace(path, repeated | outcomes)
    return path


def _write_folder(dataset: RoutingDataset, folder: Path) -> Path:
    of_query, outcomes = query_columns(dataset), outcome_columns(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "queries.parquet", of_query)
    _replace(folder / "outcomes.parquet", outcomes)
    for name, kept in {"responses": response_columns(dataset), "samples": sample_columns(dataset)}.items():
        if kept is not None:
            _replace(folder / f"{name}.parquet", kept)
    if dataset.queries.embeddings is not None:
        np.save(folder / "embeddings.npy", dataset.queries.embeddings, allow_pickle=False)
    return folder


def _replace(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write a file beside its place and move it there, so that nobody ever sees half of one."""
    partial = path.with_name(path.name + ".partial")
    _FORMATS[path.suffix](partial, columns)
    partial.replace(path)
