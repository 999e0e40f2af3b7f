"""Kept texts: whole responses and repeated samples beside a folder's outcomes, whatever order and names they come in."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.confidence.consistency import SelfConsistency
from pointsman.data import RoutingDataset
from pointsman.errors import DataError
from pointsman.testing.toys import toy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with outcomes of two models on two queries."""
    pytest.importorskip("pyarrow", reason="parquet needs the extra 'data'")
    data = RoutingDataset.from_arrays(["one?", "two?"], {"m": [1.0, 0.0], "f|s": [1.0, 1.0]}, ids=["1", "2"])
    return data.write(tmp_path / "outcomes")


def put(folder: Path, name: str, columns: dict[str, list[Any]]) -> None:
    """Write a table into the folder."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table(columns), folder / f"{name}.parquet")


def of(data: RoutingDataset, model: str) -> Any:
    """Return a model's samples."""
    assert data.samples is not None
    return data.samples[:, data.models.index(model)].tolist()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Responses, samples and their scores survive a folder, holes included."""
    pytest.importorskip("pyarrow", reason="parquet needs the extra 'data'")
    data = toy(8)
    assert data.samples is not None
    assert data.answers is not None
    samples, responses = np.array(data.samples), np.array(data.answers) + "!"
    samples[0, 0, 2], responses[1, 1] = None, None
    data = replace(data, samples=samples, responses=responses)
    again = RoutingDataset.read(data.write(tmp_path / "kept"))
    assert again.samples is not None
    assert again.responses is not None
    assert again.models == data.models
    assert again.samples.tolist() == samples.tolist()
    assert again.responses.tolist() == responses.tolist()
    np.testing.assert_array_equal(again.sample_quality, data.sample_quality)  # type: ignore[arg-type]


def test_without_tables_nothing_is_kept(folder: Path) -> None:
    """A folder of outcomes alone has no responses and no samples."""
    data = RoutingDataset.read(folder)
    assert data.responses is None
    assert data.samples is None


def test_responses_find_their_cells(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each row goes where its query and its model are; rows of neither are counted in the log."""
    put(
        folder,
        "responses",
        {"query_id": ["2", "1", "9", "1"], "model": ["m", "f|s", "m", "x"], "response": ["b", "a", "c", "d"]},
    )
    with caplog.at_level(logging.WARNING):
        data = RoutingDataset.read(folder)
    assert data.responses is not None
    assert data.responses[:, data.models.index("m")].tolist() == [None, "b"]
    assert data.responses[:, data.models.index("f|s")].tolist() == ["a", None]
    assert "2 rows are of no query and model with an outcome" in caplog.text


def test_samples_follow_their_numbers(folder: Path) -> None:
    """Samples of a cell are in the order of their own numbers, else of the file; `correct` is their quality."""
    columns: dict[str, list[Any]] = {
        "query_id": ["1", "2", "1", "1"],
        "model": ["m"] * 4,
        "answer": ["b", "x", "a", None],
        "correct": [True, False, None, False],
    }
    put(folder, "samples", columns)
    assert of(RoutingDataset.read(folder), "m") == [["b", "a", None], ["x", None, None]]
    put(folder, "samples", columns | {"sample_idx": [7, 0, 2, 5]})
    data = RoutingDataset.read(folder)
    assert of(data, "m") == [["a", None, "b"], ["x", None, None]]
    assert data.sample_quality is not None
    np.testing.assert_array_equal(data.sample_quality[0, data.models.index("m")], [np.nan, 0.0, 1.0])


def test_arms_have_names(folder: Path) -> None:
    """An arm is named by its family, its strategy, and a temperature that is not the usual one."""
    columns = {"query_id": ["1", "1", "2"], "family": ["f"] * 3, "strategy": ["s"] * 3, "answer": ["a", "b", "c"]}
    put(folder, "samples", columns | {"temperature": ["default", "0.2", "default"]})
    assert of(RoutingDataset.read(folder), "f|s") == [["a"], ["c"]]


@pytest.mark.parametrize("numbers", [[4, 4, 5], [4.0, 4.0, 5.0], [4, None, 5], [0.5, 0.5, 0.25]])
def test_numbers_are_texts(folder: Path, numbers: list[Any]) -> None:
    """Answers that a table holds as numbers are read as what they look like, and can be compared."""
    put(folder, "samples", {"query_id": ["1"] * 3, "model": ["m"] * 3, "answer": numbers})
    put(folder, "responses", {"query_id": ["1"], "model": ["m"], "response": [numbers[0]]})
    data = RoutingDataset.read(folder)
    wanted = [None if number is None else f"{number:g}" for number in numbers]
    assert of(data, "m")[0] == wanted
    given = [text for text in wanted if text is not None]
    found = SelfConsistency(samples=3).recorded(data, ("m",)).score
    assert found[0] == sum(text == wanted[0] for text in given) / len(given)


@pytest.mark.parametrize(
    ("name", "columns", "lacking"),
    [
        ("responses", {"query_id": ["1"], "response": ["a"]}, "no column 'model'"),
        ("samples", {"query_id": ["1"], "model": ["m"]}, "no column 'answer'"),
        ("samples", {"query_id": ["1"], "answer": ["a"]}, "no column 'family', 'strategy'"),
    ],
)
def test_missing_columns(folder: Path, name: str, columns: dict[str, list[Any]], lacking: str) -> None:
    """What a table lacks is named, beside what it has."""
    put(folder, name, columns)
    with pytest.raises(DataError, match=rf"{name}\.parquet has {lacking}; it has 'a|{lacking}"):
        RoutingDataset.read(folder)


def test_tables_without_rows(folder: Path) -> None:
    """Empty tables, and tables of other queries alone, keep nothing and break nothing."""
    put(folder, "samples", {"query_id": ["9"], "model": ["m"], "answer": ["a"]})
    put(folder, "responses", {"query_id": ["9"], "model": ["m"], "response": ["a"]})
    data = RoutingDataset.read(folder)
    assert data.samples is not None
    assert data.samples.shape == (2, 2, 0)
    assert data.take([1]).canonical().samples is not None
    assert np.isnan(SelfConsistency(samples=2).recorded(data, ("m",)).score).all()
