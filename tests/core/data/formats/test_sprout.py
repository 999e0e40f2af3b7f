"""SPROUT's structures per model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError
from pointsman.models import ModelPool


def cell(score: float | None, sent: int = 10, received: int = 20) -> dict[str, Any]:
    """Return what SPROUT says of one call."""
    return {"num_input_tokens": sent, "num_output_tokens": received, "response": f"{score}!", "score": score}


ROWS: list[dict[str, Any]] = [
    {
        "key": "gpqa_1",
        "dataset": "gpqa",
        "dataset_level": "hard",
        "dataset_idx": 1,
        "prompt": "Why is it so?",
        "golden_answer": "B",
        "openai-gpt-4o": cell(1.0),
        "wxai-llama-3-2-1b-instruct": cell(0.0, 11, 5),
    },
    {
        "key": "math_2",
        "dataset": "math",
        "dataset_level": "easy",
        "dataset_idx": 2,
        "prompt": "2+2?",
        "golden_answer": "4",
        "openai-gpt-4o": None,
        "wxai-llama-3-2-1b-instruct": cell(None),
    },
]


def check(data: RoutingDataset) -> None:
    """Assert what the rows say."""
    assert data.models == ("openai-gpt-4o", "wxai-llama-3-2-1b-instruct")
    assert data.queries.ids == ("gpqa_1", "math_2")
    assert data.queries.domains == ("gpqa", "math")
    np.testing.assert_array_equal(data.quality, [[1, 0], [np.nan, np.nan]])
    np.testing.assert_array_equal(data.input_tokens, [[10, 11], [np.nan, 10]])
    np.testing.assert_array_equal(data.output_tokens, [[20, 5], [np.nan, 20]])
    assert data.answers is not None
    assert data.answers.tolist() == [["1.0!", "0.0!"], [None, "None!"]]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_parquet_file_is_read(tmp_path: Path) -> None:
    """Structures become cells; a model that was not asked has none."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "test-00000-of-00001.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    check(RoutingDataset.read(path, format="sprout"))


def test_json_lines_are_read(tmp_path: Path) -> None:
    """The rows are the same in another container."""
    data = RoutingDataset.read(write(tmp_path / "a.jsonl", ROWS), format="sprout")
    check(data)
    assert np.isnan(data.cost_usd).all()


def test_prices_make_costs_of_tokens(tmp_path: Path) -> None:
    """With the user's prices a call of known tokens has a cost; a model without a price has none."""
    price = {"input_per_mtok": 2.5, "output_per_mtok": 10}
    pool = ModelPool.of([{"name": "openai-gpt-4o", "price": price}, "wxai-llama-3-2-1b-instruct"])
    data = RoutingDataset.read(write(tmp_path / "a.jsonl", ROWS), format="sprout", pool=pool)
    np.testing.assert_array_equal(data.cost_usd, [[(10 * 2.5 + 20 * 10) / 1e6, np.nan], [np.nan, np.nan]])


def test_a_structure_without_a_score_is_named_with_its_line(tmp_path: Path) -> None:
    """What stands in a model's column must say how good the answer was."""
    path = write(tmp_path / "a.jsonl", [ROWS[0], {**ROWS[1], "openai-gpt-4o": {"response": "4"}}])
    with pytest.raises(DataError, match=r"line 2: openai-gpt-4o must be a structure with score, has 'response'"):
        RoutingDataset.read(path, format="sprout")


def test_a_table_without_structures_is_refused(tmp_path: Path) -> None:
    """The error lists the columns there are."""
    with pytest.raises(DataError, match=r"a structure with score, per model; all its columns: 'gpt-4o', 'prompt'"):
        RoutingDataset.read(write(tmp_path / "a.jsonl", [{"prompt": "Why?", "gpt-4o": 1}]), format="sprout")
