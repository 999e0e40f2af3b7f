"""Results of dspy.Evaluate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError

SAVED: list[dict[str, Any]] = [
    {"question": "2+2?", "answer": "4", "exact_match": 0.0},  # the program failed: there is no prediction
    {"question": "Why?", "example_answer": "So.", "reasoning": "Hm.", "pred_answer": "No.", "exact_match": True},
]


def save(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write what `save_as_json` writes."""
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_saved_json_is_read(tmp_path: Path) -> None:
    """The metric is last in every record, the question and the prediction have their usual names."""
    paths = {name: save(tmp_path / f"{name}.json", SAVED) for name in ("small", "large")}
    data = RoutingDataset.from_results(paths, format="dspy")
    assert data.models == ("large", "small")
    assert data.queries.texts == ("2+2?", "Why?")
    assert data.quality.tolist() == [[0, 0], [1, 1]]
    assert data.answers is not None
    assert data.answers[:, 0].tolist() == [None, "No."]
    assert RoutingDataset.read(f"{tmp_path}/*.json", format="dspy").models == ("large", "small")


def test_saved_csv_is_read(tmp_path: Path) -> None:
    """In a CSV the metric is the last column."""
    text = "question,example_answer,pred_answer,score_of_mine\n2+2?,4,4,True\nWhy?,So.,No.,0.25\n"
    (tmp_path / "small.csv").write_text(text, encoding="utf-8")
    data = RoutingDataset.read(tmp_path / "small.csv", format="dspy")
    assert data.quality.tolist() == [[1], [0.25]]
    assert data.answers is not None
    assert data.answers.tolist() == [["4"], ["No."]]


def test_another_question_is_chosen_by_its_name(tmp_path: Path) -> None:
    """The error lists the fields; a prediction that is no record is the answer."""
    path = save(tmp_path / "small.json", [{"claim": "It rains.", "label": True, "prediction": "yes", "metric": 1}])
    with pytest.raises(DataError, match=r"no column 'question' or 'example_question' for text; it has .*'claim'"):
        RoutingDataset.read(path, format="dspy")
    data = RoutingDataset.read(path, format="dspy", columns={"text": "claim"})
    assert data.queries.texts == ("It rains.",)
    assert data.answers is not None
    assert data.answers.tolist() == [["yes"]]


def test_a_score_that_is_none_is_named_with_its_record(tmp_path: Path) -> None:
    """A metric that returned prose is a problem of its record."""
    path = save(tmp_path / "small.json", [*SAVED, {**SAVED[1], "exact_match": "good"}])
    with pytest.raises(DataError, match=r"small.json, record 2: quality must be a number in \[0, 1\], is 'good'"):
        RoutingDataset.read(path, format="dspy")


class Record:
    """Stands for an Example or a Prediction: `toDict`, `inputs` and `get_lm_usage` are read of it."""

    def __init__(self, inputs: tuple[str, ...] = (), usage: dict[str, Any] | None = None, **fields: Any) -> None:
        self._fields, self._inputs, self._usage = fields, inputs, usage

    def toDict(self) -> dict[str, Any]:  # noqa: N802 - DSPy's name
        """Return the fields."""
        return dict(self._fields)

    def inputs(self) -> Record:
        """Return the inputs only; as DSPy does, raise where nobody said which they are."""
        if not self._inputs:
            message = "Inputs have not been set for this example."
            raise ValueError(message)
        return Record(**{name: self._fields[name] for name in self._inputs})

    def get_lm_usage(self) -> dict[str, Any] | None:
        """Return the tokens by language model."""
        return self._usage


class Result:
    """Stands for an EvaluationResult."""

    def __init__(self, *results: tuple[Any, Any, Any]) -> None:
        self.results = list(results)


def results() -> Iterator[Result]:
    """Yield results of two models."""
    example = Record(("claim",), claim="It rains.", verdict="yes")
    usage = {"a": {"prompt_tokens": 5, "completion_tokens": 2}, "b": {"prompt_tokens": 3, "completion_tokens": 1}}
    yield Result((example, Record(usage=usage, verdict="no"), 0.0))
    yield Result((example, Record(verdict="yes"), Record()))
    yield Result((example, Record(), 0.0), (example, Record(verdict="yes"), True))


def test_results_in_memory_are_read() -> None:
    """The only input is the question; tokens of all calls add up; several predictions of one question are its runs."""
    first, second, third = results()
    score = second.results[0][2]
    score.score = 0.5  # a metric that returns feedback beside its score
    given = {"a": first, "b": second.results, "c": third}
    data = RoutingDataset.from_results(given, format="dspy")
    assert data.queries.texts == ("It rains.",)
    assert data.quality.tolist() == [[0, 0.5, 0.5]]
    np.testing.assert_array_equal(data.input_tokens, [[8, np.nan, np.nan]])
    np.testing.assert_array_equal(data.output_tokens, [[3, np.nan, np.nan]])
    assert data.answers is not None
    assert data.answers.tolist() == [["no", "yes", "yes"]]


def test_examples_without_inputs_need_a_choice() -> None:
    """Where nobody said what the inputs are, the question is looked for by its name."""
    result = Result((Record(claim="It rains.", verdict="yes"), Record(verdict="no"), 0.0))
    with pytest.raises(DataError, match="no column 'question' or 'example_question' for text"):
        RoutingDataset.from_results({"a": result}, format="dspy")
    data = RoutingDataset.from_results({"a": result}, format="dspy", columns={"text": "claim"})
    assert data.queries.texts == ("It rains.",)


def test_what_is_no_result_is_refused() -> None:
    """The error says whose results are wrong, and how."""
    with pytest.raises(DataError, match="results of 'a' must be an EvaluationResult of dspy, or its results, is float"):
        RoutingDataset.from_results({"a": 67.3}, format="dspy")
    with pytest.raises(DataError, match="results of 'a', record 0 must be a triple of example, prediction and score"):
        RoutingDataset.from_results({"a": [("x", "y")]}, format="dspy")
