"""LLMRouterBench's files of records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError


def record(index: int, query: str, score: float | None, cost: float = 0.001) -> dict[str, Any]:
    """Return a record as the benchmark's storage writes it."""
    return {
        "index": index,
        "origin_query": query,
        "prompt": f"Question: {query}\nAnswer:",
        "prompt_tokens": 15,
        "completion_tokens": 5,
        "cost": cost,
        "score": score,
        "prediction": str(score),
        "ground_truth": "4",
        "raw_output": "The sum is 4.",
        "extra_fields": {},
    }


def write(root: Path, model: str, *records: dict[str, Any], stamp: str = "20250901_120000", **changed: Any) -> Path:
    """Write a result file where the benchmark puts it."""
    folder = root / "bench" / "aime" / "hybrid" / model
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"aime-hybrid-{model}-{stamp}.json"
    document = {
        "performance": 0.5,
        "time_taken": 1.5,
        "prompt_tokens": 30,
        "completion_tokens": 10,
        "cost": 0.002,
        "counts": len(records),
        "model_name": model,
        "dataset_name": "aime",
        "split": "hybrid",
        "demo": False,
        "records": list(records),
    }
    path.write_text(json.dumps(document | changed), encoding="utf-8")
    return path


def test_a_folder_of_results_is_read(tmp_path: Path) -> None:
    """Records of one data set and index meet across models; what a model was not asked is NaN."""
    write(tmp_path, "gpt-5", record(1, "2+2?", 1.0), record(2, "Why?", None))
    write(tmp_path, "Qwen3-8B", record(1, "2+2?", 0.0, cost=0.0))
    data = RoutingDataset.read(tmp_path, format="llmrouterbench")
    assert data.models == ("Qwen3-8B", "gpt-5")
    assert data.queries.ids == ("aime/hybrid/1", "aime/hybrid/2")
    assert data.queries.texts == ("2+2?", "Why?")
    assert data.queries.domains == ("aime", "aime")
    np.testing.assert_array_equal(data.quality, [[0, 1], [np.nan, np.nan]])
    np.testing.assert_array_equal(data.output_tokens, [[5, 5], [np.nan, 5]])
    assert data.answers is not None
    assert data.answers[0].tolist() == ["0.0", "1.0"]


def test_models_that_nobody_priced_cost_an_unknown_amount(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file in which nothing cost anything says nothing of costs, and the log says so."""
    write(tmp_path, "gpt-5", record(1, "2+2?", 1.0), record(2, "Why?", 1, cost=0.0))
    write(tmp_path, "Qwen3-8B", record(1, "2+2?", 0.0, cost=0.0), record(2, "Why?", 0, cost=0.0))
    data = RoutingDataset.read(tmp_path, format="llmrouterbench")
    np.testing.assert_array_equal(data.cost_usd, [[np.nan, 0.001], [np.nan, 0]])
    assert "no record cost anything" in caplog.text


def test_the_latest_result_counts_and_demonstrations_do_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An older file and a demonstration are left out, by name."""
    old = write(tmp_path, "gpt-5", record(1, "2+2?", 0.0), stamp="20250801_120000")
    write(tmp_path, "gpt-5", record(1, "2+2?", 1.0))
    demo = write(tmp_path, "gpt-5", record(1, "2+2?", 0.5), stamp="20260101_120000", demo=True)
    data = RoutingDataset.read(tmp_path, format="llmrouterbench")
    assert data.quality.tolist() == [[1]]
    assert data.runs is None
    assert f"{old} is older" in caplog.text
    assert f"{demo} is a demonstration" in caplog.text


def test_another_file_is_refused_with_what_it_has(tmp_path: Path) -> None:
    """The error names what such a file has, and what this one has."""
    (tmp_path / "a.json").write_text('{"records": []}', encoding="utf-8")
    with pytest.raises(DataError, match=r"'dataset_name', 'model_name', 'records', 'split'; it has 'records'"):
        RoutingDataset.read(tmp_path / "a.json", format="llmrouterbench")


def test_a_wrong_score_is_named_with_its_record(tmp_path: Path) -> None:
    """A problem says which record of which file."""
    path = write(tmp_path, "gpt-5", record(1, "2+2?", 1.0), record(2, "Why?", 7.0))
    with pytest.raises(DataError, match=rf"{path.name}, record 1: quality must be a number in \[0, 1\], is 7"):
        RoutingDataset.read(path, format="llmrouterbench")


def test_models_are_not_named_twice(tmp_path: Path) -> None:
    """The files say who answered; naming the models as well is refused."""
    path = write(tmp_path, "gpt-5", record(1, "2+2?", 1.0))
    with pytest.raises(DataError, match="say themselves who answered"):
        RoutingDataset.from_results({"large": path}, format="llmrouterbench")
