"""RouterBench's wide table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError

ROWS: list[dict[str, Any]] = [
    {
        "sample_id": "mmlu-anatomy.val.7",
        "prompt": "['Which bone is the longest?']",
        "eval_name": "mmlu-anatomy",
        "mistralai/mistral-7b-chat": 0.0,
        "gpt-4-1106-preview": 1.0,
        "mistralai/mistral-7b-chat|model_response": "['A']",
        "gpt-4-1106-preview|model_response": "['C']",
        "mistralai/mistral-7b-chat|total_cost": 1.2e-05,
        "gpt-4-1106-preview|total_cost": 0.00072,
        "oracle_model_to_route_to": "gpt-4-1106-preview",
    },
    {
        "sample_id": "mtbench.1",
        "prompt": "['Write a haiku.', \"Now, about rain's sound.\"]",
        "eval_name": "mtbench",
        "mistralai/mistral-7b-chat": 0.75,
        "gpt-4-1106-preview": None,
        "mistralai/mistral-7b-chat|model_response": "['One.', 'Two.']",
        "gpt-4-1106-preview|model_response": None,
        "mistralai/mistral-7b-chat|total_cost": 3.1e-05,
        "gpt-4-1106-preview|total_cost": None,
        "oracle_model_to_route_to": "no_model_correct",
    },
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as the published frame is written to CSV, row numbers first."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["", *rows[0]])
        writer.writeheader()
        writer.writerows({"": number, **row} for number, row in enumerate(rows))
    return path


def check(data: RoutingDataset) -> None:
    """Assert what the rows say."""
    assert data.models == ("gpt-4-1106-preview", "mistralai/mistral-7b-chat")
    assert data.queries.ids == ("mmlu-anatomy.val.7", "mtbench.1")
    assert data.queries.texts == ("Which bone is the longest?", "Write a haiku.\n\nNow, about rain's sound.")
    assert data.queries.domains == ("mmlu-anatomy", "mtbench")
    np.testing.assert_array_equal(data.quality, [[1, 0], [np.nan, 0.75]])
    np.testing.assert_array_equal(data.cost_usd, [[0.00072, 1.2e-05], [np.nan, 3.1e-05]])
    assert data.answers is not None
    assert data.answers.tolist() == [["C", "A"], [None, "One.\n\nTwo."]]


def test_a_csv_is_read(tmp_path: Path) -> None:
    """Scores, answers and costs of every model arrive in their cells; lists written as text are opened."""
    check(RoutingDataset.read(write(tmp_path / "routerbench_0shot.csv", ROWS), format="routerbench"))


def test_a_parquet_file_is_read(tmp_path: Path) -> None:
    """Parquet says the same, its NaN included: it is a cell that was not run."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    columns["gpt-4-1106-preview"] = [1.0, float("nan")]
    pq.write_table(pa.table(columns), tmp_path / "routerbench_0shot.parquet")
    check(RoutingDataset.read(tmp_path / "routerbench_0shot.parquet", format="routerbench"))


class Frame:
    """Stands for a pandas data frame, in which NaN is whatever is not there."""

    columns = tuple(ROWS[0])

    def to_dict(self, orient: str) -> list[dict[str, Any]]:
        """Return the rows."""
        assert orient == "records"
        return [{name: float("nan") if value is None else value for name, value in row.items()} for row in ROWS]


@pytest.mark.parametrize("results", [ROWS, Frame()], ids=["rows", "frame"])
def test_what_is_in_memory_is_read(results: object) -> None:
    """A frame that the user has opened already needs no file."""
    check(RoutingDataset.from_results(results, format="routerbench"))


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    """The form it is published in runs code when it is opened; the error says what to do instead."""
    (tmp_path / "routerbench_0shot.pkl").write_bytes(b"\x80\x04N.")
    with pytest.raises(DataError, match=r"is a pickle.*not opened here.*to_parquet\('routerbench_0shot.parquet'\)"):
        RoutingDataset.read(tmp_path / "routerbench_0shot.pkl", format="routerbench")


def test_a_score_out_of_range_is_named_with_its_line(tmp_path: Path) -> None:
    """A mark out of ten is no quality until a scale makes it one."""
    path = write(tmp_path / "a.csv", [ROWS[0], {**ROWS[1], "mistralai/mistral-7b-chat": 7}])
    with pytest.raises(DataError, match=r"a\.csv, line 3: quality must be a number in \[0, 1\], is '7'"):
        RoutingDataset.read(path, format="routerbench")
    assert RoutingDataset.read(path, format="routerbench", scale=(0, 10)).quality[1, 1] == 0.7


def test_missing_columns_are_named_with_the_choices(tmp_path: Path) -> None:
    """A table of another kind is refused, and the error says what was looked for and what is there."""
    path = write(tmp_path / "a.csv", [{"question": "Why?", "gpt-4": 1}])
    with pytest.raises(DataError, match=r"has no column 'sample_id' for query_id; it has '', 'gpt-4', 'question'"):
        RoutingDataset.read(path, format="routerbench")
    path = write(tmp_path / "b.csv", [{"sample_id": 1, "prompt": "Why?", "gpt-4": 1}])
    with pytest.raises(DataError, match=r"no column 'MODEL' or 'MODEL\|model_response' or 'MODEL\|total_cost'"):
        RoutingDataset.read(path, format="routerbench")


def test_columns_may_be_redirected(tmp_path: Path) -> None:
    """Where samples share an identifier, the prompt itself can be it."""
    rows = [ROWS[0], {**ROWS[0], "prompt": "['Which is the shortest?']"}]
    path = write(tmp_path / "a.csv", rows)
    with pytest.raises(DataError, match=r"text of query 'mmlu-anatomy.val.7' is 'Which is the shortest\?'"):
        RoutingDataset.read(path, format="routerbench")
    data = RoutingDataset.read(path, format="routerbench", columns={"query_id": "prompt"})
    assert len(data) == 2
    with pytest.raises(DataError, match="maps unknown field 'model'; known are 'domain', 'query_id', 'text'"):
        RoutingDataset.read(path, format="routerbench", columns={"model": "prompt"})
