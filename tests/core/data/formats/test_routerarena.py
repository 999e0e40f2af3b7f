"""RouterArena's cached results and predictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError


def cached(index: str, model: str, score: float, cost: float) -> dict[str, Any]:
    """Return a line of `cached_results`."""
    return {
        "global_index": index,
        "question": f"Question {index}",
        "llm_selected": model,
        "generated_answer": f"{model} says",
        "token_usage": {"input_tokens": 349, "output_tokens": 120, "total_tokens": 469},
        "success": True,
        "provider": "anthropic",
        "error": None,
        "evaluation_result": {
            "extracted_answer": "7",
            "ground_truth": "7",
            "score": score,
            "metric": "math_metric",
            "inference_cost": cost,
        },
    }


def predicted(index: str, model: str, accuracy: float | None, *, optimality: bool = False) -> dict[str, Any]:
    """Return an entry of `predictions`."""
    return {
        "global index": index,
        "prompt": f"Question {index}",
        "prediction": model,
        "generated_result": {
            "generated_answer": "So.",
            "success": True,
            "token_usage": {"input_tokens": 101, "output_tokens": 66, "total_tokens": 167},
            "provider": "google",
            "error": None,
        },
        "cost": None if accuracy is None else 0.002,
        "accuracy": accuracy,
        "for_optimality": optimality,
    }


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a folder laid out as the repository is."""
    (tmp_path / "cached_results").mkdir()
    (tmp_path / "model_cost").mkdir()
    for model, score in (("claude-3-haiku", 0.0), ("gpt-5", 1.0)):
        lines = [json.dumps(cached(index, model, score, 0.001)) for index in ("AIME_112", "Arc_MMLU_3")]
        (tmp_path / "cached_results" / f"{model}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    rates = {"input_token_price_per_million": 0.25, "output_token_price_per_million": 1.25}
    costs = {"claude-3-haiku": rates, "elsewhere": rates}
    (tmp_path / "model_cost" / "model_cost.json").write_text(json.dumps(costs), encoding="utf-8")
    (tmp_path / "metrics.json").write_text("{}", encoding="utf-8")
    return tmp_path


def test_the_repository_is_read_with_its_prices(repository: Path) -> None:
    """Scores, costs and tokens of every model; the domain is the data set; models without a rate have no price."""
    data = RoutingDataset.read(repository, format="routerarena")
    assert data.models == ("claude-3-haiku", "gpt-5")
    assert data.queries.ids == ("AIME_112", "Arc_MMLU_3")
    assert data.queries.domains == ("AIME", "Arc_MMLU")
    assert data.quality.tolist() == [[0, 1], [0, 1]]
    assert (data.cost_usd == 0.001).all()
    np.testing.assert_array_equal(data.input_tokens, np.full((2, 2), 349))
    assert data.answers is not None
    assert data.answers[0].tolist() == ["claude-3-haiku says", "gpt-5 says"]
    assert data.pool is not None
    assert data.pool["gpt-5"].price is None
    assert (price := data.pool["claude-3-haiku"].price) is not None
    assert price.output_per_mtok == 1.25


def test_the_data_carry_the_ban(repository: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log warns, and the note stays on whatever is taken from the dataset."""
    data = RoutingDataset.read(repository, format="routerarena")
    assert "ban training a router on it" in caplog.text
    assert [note for note in data.notes if "for evaluation only" in note]
    assert "for evaluation only" in repr(data.take([0]).only(["gpt-5"]).canonical())
    caplog.clear()
    data.write(repository / "copy.csv")
    assert "cannot hold notes, so whoever reads it must be told: RouterArena is for evaluation only" in caplog.text


def test_predictions_are_read(tmp_path: Path) -> None:
    """Graded predictions score, those not graded yet do not; entries for optimality are outcomes like any other."""
    entries = [predicted("AIME_1", "gpt-5", 1.0), predicted("AIME_2", "gpt-5", None)]
    entries.append(predicted("AIME_1", "haiku", 0.0, optimality=True))
    (tmp_path / "router.json").write_text(json.dumps(entries), encoding="utf-8")
    data = RoutingDataset.read(tmp_path / "router.json", format="routerarena")
    np.testing.assert_array_equal(data.quality, [[1, 0], [np.nan, np.nan]])
    np.testing.assert_array_equal(data.cost_usd, [[0.002, 0.002], [np.nan, np.nan]])
    np.testing.assert_array_equal(data.output_tokens, [[66, 66], [66, np.nan]])


def test_a_damaged_table_of_prices_is_named(repository: Path) -> None:
    """Rates under other names are not taken for unknown ones in silence."""
    (repository / "model_cost" / "model_cost.json").write_text('{"gpt-5": {"input": 1}}', encoding="utf-8")
    with pytest.raises(DataError, match=r"model_cost.json must map models to input_token_price_per_million"):
        RoutingDataset.read(repository, format="routerarena")


def test_a_missing_column_is_named_with_the_choices(tmp_path: Path) -> None:
    """Both names that the index has had are looked for."""
    (tmp_path / "a.json").write_text('[{"prompt": "Why?"}]', encoding="utf-8")
    with pytest.raises(DataError, match="no column 'global index' or 'global_index' for query_id; it has 'prompt'"):
        RoutingDataset.read(tmp_path / "a.json", format="routerarena")
