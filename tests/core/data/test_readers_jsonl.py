"""JSON lines in the long form, rows in memory, and several files at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError


def write(path: Path, *rows: Any) -> Path:
    """Write a line per row."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_may_lack_names_and_hold_nulls_and_truth_values(tmp_path: Path) -> None:
    """What is null or left out is unknown; true and false score 1 and 0; whole numbers may be identifiers."""
    path = write(
        tmp_path / "a.jsonl",
        {"query_id": 1, "text": "hi", "model": "m", "quality": True, "cost_usd": None},
        {"query_id": 1, "text": "hi", "model": "n", "quality": False, "answer": ""},
    )
    data = RoutingDataset.read(path)
    assert data.queries.ids == ("1",)
    assert data.quality.tolist() == [[1, 0]]
    assert np.isnan(data.cost_usd).all()
    assert data.answers is not None
    assert data.answers.tolist() == [[None, ""]]


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    """A file may end in empty lines."""
    path = write(tmp_path / "a.jsonl", {"text": "hi", "model": "m", "quality": 1})
    path.write_text(path.read_text(encoding="utf-8") + "\n \n", encoding="utf-8")
    assert len(RoutingDataset.read(path)) == 1


def test_rows_without_a_score_stay_unobserved_and_are_counted_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that was paid but not scored keeps its cost; its quality is NaN."""
    path = write(
        tmp_path / "a.jsonl",
        {"text": "hi", "model": "m", "quality": None, "cost_usd": 0.5},
        {"text": "hi", "model": "n", "quality": 1, "cost_usd": 0.25},
    )
    data = RoutingDataset.read(path)
    np.testing.assert_array_equal(data.quality, [[np.nan, 1]])
    assert data.cost_usd.tolist() == [[0.5, 0.25]]
    assert "1 rows have no quality" in caplog.text


def test_several_files_make_one_dataset(tmp_path: Path) -> None:
    """A pattern joins the files it matches, whatever their formats, in the order of their names."""
    write(tmp_path / "1.jsonl", {"text": "a", "model": "m", "quality": 0})
    (tmp_path / "2.csv").write_text("text,model,quality,latency_s\nb,m,1,2.5\n", encoding="utf-8")
    write(tmp_path / "3.jsonl", {"text": "a", "model": "n", "quality": 1})
    data = RoutingDataset.read(f"{tmp_path}/*")
    assert data.queries.texts == ("a", "b")
    np.testing.assert_array_equal(data.quality, [[0, 1], [1, np.nan]])
    np.testing.assert_array_equal(data.latency_s, [[np.nan, np.nan], [2.5, np.nan]])


def test_a_scale_becomes_the_unit_interval(tmp_path: Path) -> None:
    """Marks from 1 to 5 are rescaled, variances with them; marks outside are problems."""
    path = write(tmp_path / "a.jsonl", *({"text": "a", "model": "m", "quality": mark} for mark in (1, 3)))
    data = RoutingDataset.read(path, scale=(1, 5))
    assert data.quality[0, 0] == 0.25
    assert data.run_variance is not None
    assert data.run_variance[0, 0] == 0.125
    with pytest.raises(DataError, match=r"quality must be a number in \[2, 5\], is 1"):
        RoutingDataset.read(path, scale=(2, 5))
    with pytest.raises(DataError, match="lowest, highest"):
        RoutingDataset.read(path, scale=(5, 1))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: no valid JSON"),
        ("[1]", r"line 1: must be a JSON object, is \[1\]"),
        ('{"text": "a", "model": "m", "quality": "x"}', "quality must be a number in"),
        ('{"text": "a", "model": "m", "quality": NaN}', "quality must be a number in"),
        ('{"text": "a", "model": "m", "quality": [1]}', "quality must be a number in"),
        ('{"text": "a", "model": "m", "quality": 1, "cost_usd": true}', "cost_usd must be a number, at least 0"),
        ('{"text": "a", "model": "m", "quality": 1, "cost_usd": 1e999}', "cost_usd must be a number, at least 0"),
        ('{"text": "a", "model": "m", "quality": 1, "runs": 2.5}', "runs must be a whole number, at least 1"),
        ('{"text": ["a"], "model": "m", "quality": 1}', r"text must be text, is \['a'\]"),
        ('{"text": "a", "model": true, "quality": 1}', "model must be text, is True"),
        ('{"text": " ", "model": "m", "quality": 1}', "text is empty"),
    ],
)
def test_a_malformed_line_is_reported_with_field_and_value(tmp_path: Path, line: str, message: str) -> None:
    """Each kind of mistake has its message."""
    good = '{"text": "z", "model": "m", "quality": 1}'
    (tmp_path / "a.jsonl").write_text(f"{line}\n{good}\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"(?s)1 problem in the data:.*{message}"):
        RoutingDataset.read(tmp_path / "a.jsonl")


def test_a_file_that_is_not_utf8_is_refused_with_the_line(tmp_path: Path) -> None:
    """The place of the first foreign byte is named."""
    (tmp_path / "a.jsonl").write_bytes(b'{}\n{"text": "\xff"}\n')
    with pytest.raises(DataError, match="line 2 is not UTF-8"):
        RoutingDataset.read(tmp_path / "a.jsonl")


def test_rows_in_memory_are_read_like_lines() -> None:
    """A log at hand needs no file; its rows are counted from 0 in messages."""
    rows = [{"text": "a", "model": "m", "quality": 1}, {"text": "a", "model": "n", "quality": 2}]
    with pytest.raises(DataError, match="rows, row 1: quality"):
        RoutingDataset.from_rows(rows)
    assert RoutingDataset.from_rows(rows, scale=(0, 2)).quality.tolist() == [[0.5, 1]]


@pytest.mark.parametrize("path", ["absent.csv", "absent", "*.absent"])
def test_a_path_that_leads_nowhere_is_named(path: str) -> None:
    """No file, no dataset."""
    with pytest.raises(DataError, match="There is no file or folder"):
        RoutingDataset.read(path)


def test_an_unknown_format_lists_the_choices(tmp_path: Path) -> None:
    """The suffix decides, and the error says which there are."""
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(DataError, match=r"must end in '.csv', '.jsonl', '.parquet'"):
        RoutingDataset.read(tmp_path / "a.xlsx")


def test_embeddings_need_a_folder(tmp_path: Path) -> None:
    """A single file gives no order of queries that a matrix could follow."""
    path = write(tmp_path / "a.jsonl", {"text": "a", "model": "m", "quality": 1})
    with pytest.raises(DataError, match="needs a folder"):
        RoutingDataset.read(path, embeddings="minilm")
