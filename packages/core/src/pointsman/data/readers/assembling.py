"""Rows become a dataset: which queries and models there are, whether the rows agree on them, one cell for each pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.data.readers.pooling import pooled_mean, pooled_variance
from pointsman.data.readers.problems import Problems, shown
from pointsman.data.readers.rows import Rows, Texts
from pointsman.data.text_id import text_id
from pointsman.errors import DataError
from pointsman.models import ModelPool

__all__ = ["QueryTable", "assembled", "identified"]

Codes = NDArray[np.intp]
_MEASURES = ("quality", "cost_usd", "input_tokens", "output_tokens", "latency_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTable:
    """The queries of a dataset by identifier, in order, with what is known of each."""

    index: Mapping[str, int]
    texts: Texts
    domains: Texts
    groups: Texts

    @classmethod
    def of(cls, rows: Rows, problems: Problems) -> Self:
        """Collect the queries that rows name, in order of first appearance; contradictions are problems."""
        ids = identified(rows)
        index: dict[str, int] = {}
        of_row = np.array([-1 if name is None else index.setdefault(name, len(index)) for name in ids], dtype=np.intp)
        settled = {
            name: _settled(name, rows, ids, of_row, len(index), problems) for name in ("text", "domain", "group")
        }
        return cls(index=index, texts=settled["text"], domains=settled["domain"], groups=settled["group"])

    def group_codes(self) -> NDArray[np.int64] | None:
        """Return the group of each query; one without a label belongs to its text. None where nobody gave any."""
        if not any(label is not None for label in self.groups):
            return None
        labels = [
            ("text", text) if label is None else ("group", label)
            for label, text in zip(self.groups, self.texts, strict=True)
        ]
        codes: dict[tuple[str, str], int] = {}
        return np.array([codes.setdefault(label, len(codes)) for label in labels], dtype=np.int64)


def identified(rows: Rows) -> Texts:
    """Return each row's query identifier, which by default is that of its text; None where it has neither."""
    ids, texts = rows.texts["query_id"], rows.texts["text"]
    return np.array(
        [text_id(t) if i is None and t is not None else i for i, t in zip(ids, texts, strict=True)], dtype=object
    )


def _settled(name: str, rows: Rows, ids: Texts, of_row: Codes, count: int, problems: Problems) -> Texts:
    """Return what the rows say of each query under one field; rows that say otherwise than the first are problems."""
    said = rows.texts[name]
    known = np.flatnonzero((of_row >= 0) & (said != None))  # noqa: E711 - elementwise on objects
    first = np.full(count, -1, dtype=np.intp)
    first[of_row[known[::-1]]] = known[::-1]
    for row in known[said[known] != said[first[of_row[known]]]].tolist():
        other = int(first[of_row[row]])
        problems.add(
            rows.place(row),
            f"{name} of query {shown(ids[row])} is {shown(said[row])}, but {shown(said[other])} at {rows.place(other)}",
        )
    settled = np.full(count, None, dtype=object)
    settled[first >= 0] = said[first[first >= 0]]
    return settled


def assembled(
    rows: Rows,
    queries: QueryTable,
    problems: Problems,
    *,
    embeddings: NDArray[np.float64] | None,
    pool: ModelPool | None,
) -> RoutingDataset:
    """Return the dataset of these rows; raise DataError with every problem found so far and here."""
    ids, names = identified(rows), rows.texts["model"]
    models = sorted({name for name in names if name is not None})
    column = {name: i for i, name in enumerate(models)}
    query_of = np.array([queries.index.get(name, -1) for name in ids], dtype=np.intp)
    model_of = np.array([column.get(name, -1) for name in names], dtype=np.intp)
    for row in np.flatnonzero((query_of < 0) & (ids != None)).tolist():  # noqa: E711 - elementwise on objects
        problems.add(rows.place(row), f"query_id {shown(ids[row])} is not among the {len(queries.index)} queries")
    cells = np.where((query_of >= 0) & (model_of >= 0), query_of * len(models) + model_of, -1)
    _refuse_repeated_runs(rows, cells, problems)
    problems.raise_if_any()
    if not len(rows):
        raise DataError(f"{', '.join(table.source for table in rows.tables)} has no rows.")
    return RoutingDataset(
        queries=Queries(
            texts=tuple(queries.texts), ids=tuple(queries.index), domains=tuple(queries.domains), embeddings=embeddings
        ),
        models=tuple(models),
        groups=queries.group_codes(),
        pool=pool,
        **_matrices(rows, cells, (len(queries.index), len(models))),
    )


def _refuse_repeated_runs(rows: Rows, cells: Codes, problems: Problems) -> None:
    """Report rows of one cell that carry the same run label: they are copies, not repetitions."""
    seen: dict[tuple[int, str], int] = {}
    labels = rows.texts["run"]
    for row in np.flatnonzero((labels != None) & (cells >= 0)).tolist():  # noqa: E711 - elementwise on objects
        first = seen.setdefault((int(cells[row]), labels[row]), row)
        if first != row:
            problems.add(rows.place(row), f"run {shown(labels[row])} repeats {rows.place(first)}")


def _matrices(rows: Rows, cells: Codes, shape: tuple[int, int]) -> dict[str, Any]:
    """Return the (n, m) arrays of a dataset; what no row mentions is None."""
    size = shape[0] * shape[1]
    scored = ~np.isnan(rows.numbers["quality"])
    runs = np.where(np.isnan(rows.numbers["runs"]), 1.0, rows.numbers["runs"])
    matrices: dict[str, Any] = {
        name: pooled_mean(cells, rows.numbers[name], runs, size).reshape(shape) for name in _MEASURES
    }
    for name in _MEASURES[2:]:
        if np.isnan(matrices[name]).all():
            matrices[name] = None
    counts = np.bincount(cells[scored], weights=runs[scored], minlength=size).astype(np.int64)
    if (counts > 1).any():
        matrices["runs"] = counts.reshape(shape)
        variance = pooled_variance(cells, rows.numbers["quality"], runs, rows.numbers["run_variance"], size)
        matrices["run_variance"] = variance.reshape(shape)
    answers = rows.texts["answer"]
    if len(given := np.flatnonzero(answers != None)):  # noqa: E711 - elementwise on objects
        first = np.full(size, None, dtype=object)
        first[cells[given[::-1]]] = answers[given[::-1]]
        matrices["answers"] = first.reshape(shape)
    return matrices
