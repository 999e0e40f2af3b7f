"""LangSmith's runs and experiments."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError


def run(number: int, model: str | None, score: float | None, **changed: Any) -> dict[str, Any]:
    """Return an outermost run as `Client.list_runs` gives it, dumped as JSON."""
    stats = {"correctness": {"n": 1, "avg": score, "values": {}}} if score is not None else None
    return {
        "id": f"run-{number}",
        "trace_id": f"run-{number}",
        "name": "chain",
        "run_type": "chain",
        "start_time": "2025-09-01T12:00:00.250000",
        "end_time": "2025-09-01T12:00:02.750000+00:00" if changed.pop("zoned", False) else "2025-09-01T12:00:02.750000",
        "parent_run_id": None,
        "error": None,
        "inputs": {"question": f"Question {number % 2}"},
        "outputs": {"answer": f"Answer {number}"},
        "extra": {"metadata": {"ls_model_name": model} if model else {}},
        "reference_example_id": f"example-{number % 2}",
        "feedback_stats": stats,
        "prompt_tokens": 12,
        "completion_tokens": 30,
        "total_cost": "0.00125",
        **changed,
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_runs_with_feedback_are_read(tmp_path: Path) -> None:
    """Model, score, cost, tokens, latency and answer arrive; the example is the query; repetitions pool."""
    path = write(tmp_path / "runs.jsonl", *(run(i, "small" if i < 3 else "large", float(i % 3 == 0)) for i in range(4)))
    data = RoutingDataset.read(path, format="langsmith")
    assert data.models == ("large", "small")
    assert data.queries.ids == ("example-0", "example-1")
    assert data.queries.texts == ("Question 0", "Question 1")
    np.testing.assert_array_equal(data.quality, [[np.nan, 0.5], [1, 0]])
    np.testing.assert_array_equal(data.cost_usd, [[np.nan, 0.00125], [0.00125, 0.00125]])
    np.testing.assert_array_equal(data.latency_s, [[np.nan, 2.5], [2.5, 2.5]])
    np.testing.assert_array_equal(data.input_tokens, [[np.nan, 12], [12, 12]])
    assert data.runs is not None
    assert data.runs.tolist() == [[0, 2], [1, 1]]
    assert data.answers is not None
    assert data.answers.tolist() == [[None, "Answer 0"], ["Answer 3", "Answer 1"]]


def test_a_chain_has_the_model_of_the_calls_inside_it(tmp_path: Path) -> None:
    """Runs inside another one are no outcomes, but say who answered; without cost a run's cost is unknown."""
    child = run(7, "small", None, id="call", trace_id="run-1", parent_run_id="run-1", inputs={"messages": []})
    path = write(tmp_path / "runs.jsonl", run(1, None, 1.0, total_cost=None), child)
    data = RoutingDataset.read(path, format="langsmith")
    assert data.models == ("small",)
    assert data.quality.tolist() == [[1]]
    assert np.isnan(data.cost_usd).all()


def test_a_run_of_unknown_or_several_models_is_a_problem(tmp_path: Path) -> None:
    """The error names the line and what could be done; naming the model by file does it."""
    calls = [run(i, f"m{i}", None, id=f"call-{i}", trace_id="run-1", parent_run_id="run-1") for i in (5, 6)]
    path = write(tmp_path / "runs.jsonl", run(0, None, 1.0), run(1, None, 1.0), *calls)
    with pytest.raises(DataError) as caught:
        RoutingDataset.read(path, format="langsmith")
    assert "line 1: names no model in extra.metadata.ls_model_name" in str(caught.value)
    assert "line 2: calls m5, m6" in str(caught.value)
    data = RoutingDataset.from_results({"small": path}, format="langsmith")
    assert data.models == ("small",)


def test_several_feedback_keys_or_inputs_need_a_choice(tmp_path: Path) -> None:
    """The error lists them, and the choice is given by their short names."""
    both = {"correctness": {"n": 1, "avg": 1.0}, "tone": {"n": 1, "avg": 4}, "note": {"n": 1, "avg": None}}
    row = run(1, "small", None, feedback_stats=both, inputs={"question": "Why?", "context": "Because."})
    path = write(tmp_path / "runs.jsonl", row)
    with pytest.raises(DataError, match=r"several columns that could be text: 'inputs.context', 'inputs.question'"):
        RoutingDataset.read(path, format="langsmith")
    with pytest.raises(DataError, match="could be quality, a key of feedback: 'correctness', 'tone'"):
        RoutingDataset.read(path, format="langsmith", columns={"text": "question"})
    names = {"text": "question", "quality": "tone"}
    data = RoutingDataset.read(path, format="langsmith", columns=names, scale=(1, 5))
    assert data.queries.texts == ("Why?",)
    assert data.quality.tolist() == [[0.75]]


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        [[{"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": "Why?"}}]],
        [{"type": "human", "content": [{"type": "text", "text": "Why?"}]}],
    ],
    ids=["roles", "serialised", "types"],
)
def test_a_conversation_is_known_by_its_last_question(tmp_path: Path, messages: list[Any]) -> None:
    """Of messages, however they are stored, the last of a human is the text."""
    path = write(tmp_path / "runs.jsonl", run(1, "small", 1.0, inputs={"messages": messages, "k": 3}))
    assert RoutingDataset.read(path, format="langsmith").queries.texts == ("Why?",)


def test_objects_written_as_text_are_opened(tmp_path: Path) -> None:
    """A CSV or a bulk export holds inputs, outputs, extra and feedback as JSON."""
    row = run(1, "small", 1.0)
    with (tmp_path / "runs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow({name: json.dumps(v) if isinstance(v, dict) else v for name, v in row.items()})
    data = RoutingDataset.read(tmp_path / "runs.csv", format="langsmith")
    assert (data.models, data.queries.texts) == (("small",), ("Question 1",))
    assert data.quality.tolist() == [[1]]
    assert data.latency_s is not None
    assert data.latency_s.tolist() == [[2.5]]


EXPERIMENT = """\
,inputs.question,outputs.answer,error,reference.answer,feedback.correctness,execution_time,example_id,id
0,2+2?,4,,4,{score},0.5,e-1,r-1
1,Why?,So.,,Because.,False,1.25,e-2,r-2
"""


def test_experiments_are_read_by_model(tmp_path: Path) -> None:
    """An experiment's data frame has no model: the user names it, or nothing is read."""
    for model, score in (("small", "fail"), ("large", "1.0")):
        (tmp_path / f"{model}.csv").write_text(EXPERIMENT.format(score=score), encoding="utf-8")
    by_model = {name: tmp_path / f"{name}.csv" for name in ("small", "large")}
    data = RoutingDataset.from_results(by_model, format="langsmith")
    assert data.models == ("large", "small")
    assert data.queries.ids == ("e-1", "e-2")
    assert data.quality.tolist() == [[1, 0], [0, 0]]
    assert data.latency_s is not None
    assert data.latency_s.tolist() == [[0.5, 0.5], [1.25, 1.25]]
    with pytest.raises(DataError, match=r"small.csv, line 2: names no model"):
        RoutingDataset.read(tmp_path / "small.csv", format="langsmith")


class Dumped(SimpleNamespace):
    """Stands for a pydantic object of LangSmith's client: what is read of it is `model_dump()`."""

    def model_dump(self) -> dict[str, Any]:
        """Return the fields."""
        return {name: value.model_dump() if isinstance(value, Dumped) else value for name, value in vars(self).items()}


def test_runs_in_memory_are_read() -> None:
    """Objects are dumped; identifiers, times and amounts may have Python's own types."""
    changed = {
        "reference_example_id": UUID(int=7),
        "start_time": datetime.fromisoformat("2025-09-01T12:00:00+00:00"),
        "end_time": datetime.fromisoformat("2025-09-01T12:00:01+00:00"),
        "total_cost": Decimal("0.5"),
    }
    data = RoutingDataset.from_results([Dumped(**run(1, "small", 1.0, **changed))], format="langsmith")
    assert data.queries.ids == (str(UUID(int=7)),)
    assert data.cost_usd.tolist() == [[0.5]]
    assert data.latency_s is not None
    assert data.latency_s.tolist() == [[1]]


def test_an_experiment_in_memory_is_read() -> None:
    """Rows of run, example and evaluation results give the scores of their evaluators."""
    found = {"results": [Dumped(key="correctness", score=None, value="pass"), {"key": "tone", "score": 0.5}]}
    row = {
        "run": Dumped(**run(1, None, None)),
        "example": Dumped(inputs={"question": "Why?"}),
        "evaluation_results": found,
    }
    results = {"small": [row]}
    data = RoutingDataset.from_results(results, format="langsmith", columns={"quality": "correctness"})
    assert data.queries.texts == ("Why?",)
    assert data.quality.tolist() == [[1]]


def test_a_time_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    """A wrong time is a problem, and so is one with a zone beside one without."""
    path = write(tmp_path / "a.jsonl", run(1, "small", 1.0, end_time="later"), run(2, "small", 1.0, zoned=True))
    with pytest.raises(DataError) as caught:
        RoutingDataset.read(path, format="langsmith")
    assert "line 1: start_time and end_time must be ISO 8601, are '2025-09-01T12:00:00.250000' and 'later'" in str(
        caught.value
    )
    assert "line 2" in str(caught.value)
