"""Parquet: the folder of queries and outcomes, its embeddings, and the long form in one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError, MissingExtraError

pa = pytest.importorskip("pyarrow", reason="parquet needs the extra 'data'")
pq = pytest.importorskip("pyarrow.parquet", reason="parquet needs the extra 'data'")

QUERIES: dict[str, list[Any]] = {"query_id": ["b", "a", "c"], "text": ["B?", "A?", "C?"], "domain": ["x", None, "x"]}
OUTCOMES: dict[str, list[Any]] = {
    "query_id": ["a", "b", "a"],
    "model": ["m", "m", "n"],
    "quality": [1.0, None, 0.5],
    "input_tokens": [3, None, 4],
}


def write(folder: Path, queries: dict[str, list[Any]] = QUERIES, outcomes: dict[str, list[Any]] = OUTCOMES) -> Path:
    """Write the two tables of a folder."""
    pq.write_table(pa.table(queries), folder / "queries.parquet")
    pq.write_table(pa.table(outcomes), folder / "outcomes.parquet")
    return folder


def test_a_folder_keeps_the_order_of_its_queries(tmp_path: Path) -> None:
    """Every query stays, also one that nobody answered, since embeddings follow this order."""
    data = RoutingDataset.read(write(tmp_path))
    assert data.queries.ids == ("b", "a", "c")
    assert data.queries.domains == ("x", None, "x")
    np.testing.assert_array_equal(data.quality, [[np.nan, np.nan], [1, 0.5], [np.nan, np.nan]])
    np.testing.assert_array_equal(data.input_tokens, [[np.nan, np.nan], [3, 4], [np.nan, np.nan]])
    assert data.queries.embeddings is None


def test_embeddings_become_float64(tmp_path: Path) -> None:
    """Half precision on disk is full precision at use."""
    vectors = np.arange(6, dtype=np.float16).reshape(3, 2)
    np.save(write(tmp_path) / "minilm.npy", vectors)
    found = RoutingDataset.read(tmp_path).queries.embeddings
    assert found is not None
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, vectors)


def test_of_several_embeddings_one_is_chosen(tmp_path: Path) -> None:
    """Which to take is never guessed."""
    write(tmp_path)
    for name, width in (("small", 2), ("large", 5)):
        np.save(tmp_path / f"{name}.npy", np.zeros((3, width)))
    with pytest.raises(DataError, match="choose one with embeddings=, of 'large', 'small'"):
        RoutingDataset.read(tmp_path)
    with pytest.raises(DataError, match="has no embeddings 'tiny'"):
        RoutingDataset.read(tmp_path, embeddings="tiny")
    found = RoutingDataset.read(tmp_path, embeddings="large").queries.embeddings
    assert found is not None
    assert found.shape == (3, 5)


@pytest.mark.parametrize("vectors", [np.zeros((2, 4)), np.zeros(3), np.zeros((3, 2), dtype=int)])
def test_embeddings_that_do_not_fit_the_queries_are_refused(tmp_path: Path, vectors: np.ndarray) -> None:
    """A row of floats for each query, or an error."""
    np.save(write(tmp_path) / "minilm.npy", vectors)
    with pytest.raises(DataError, match=r"must hold floats of shape \(3, d\)"):
        RoutingDataset.read(tmp_path)


def test_embeddings_are_never_unpickled(tmp_path: Path) -> None:
    """An array of objects would run code on loading; it is refused."""
    np.save(write(tmp_path) / "minilm.npy", np.array([{}, {}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read"):
        RoutingDataset.read(tmp_path)


def test_problems_of_both_tables_come_together(tmp_path: Path) -> None:
    """Repeated queries, outcomes of unknown ones and values out of range, each with its row counted from 0."""
    queries = {**QUERIES, "query_id": ["b", "a", "a"]}
    outcomes = {**OUTCOMES, "query_id": ["a", "z", "a"], "quality": [2.0, 1.0, float("nan")]}
    with pytest.raises(DataError) as caught:
        RoutingDataset.read(write(tmp_path, queries, outcomes))
    found = [problem.replace(f"{tmp_path}/", "") for problem in caught.value.problems]
    assert found == [
        "outcomes.parquet, row 0: quality must be a number in [0, 1], is 2.0",
        "outcomes.parquet, row 1: query_id 'z' is not among the 2 queries",
        "outcomes.parquet, row 2: quality must be a number in [0, 1], is nan",
        "queries.parquet, row 2: query_id 'a' repeats queries.parquet, row 1",
        "queries.parquet, row 2: text of query 'a' is 'C?', but 'A?' at queries.parquet, row 1",
    ]


@pytest.mark.parametrize("column", ["query_id", "model"])
def test_names_may_be_numbers_and_dictionaries(tmp_path: Path, column: str) -> None:
    """Whole numbers as identifiers, and dictionary-encoded text as data frames write categories."""
    numbered = {**QUERIES, "query_id": [2, 1, 3]}
    outcomes = {**OUTCOMES, "query_id": [1, 2, 1]}
    tables = {"queries": pa.table(numbered), "outcomes": pa.table(outcomes)}
    encoded = tables["outcomes"].column(column).dictionary_encode()
    tables["outcomes"] = tables["outcomes"].set_column(tables["outcomes"].column_names.index(column), column, encoded)
    for name, table in tables.items():
        pq.write_table(table, tmp_path / f"{name}.parquet")
    assert RoutingDataset.read(tmp_path).queries.ids == ("2", "1", "3")


def test_a_nested_column_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    """Lists where text is due are reported row by row."""
    with pytest.raises(DataError, match=r"queries.parquet, row 0: text must be text, is \['B\?'\]"):
        RoutingDataset.read(write(tmp_path, {**QUERIES, "text": [["B?"], ["A?"], ["C?"]]}))


def test_one_file_in_the_long_form(tmp_path: Path) -> None:
    """A table with a text in every row needs no folder."""
    pq.write_table(
        pa.table({"text": ["a", "a"], "model": ["m", "n"], "quality": [True, False]}), tmp_path / "a.parquet"
    )
    assert RoutingDataset.read(tmp_path / "a.parquet").quality.tolist() == [[1, 0]]


def test_what_is_no_parquet_is_named(tmp_path: Path) -> None:
    """A damaged or missing table is an error about that file."""
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"a\.parquet cannot be read as parquet"):
        RoutingDataset.read(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"queries\.parquet cannot be read as parquet"):
        RoutingDataset.read(tmp_path)


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    write(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r'pip install "pointsman\[data\]"'):
        RoutingDataset.read(tmp_path)
