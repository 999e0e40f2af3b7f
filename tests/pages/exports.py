"""Exports: small files as benchmarks publish them and evaluation tools write them, under the names that a page reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["write_exports"]

Row = Mapping[str, Any]

_ASKED = 120
_MODELS = ("small", "large")


def write_exports(folder: Path) -> None:
    """Write every file that the page about formats reads."""
    for write in (_routerbench, _routellm, _arena, _llmrouterbench, _sprout, _routerarena, _ragas, _dspy, _langsmith):
        write(folder)


def _quality(i: int, model: str) -> float:
    return float(model == "large" or i % 2)


def _table(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _lines(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _parquet(path: Path, rows: Sequence[Row]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(list(rows)), path)


def _routerbench(folder: Path) -> None:
    row: dict[str, Any] = {"sample_id": "anatomy.1", "prompt": "['Which bone is the longest?']", "eval_name": "anatomy"}
    for model in _MODELS:
        row |= {model: 1.0, f"{model}|model_response": "['C']", f"{model}|total_cost": 0.001}
    _parquet(folder / "routerbench_0shot.parquet", [row | {"oracle_model_to_route_to": "small"}])


def _routellm(folder: Path) -> None:
    _table(folder / "evals/gsm8k/gsm8k_responses.csv", [{"prompt": "2 + 2?", "small": True, "large": True}])


def _arena(folder: Path) -> None:
    battle = {"id": 1, "model_a": "small", "model_b": "large", "prompt": '["Why?"]', "response_a": '["So."]'}
    votes = {"response_b": '["No."]', "winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0}
    _table(folder / "arena_55k.csv", [battle | votes])


def _llmrouterbench(folder: Path) -> None:
    record = {"index": 1, "origin_query": "2 + 2?", "prompt": "2 + 2?", "prompt_tokens": 15, "completion_tokens": 5}
    record |= {"cost": 0.001, "score": 1.0, "prediction": "4", "ground_truth": "4", "raw_output": "4"}
    for model in _MODELS:
        path = folder / f"results/bench/aime/hybrid/{model}/aime-hybrid-{model}-20250901_120000.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {"model_name": model, "dataset_name": "aime", "split": "hybrid", "demo": False, "counts": 1}
        path.write_text(
            json.dumps(document | {"performance": 1.0, "cost": 0.001, "records": [record]}), encoding="utf-8"
        )


def _sprout(folder: Path) -> None:
    cell = {"num_input_tokens": 10, "num_output_tokens": 20, "response": "4", "score": 1.0}
    row = {"key": "math_1", "dataset": "math", "dataset_level": "easy", "dataset_idx": 1, "prompt": "2 + 2?"}
    _parquet(folder / "sprout/test.parquet", [row | {"golden_answer": "4", "small": cell, "large": cell}])


def _routerarena(folder: Path) -> None:
    for model in _MODELS:
        score = {"extracted_answer": "4", "ground_truth": "4", "score": 1.0, "metric": "math", "inference_cost": 0.001}
        tokens = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
        line = {"global_index": "math_1", "question": "2 + 2?", "llm_selected": model, "generated_answer": "4"}
        line |= {"token_usage": tokens, "success": True, "error": None, "evaluation_result": score}
        _lines(folder / f"RouterArena/cached_results/{model}.jsonl", [line])


def _ragas(folder: Path) -> None:
    for model in _MODELS:
        rows = [
            {"user_input": f"Question {i}?", "response": "So.", "faithfulness": _quality(i, model), "recall": 0.5}
            for i in range(_ASKED)
        ]
        for path in (folder / f"{model}.csv", folder / f"runs/{model}.csv"):
            _table(path, rows)


def _dspy(folder: Path) -> None:
    for model in _MODELS:
        rows = [{"question": "2 + 2?", "answer": "4", "pred_answer": "4", "exact_match": 1.0}]
        (folder / f"{model}.json").write_text(json.dumps(rows), encoding="utf-8")


def _langsmith(folder: Path) -> None:
    runs = [
        {
            "id": f"run-{model}-{i}", "trace_id": f"run-{model}-{i}", "name": "chain", "run_type": "chain",
            "start_time": "2025-09-01T12:00:00", "end_time": "2025-09-01T12:00:02", "parent_run_id": None, "error": None,
            "inputs": {"question": f"Question {i}?"}, "outputs": {"answer": "So."},
            "extra": {"metadata": {"ls_model_name": model}}, "reference_example_id": f"example-{i}",
            "feedback_stats": {"correctness": {"n": 1, "avg": _quality(i, model), "values": {}}},
            "prompt_tokens": 12, "completion_tokens": 30, "total_cost": "0.00125",
        }
        for model in _MODELS
        for i in range(_ASKED)
    ]  # fmt: skip
    _lines(folder / "runs.jsonl", runs)
