"""Results of LlamaIndex's evaluators."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError


def result(query: str, score: float | None, **changed: Any) -> dict[str, Any]:
    """Return what `EvaluationResult.model_dump` gives."""
    return {
        "query": query,
        "contexts": None,
        "response": f"{query}!",
        "passing": None if score is None else score >= 4,
        "feedback": "Well.",
        "score": score,
        "pairwise_source": None,
        "invalid_result": False,
        "invalid_reason": None,
        **changed,
    }


BATCH = {
    "correctness": [result("2+2?", 5.0), result("Why?", 2.0), result("How?", 1.0, invalid_result=True)],
    "faithfulness": [result("2+2?", 1.0, passing=True), result("Why?", 0.0), result("How?", 1.0, passing=True)],
}


def write(path: Path, document: Any) -> Path:
    """Write JSON."""
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_list_of_results_is_read(tmp_path: Path) -> None:
    """Marks from 1 to 5 are scaled; an invalid result is not scored."""
    paths = {name: write(tmp_path / f"{name}.json", BATCH["correctness"]) for name in ("small", "large")}
    data = RoutingDataset.from_results(paths, format="llamaindex", scale=(1, 5))
    assert data.models == ("large", "small")
    assert data.queries.texts == ("2+2?", "Why?", "How?")
    np.testing.assert_array_equal(data.quality, [[1, 1], [0.25, 0.25], [np.nan, np.nan]])
    assert data.answers is not None
    assert data.answers[:, 0].tolist() == ["2+2?!", "Why?!", "How?!"]


def test_json_lines_and_tables_are_read(tmp_path: Path) -> None:
    """Other containers hold the same; the file names the model."""
    lines = "".join(json.dumps(row) + "\n" for row in BATCH["faithfulness"])
    (tmp_path / "small.jsonl").write_text(lines, encoding="utf-8")
    table = "query,response,score,passing,feedback,invalid_result\n2+2?,4,,True,,False\nWhy?,So.,,False,,False\n"
    (tmp_path / "large.csv").write_text(table, encoding="utf-8")
    data = RoutingDataset.read(tmp_path, format="llamaindex")
    np.testing.assert_array_equal(data.quality, [[1, 1], [0, 0], [np.nan, 1]])


def test_one_of_several_evaluators_is_chosen(tmp_path: Path) -> None:
    """The error lists them; a name gives its scores, with `.passing` its verdicts."""
    path = write(tmp_path / "small.json", BATCH)
    with pytest.raises(DataError, match="could be quality, the name of an evaluator: 'correctness', 'faithfulness'"):
        RoutingDataset.read(path, format="llamaindex")
    chosen = RoutingDataset.read(path, format="llamaindex", columns={"quality": "faithfulness"})
    assert chosen.quality.tolist() == [[1], [0], [1]]
    verdict = RoutingDataset.read(path, format="llamaindex", columns={"quality": "correctness.passing"})
    np.testing.assert_array_equal(verdict.quality, [[1], [0], [np.nan]])
    with pytest.raises(DataError, match="the name of an evaluator: 'correctness', 'faithfulness'"):
        RoutingDataset.read(path, format="llamaindex", columns={"quality": "relevancy"})


def test_results_in_memory_are_read() -> None:
    """Objects by evaluator, as BatchEvalRunner returns them; the only evaluator needs no choice."""
    batch = {"correctness": [SimpleNamespace(**row) for row in BATCH["correctness"]]}
    plain = [SimpleNamespace(**result("2+2?", None, passing=True))]
    data = RoutingDataset.from_results({"small": batch}, format="llamaindex", scale=(1, 5))
    np.testing.assert_array_equal(data.quality, [[1], [0.25], [np.nan]])
    data = RoutingDataset.from_results({"small": plain}, format="llamaindex")
    assert data.quality.tolist() == [[1]]
    data = RoutingDataset.from_results({"small": batch}, format="llamaindex", columns={"quality": "passing"})
    np.testing.assert_array_equal(data.quality, [[1], [0], [np.nan]])


def test_marks_beyond_one_need_a_scale(tmp_path: Path) -> None:
    """A mark of five is named with its record until the scale is given."""
    path = write(tmp_path / "small.json", BATCH["correctness"])
    with pytest.raises(DataError, match=r"small.json, record 0: quality must be a number in \[0, 1\], is 5"):
        RoutingDataset.read(path, format="llamaindex")


def test_a_result_without_a_query_is_a_problem(tmp_path: Path) -> None:
    """Evaluators may be run without the query; a router cannot learn from that."""
    path = write(tmp_path / "small.json", [result("2+2?", 1.0), result("", 1.0) | {"query": None}])
    with pytest.raises(DataError, match="record 1: text is empty"):
        RoutingDataset.read(path, format="llamaindex")


def test_what_is_no_result_is_refused() -> None:
    """The error says whose results are wrong, and what they are."""
    with pytest.raises(DataError, match="results of 'small' must hold EvaluationResults of LlamaIndex, holds a str"):
        RoutingDataset.from_results({"small": ["good"]}, format="llamaindex")
