"""SPROUT, the data of CARROT (Somerstep et al., 2502.03261): a row per prompt and a structure per model.

Its columns are key, dataset, dataset_level, dataset_idx, prompt, golden_answer and, for every model, a structure with
response, score in [0, 1], num_input_tokens and num_output_tokens. It records no cost: give the models prices by `pool`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pointsman.data.formats.layout import Format, Source, taken
from pointsman.data.formats.values import expanded, graded
from pointsman.data.readers.problems import shown
from pointsman.data.readers.tables import Column, Table
from pointsman.errors import choices

__all__ = ["FORMAT", "outcomes"]

_SCORES = ("score", "judge_score")
_PARTS = {"answer": "response", "input_tokens": "num_input_tokens", "output_tokens": "num_output_tokens"}


def outcomes(sources: Sequence[Source]) -> Iterator[Table]:
    """Yield a table per file and model; a prompt that a model was not asked has no row in its table."""
    for source in sources:
        columns = source.table.columns
        shared = {
            "query_id": source.find("query_id", "key"),
            "text": source.need("text", "prompt"),
            "domain": source.find("domain", "dataset"),
        }
        cells = {name: _cells(source, name) for name in columns if name not in {"key", "dataset", "prompt"}}
        models = {name: found for name, found in cells.items() if any(cell is not None for cell in found)}
        if not models:
            raise source.undecided("quality, a structure with score, per model", ())
        for name, found in models.items():
            table = source.long({**shared, "model": source.answered_by(name), **_measures(found)})
            yield taken(table, np.array([cell is not None for cell in found]))


def _cells(source: Source, name: str) -> list[Mapping[str, Any] | None]:
    """Return a column's structures; what is none in a column of structures is a problem if it is anything at all."""
    column = source.table.columns[name]
    pairs = zip(column.values.tolist(), column.given.tolist(), strict=True)
    values = [expanded(value) if given else None for value, given in pairs]
    if not any(isinstance(value, Mapping) for value in values):
        return [None] * len(values)
    for row, value in enumerate(values):
        if value is not None and not (isinstance(value, Mapping) and any(score in value for score in _SCORES)):
            has = choices(value) if isinstance(value, Mapping) else shown(value)
            source.problems.add(source.table.place(row), f"{name} must be a structure with score, has {has}")
    return [value if isinstance(value, Mapping) else None for value in values]


def _measures(cells: Sequence[Mapping[str, Any] | None]) -> dict[str, Column]:
    known = [cell or {} for cell in cells]
    scores = [next((cell[name] for name in _SCORES if cell.get(name) is not None), None) for cell in known]
    return {"quality": graded(Column.of(scores))} | {
        ours: Column.of([cell.get(theirs) for cell in known]) for ours, theirs in _PARTS.items()
    }


FORMAT = Format(
    outcomes=outcomes,
    suffixes=(".parquet", ".jsonl", ".json", ".csv"),
    fields=("query_id", "text", "domain"),
)
