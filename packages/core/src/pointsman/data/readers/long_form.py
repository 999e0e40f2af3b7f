"""A dataset in columns of the long form, ready to be written."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError, choices

__all__ = ["outcome_columns", "query_columns", "response_columns", "sample_columns"]

Columns = dict[str, list[Any]]
_MEASURES = ("quality", "cost_usd", "input_tokens", "output_tokens", "latency_s", "runs", "run_variance")


def query_columns(dataset: RoutingDataset) -> Columns:
    """Return what the dataset knows of each query, n rows.

    Raises:
        DataError: When identifiers repeat, or an identifier or a text is blank: no reader could tell such queries apart.
    """
    queries = dataset.queries
    if repeated := [name for name, count in Counter(queries.ids).items() if count > 1]:
        raise DataError(f"Queries need distinct identifiers to be written; repeated: {choices(repeated)}.")
    named = enumerate(zip(queries.ids, queries.texts, strict=True))
    if blank := [row for row, (name, text) in named if not (name.strip() and text.strip())]:
        raise DataError(f"Queries need an identifier and a text to be written; lacking in rows {blank}.")
    columns: Columns = {"query_id": list(queries.ids), "text": list(queries.texts), "domain": list(queries.domains)}
    if dataset.groups is not None:
        columns["group"] = [str(group) for group in dataset.groups.tolist()]
    return columns


def outcome_columns(dataset: RoutingDataset) -> Columns:
    """Return the cells that hold anything, by query, then model; every query and every model has at least one row."""
    matrices = {name: matrix for name in _MEASURES if (matrix := getattr(dataset, name)) is not None}
    held = np.any([_known(matrix) for matrix in matrices.values()], axis=0)
    if dataset.answers is not None:
        held |= dataset.answers != None  # noqa: E711 - elementwise on objects
    held[~held.any(axis=1), 0] = True
    held[0, ~held.any(axis=0)] = True
    rows, models = np.nonzero(held)
    columns: Columns = {
        "query_id": [dataset.queries.ids[i] for i in rows],
        "model": [dataset.models[i] for i in models],
    }
    for name, matrix in matrices.items():
        cells = matrix[rows, models]
        columns[name] = [value if known else None for value, known in zip(cells.tolist(), _known(cells), strict=True)]
    if dataset.answers is not None:
        columns["answer"] = dataset.answers[rows, models].tolist()
    return columns


def response_columns(dataset: RoutingDataset) -> Columns | None:
    """Return the cells whose whole text was kept; None where none was."""
    if dataset.responses is None:
        return None
    rows, models = np.nonzero(dataset.responses != None)  # noqa: E711 - elementwise on objects
    return {
        "query_id": [dataset.queries.ids[i] for i in rows],
        "model": [dataset.models[j] for j in models],
        "response": dataset.responses[rows, models].tolist(),
    }


def sample_columns(dataset: RoutingDataset) -> Columns | None:
    """Return the samples that hold an answer or a score; None where none was kept."""
    if dataset.samples is None:
        return None
    scores = dataset.sample_quality
    quality = np.full(dataset.samples.shape, np.nan) if scores is None else scores
    rows, models, numbers = np.nonzero((dataset.samples != None) | ~np.isnan(quality))  # noqa: E711 - elementwise on objects
    known = quality[rows, models, numbers]
    return {
        "query_id": [dataset.queries.ids[i] for i in rows],
        "model": [dataset.models[j] for j in models],
        "sample_idx": numbers.tolist(),
        "answer": dataset.samples[rows, models, numbers].tolist(),
        "quality": [None if np.isnan(value) else value for value in known.tolist()],
    }


def _known(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which numbers say something; a cell that was run 0 times does not."""
    return values > 0 if values.dtype.kind in "iu" else ~np.isnan(values)
