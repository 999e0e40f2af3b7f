"""Servers made from tables of recorded outcomes."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointsman.testing.replay_server import ReplayServer
from pointsman.testing.replay_server.recordings import Recordings

TEXTS = ["2+2?", "3+3?", "2+2?"]
MODELS = ["small", "large"]
ANSWERS = [["5", "4"], [None, "6"], ["again", "again"]]


def said(reply: Any) -> str:
    """Return the text of the first choice."""
    return reply.body["choices"][0]["message"]["content"]


def usage(reply: Any) -> tuple[int, int]:
    """Return the input and output tokens."""
    return reply.body["usage"]["prompt_tokens"], reply.body["usage"]["completion_tokens"]


def test_tables_are_served_cell_by_cell(ask: Callable[..., Any]) -> None:
    """Row by text, column by model; no answer is an empty one; NaN is estimated; the first of equal texts counts."""
    inputs = [[11, 12], [np.nan, 14], [1, 1]]
    outputs = np.array([[3, np.nan], [0, 5], [1, 1]])
    with ReplayServer.from_outcomes(TEXTS, MODELS, ANSWERS, inputs, outputs, prices={"small": (1, 1)}) as server:
        replies = {(model, text): ask(server, model, text) for model in MODELS for text in TEXTS[:2]}
        assert {key: said(reply) for key, reply in replies.items()} == {
            ("small", "2+2?"): "5",
            ("small", "3+3?"): "",
            ("large", "2+2?"): "4",
            ("large", "3+3?"): "6",
        }
        assert {key: usage(reply) for key, reply in replies.items()} == {
            ("small", "2+2?"): (11, 3),
            ("small", "3+3?"): (1, 0),
            ("large", "2+2?"): (12, 1),
            ("large", "3+3?"): (14, 5),
        }
        assert server.ledger[0].cost_usd == pytest.approx(14e-6)


def test_object_arrays_and_missing_counts_will_do(ask: Callable[..., Any]) -> None:
    """Answers may be a numpy object array; without tables of tokens all are estimated."""
    answers = np.array(ANSWERS, dtype=object)
    with ReplayServer.from_outcomes(TEXTS, MODELS, answers) as server:
        reply = ask(server, "large", "Now: 3+3?")
    assert (said(reply), usage(reply)) == ("6", (3, 1))


def test_latencies_are_kept(ask: Callable[..., Any]) -> None:
    """A table of seconds makes slow answers slow; an unknown latency takes no time."""
    latency = np.array([[0.2, np.nan], [0, 0], [0, 0]])
    with ReplayServer.from_outcomes(TEXTS, MODELS, ANSWERS, latency_s=latency) as server:
        begun = time.monotonic()
        ask(server, "small", "2+2?")
        assert time.monotonic() - begun >= 0.2
        assert ask(server, "large", "2+2?").status == 200


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((TEXTS, MODELS, [["1", "2"]]), r"answers must be \(3, 2\) \(texts, models\), got \(1, 2\)"),
        ((TEXTS, MODELS, ANSWERS, [1, 2, 3]), r"input_tokens must be \(3, 2\).*got \(3,\)"),
        ((TEXTS, MODELS, ANSWERS, None, np.zeros((2, 3))), r"output_tokens must be \(3, 2\).*got \(2, 3\)"),
        ((TEXTS, ["same", "same"], ANSWERS), r"distinct, got \['same', 'same'\]"),
    ],
)
def test_tables_of_the_wrong_shape_are_refused(arguments: Any, words: str) -> None:
    """The error names the table and both shapes."""
    with pytest.raises(ValueError, match=words):
        ReplayServer.from_outcomes(*arguments)


def test_big_tables_are_ready_at_once_and_searched_quickly() -> None:
    """12,000 texts by 28 models stand within seconds, and a text is found in a long prompt in milliseconds."""
    texts = [
        f"Which of the following statements about subject number {row} is true?" + "x" * 500 for row in range(12_000)
    ]
    models = [f"model-{column}" for column in range(28)]
    answers = np.full((12_000, 28), "B", dtype=object)
    tokens = np.full((12_000, 28), 7.0)
    begun = time.perf_counter()
    server = ReplayServer.from_outcomes(texts, models, answers, tokens, tokens)
    assert time.perf_counter() - begun < 5
    recordings: Recordings = server._service.recordings
    begun = time.perf_counter()
    for row in range(0, 12_000, 1200):
        found = recordings.find("model-5", "Some context. " * 100 + texts[row] + " Answer with a letter.")
        assert found is not None
        assert found.input_tokens == 7
    assert time.perf_counter() - begun < 2


def test_real_outcomes_are_replayed(outcome_data: Path, ask: Callable[..., Any]) -> None:
    """Real questions, wrapped in a prompt, get the real models' answers and token counts."""
    parquet = pytest.importorskip("pyarrow.parquet")
    queries = parquet.read_table(
        outcome_data / "mmlu_pro" / "queries.parquet", columns=["query_id", "text"]
    ).to_pydict()
    columns = ["query_id", "model", "answer", "input_tokens", "output_tokens"]
    outcomes = parquet.read_table(outcome_data / "mmlu_pro" / "outcomes.parquet", columns=columns).to_pydict()
    rows = {query: row for row, query in enumerate(queries["query_id"])}
    models = sorted(set(outcomes["model"]))
    shape = (len(rows), len(models))
    answers, inputs, outputs = np.full(shape, None, dtype=object), np.full(shape, np.nan), np.full(shape, np.nan)
    for query, model, answer, used, made in zip(*(outcomes[name] for name in columns), strict=True):
        cell = rows[query], models.index(model)
        answers[cell] = answer
        inputs[cell], outputs[cell] = (np.nan if count is None else count for count in (used, made))
    first = {text: row for row, text in reversed(list(enumerate(queries["text"])))}
    with ReplayServer.from_outcomes(queries["text"], models, answers, inputs, outputs) as server:
        for text, row in list(first.items())[::1500]:
            for column in (0, len(models) - 1):
                reply = ask(server, models[column], f"Answer with one letter.\n\n{text}\n\nAnswer:")
                assert said(reply) == (answers[row, column] or "")
                assert usage(reply) == (inputs[row, column], outputs[row, column])
