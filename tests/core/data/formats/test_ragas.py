"""Results of ragas."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError

NEW = """\
,user_input,retrieved_contexts,response,reference,faithfulness,answer_relevancy
0,2+2?,['Sums.'],{answer},4,1.0,{relevancy}
1,Why?,"['One.', 'Two.']",So.,Because.,,0.5
"""
OLD = "question,contexts,answer,ground_truth,faithfulness\n2+2?,['Sums.'],5,4,0.25\n"


def test_tables_of_several_models_become_one_dataset(tmp_path: Path) -> None:
    """Given by model, files meet by question; the chosen metric is the quality; one that failed is not scored."""
    for model, relevancy in (("small", 0.25), ("large", 0.75)):
        (tmp_path / f"{model}-run.csv").write_text(NEW.format(answer=model, relevancy=relevancy), encoding="utf-8")
    by_model = {name: tmp_path / f"{name}-run.csv" for name in ("small", "large")}
    data = RoutingDataset.from_results(by_model, format="ragas", columns={"quality": "answer_relevancy"})
    assert data.models == ("large", "small")
    assert data.queries.texts == ("2+2?", "Why?")
    assert data.quality.tolist() == [[0.75, 0.25], [0.5, 0.5]]
    assert data.answers is not None
    assert data.answers.tolist() == [["large", "small"], ["So.", "So."]]
    assert np.isnan(data.cost_usd).all()
    data = RoutingDataset.from_results(by_model, format="ragas", columns={"quality": "faithfulness"})
    np.testing.assert_array_equal(data.quality, [[1, 1], [np.nan, np.nan]])


def test_a_file_names_the_model_where_nobody_does(tmp_path: Path) -> None:
    """A pattern is enough where the files are named for their models; the names before 0.2 are known."""
    for model in ("small", "large"):
        (tmp_path / f"{model}.csv").write_text(OLD, encoding="utf-8")
    data = RoutingDataset.read(f"{tmp_path}/*.csv", format="ragas")
    assert data.models == ("large", "small")
    assert data.quality.tolist() == [[0.25, 0.25]]


def test_several_metrics_need_a_choice(tmp_path: Path) -> None:
    """The error lists the metrics and says how to choose."""
    (tmp_path / "a.csv").write_text(NEW.format(answer=4, relevancy=1), encoding="utf-8")
    with pytest.raises(
        DataError, match=r"could be quality: 'answer_relevancy', 'faithfulness'.*columns=\{'quality': '...'\}"
    ):
        RoutingDataset.read(tmp_path / "a.csv", format="ragas")
    with pytest.raises(DataError, match="has no column 'fathfulness' for quality; it has '', 'answer_relevancy'"):
        RoutingDataset.read(tmp_path / "a.csv", format="ragas", columns={"quality": "fathfulness"})


class Samples(list[dict[str, Any]]):
    """Stands for an EvaluationDataset, of which `to_list` is read."""

    def to_list(self) -> list[dict[str, Any]]:
        """Return the samples."""
        return list(self)


def test_results_in_memory_are_read() -> None:
    """An EvaluationResult has samples and scores side by side; a conversation is known by its last question."""
    said = [{"type": "human", "content": "Hi."}, {"type": "ai", "content": "?"}, {"type": "human", "content": "Why?"}]
    samples = Samples([{"user_input": "2+2?", "response": "4"}, {"user_input": said}])
    result = SimpleNamespace(dataset=samples, scores=[{"correct": "pass"}, {"correct": float("nan")}])
    data = RoutingDataset.from_results({"small": result}, format="ragas")
    assert data.queries.texts == ("2+2?", "Why?")
    np.testing.assert_array_equal(data.quality, [[1], [np.nan]])


def test_results_without_a_model_are_refused() -> None:
    """Nothing in a sample says who answered."""
    with pytest.raises(DataError, match="do not say who answered; give them by model"):
        RoutingDataset.from_results([{"user_input": "2+2?", "m": 1}], format="ragas")
    with pytest.raises(DataError, match="No results of the format 'ragas' were given"):
        RoutingDataset.from_results({}, format="ragas")
    with pytest.raises(DataError, match="results of 'small' must be a data frame or a sequence of mappings, is a int"):
        RoutingDataset.from_results({"small": 3}, format="ragas")
