"""RouteLLM's tables of right and wrong, and Arena's battles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError

GSM8K = """\
prompt,mixtral-8x7b-instruct-v0.1,gpt-4-1106-preview,mixtral-8x7b-instruct-v0.1_response,gpt-4-1106-preview_response
"Tom has 3, buys 4. How many?",True,True," 3+4=7
#### 7",Seven.
A robe takes 2 bolts. How many?,False,True," Five","Two, of course."
"""
MMLU = 'prompt,mixtral-8x7b-instruct-v0.1,gpt-4-1106-preview\n"Which bone?\nA. Femur\nAnswer:",False,True\n'


def test_correctness_and_responses_are_read(tmp_path: Path) -> None:
    """True and False become 1 and 0; the file's name is the domain; costs are unknown."""
    (tmp_path / "gsm8k_responses.csv").write_text(GSM8K, encoding="utf-8")
    (tmp_path / "mmlu_anatomy.csv").write_text(MMLU, encoding="utf-8")
    data = RoutingDataset.read(tmp_path, format="routellm")
    assert data.models == ("gpt-4-1106-preview", "mixtral-8x7b-instruct-v0.1")
    assert data.quality.tolist() == [[1, 1], [1, 0], [1, 0]]
    assert data.queries.domains == ("gsm8k", "gsm8k", "mmlu_anatomy")
    assert np.isnan(data.cost_usd).all()
    assert data.answers is not None
    assert data.answers.tolist()[1:] == [["Two, of course.", " Five"], [None, None]]


def test_a_column_of_prose_is_no_model(tmp_path: Path) -> None:
    """The error names the column, what it holds and what the format has."""
    (tmp_path / "a.csv").write_text("prompt,source,gpt-4\nWhy?,web,True\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"column 'source' holds 'web'.*it has 'gpt-4', 'prompt', 'source'"):
        RoutingDataset.read(tmp_path / "a.csv", format="routellm")


def battle(number: int, winner: str | None = None, **votes: int) -> dict[str, object]:
    """Return a battle in the layout of the 55k data set, or with `winner` in that of the conversations."""
    models = {"model_a": "gpt-4", "model_b": f"vicuna-{number}"}
    if winner is None:
        turns = {
            "prompt": json.dumps(["Why?", "And then?"]),
            "response_a": json.dumps(["So.", "That."]),
            "response_b": json.dumps(["No.", None]),
        }
        names = ("winner_model_a", "winner_model_b", "winner_tie")
        return {"id": number, **models, **turns, **{name: votes.get(name, 0) for name in names}}
    said = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    return {"question_id": str(number), **models, "winner": winner, "conversation_a": said, "conversation_b": said}


def write(path: Path, *rows: dict[str, object]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("layout", ["arena", "routellm"])
def test_a_battle_scores_both_sides_of_its_first_question(tmp_path: Path, layout: str) -> None:
    """The winner has 1, the loser 0, a tie 1/2 each; battles of one question pool."""
    path = write(
        tmp_path / "a.jsonl", battle(1, winner_model_a=1), battle(2, winner_model_b=1), battle(3, winner_tie=1)
    )
    data = RoutingDataset.read(path, format=layout)
    assert data.queries.texts == ("Why?",)
    assert data.models == ("gpt-4", "vicuna-1", "vicuna-2", "vicuna-3")
    assert data.quality.tolist() == [[0.5, 0, 1, 0.5]]
    assert data.runs is not None
    assert data.runs.tolist() == [[3, 1, 1, 1]]
    assert data.answers is not None
    assert data.answers[0, :2].tolist() == ["So.", "No."]


def test_conversations_with_a_named_winner_are_read(tmp_path: Path) -> None:
    """The older and the newest layout say who won in words; that both were bad is a tie."""
    parts = [{"type": "text", "text": "Why?"}]
    newest = battle(2, "both_bad") | {"conversation_a": [{"role": "user", "content": parts}]}
    path = write(tmp_path / "a.jsonl", battle(1, "model_b"), newest, battle(3, "tie (bothbad)"))
    data = RoutingDataset.read(path, format="arena")
    assert data.queries.texts == ("Why?",)
    np.testing.assert_allclose(data.quality, [[1 / 3, 1, 0.5, 0.5]])


def test_a_vote_for_nobody_is_named_with_its_line(tmp_path: Path) -> None:
    """Columns that say nothing, or two things at once, are problems; so is a word that is none of the known."""
    path = write(tmp_path / "a.jsonl", battle(1), battle(2, winner_model_a=1, winner_tie=1))
    with pytest.raises(DataError) as caught:
        RoutingDataset.read(path, format="arena")
    assert "line 1: winner must be one of 'model_a', 'model_b', 'tie'" in str(caught.value)
    assert "line 2:" in str(caught.value)
    with pytest.raises(DataError, match=r"line 1: winner must be one of .*, is 'left'"):
        RoutingDataset.read(write(tmp_path / "b.jsonl", battle(1, "left")), format="arena")


def test_an_unmarked_file_is_told_what_it_lacks(tmp_path: Path) -> None:
    """Without a winner the error says how it could be given."""
    path = write(tmp_path / "a.jsonl", {"model_a": "m", "model_b": "n", "prompt": "Why?"})
    with pytest.raises(
        DataError, match=r"no column 'winner_model_a' for winner; it has 'model_a', 'model_b', 'prompt'"
    ):
        RoutingDataset.read(path, format="arena")
