"""`collect`: answers of the stand-in programs, scored, paid, resumed and written as outcomes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pointsman.data.readers import read
from pointsman.demo import PROGRAMS, final_answer, generate

if TYPE_CHECKING:
    from conftest import Commands

TASKS = generate(24, seed=2)
METRIC = '{"type": "regex", "pattern": "Answer: (.+)"}'


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A file of questions with their answers."""
    rows = [{"id": task.id, "text": task.text, "reference": task.answer} for task in TASKS]
    (tmp_path / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path / "prompts.jsonl"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A table of two programs that can be called."""
    entries = []
    for name in ("sprint", "scholar"):
        price = PROGRAMS[name].price
        entries.append(
            f'[[models]]\nname = "{name}"\n'
            f"price = {{ input_per_mtok = {price.input_per_mtok}, output_per_mtok = {price.output_per_mtok} }}\n"
            f'metadata = {{ callable = "pointsman.demo.programs:{name.upper()}" }}\n'
        )
    (tmp_path / "models.toml").write_text("\n".join(entries))
    return tmp_path / "models.toml"


def test_outcomes_are_what_the_programs_answer(run: Commands, prompts: Path, models: Path, tmp_path: Path) -> None:
    """Every cell is filled with the program's own score and cost, and the total is what was spent."""
    out = tmp_path / "outcomes.jsonl"
    data = run.data("collect", prompts, "--models", models, "--metric", METRIC, "--out", out)
    outcomes = read(out)
    assert outcomes.models == ("scholar", "sprint")
    column = outcomes.models.index("sprint")
    expected = {task.id: float(final_answer(PROGRAMS["sprint"].answer(task.text)) == task.answer) for task in TASKS}
    assert dict(zip(outcomes.queries.ids, outcomes.quality[:, column].tolist(), strict=True)) == expected
    assert data["complete"]
    assert data["finished"] == data["total"] == 48
    assert data["spent_usd"] == pytest.approx(outcomes.cost_usd.sum())


def test_a_second_run_pays_nothing_again(run: Commands, prompts: Path, models: Path, tmp_path: Path) -> None:
    """With its log at hand, the same command spends no more and writes the same file."""
    out = tmp_path / "outcomes.jsonl"
    command = ("collect", prompts, "--models", models, "--metric", METRIC, "--out", out)
    first, log = run.data(*command), (tmp_path / "outcomes.jsonl.log")
    written, recorded = out.read_bytes(), log.read_bytes()
    assert run.data(*command) == first
    assert (out.read_bytes(), log.read_bytes()) == (written, recorded)


def test_a_budget_stops_the_collection_and_says_so(run: Commands, prompts: Path, models: Path, tmp_path: Path) -> None:
    """What was spent stays within it, what was collected is written, and the summary is not called complete."""
    out = tmp_path / "outcomes.jsonl"
    command = ("collect", prompts, "--models", models, "--metric", METRIC, "--out", out)
    result = run(*command, "--budget", "0.002", "--max-tokens", "40", "--json")
    data = json.loads(result.stdout)
    assert not data["complete"]
    assert 0 < data["finished"] < data["total"]
    assert data["spent_usd"] <= 0.002
    assert "Stopped early" in result.stderr


def test_a_function_beside_the_user_can_answer(
    run: Commands, prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`module:function` finds a file of the working directory; what costs nobody knows is not called free."""
    (tmp_path / "my_model_for_collect.py").write_text("def ask(prompt):\n    return 'Answer: 7'\n")
    (tmp_path / "mine.toml").write_text(
        '[[models]]\nname = "mine"\nmetadata = { callable = "my_model_for_collect:ask" }\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    data = run.data("collect", prompts, "--models", "mine.toml", "--metric", METRIC)
    assert data["models"]["mine"]["cost_usd"] is None
    assert data["calls_of_unknown_cost"] == 24
    assert (tmp_path / "outcomes.jsonl").exists()


@pytest.mark.parametrize(
    ("metric", "named"), [("nonsense", "'exact'"), ("{", "not valid JSON"), ('{"type": "regex", "pattern": "("}', "(")]
)
def test_a_wrong_metric_names_the_choices(
    run: Commands, prompts: Path, models: Path, tmp_path: Path, metric: str, named: str
) -> None:
    """Nothing is asked and nothing written."""
    out = tmp_path / "outcomes.jsonl"
    result = run("collect", prompts, "--models", models, "--metric", metric, "--out", out)
    assert result.exit_code == 1
    assert named in result.stderr
    assert not out.exists()


def test_a_budget_that_allows_no_call_is_a_mistake(run: Commands, prompts: Path, models: Path, tmp_path: Path) -> None:
    """Without any outcome nothing is written, and the reason ends in one full stop."""
    out = tmp_path / "outcomes.jsonl"
    result = run("collect", prompts, "--models", models, "--metric", "exact", "--out", out, "--budget", "0")
    assert result.exit_code == 1
    assert "is not written: No room for" in result.stderr
    assert not result.stderr.rstrip().endswith("..")
    assert not out.exists()


def test_a_model_that_cannot_be_reached_is_a_mistake(run: Commands, prompts: Path, tmp_path: Path) -> None:
    """A model whose metadata say no way to call it is named before anything is spent."""
    (tmp_path / "models.toml").write_text('[[models]]\nname = "lost"\n')
    result = run(
        "collect", prompts, "--models", tmp_path / "models.toml", "--metric", "exact", "--out", tmp_path / "o.jsonl"
    )
    assert result.exit_code == 1
    assert "lost" in result.stderr
    assert "endpoint" in result.stderr


def test_a_function_that_raises_is_named(
    run: Commands, prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence says which model, which function and what it raised; a traceback would be of our own inside."""
    (tmp_path / "my_broken_model.py").write_text("def boom(prompt):\n    raise ValueError('boom')\n")
    (tmp_path / "mine.toml").write_text(
        '[[models]]\nname = "small"\nmetadata = { callable = "my_broken_model:boom" }\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    result = run("collect", prompts, "--models", "mine.toml", "--metric", METRIC)
    assert result.exit_code == 1
    assert "Error: small: my_broken_model:boom raised ValueError: boom" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_place_that_is_not_there_is_told_before_anything_is_asked(
    run: Commands, prompts: Path, models: Path, tmp_path: Path
) -> None:
    """No call is paid for whose outcome could not be written."""
    out = tmp_path / "missing" / "outcomes.jsonl"
    result = run("collect", prompts, "--models", models, "--metric", METRIC, "--out", out, "--log", tmp_path / "log")
    assert result.exit_code == 1
    assert f"{out} cannot be written: there is no folder" in result.stderr
    assert not (tmp_path / "log").exists()
