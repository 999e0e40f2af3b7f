"""`demo`: the whole story runs offline, reproducibly, and claims no more than it finds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pointsman.artifacts import load
from pointsman.data.readers import read
from pointsman.demo import DISCLAIMER, PROGRAMS, final_answer, frameworks, generate
from pointsman.demo.frameworks import Exchange, FrameworkRun
from pointsman.errors import MissingExtraError
from pointsman.evaluation import evaluate
from pointsman.types import Query

if TYPE_CHECKING:
    from conftest import Commands

SMALL = ("--tasks", "160", "--seed", "5")


@pytest.fixture(scope="module")
def told(run: Commands, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A small demonstration: its folder and its data."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, run.data("demo", *SMALL, "--out", folder)


def test_the_whole_demonstration_in_a_process_of_its_own(tmp_path: Path) -> None:
    """At its full size it takes well under half a minute of work, says what the programs are, and leaves no trace elsewhere."""
    begun = os.times()
    done = subprocess.run(
        [sys.executable, "-c", "from pointsman.cli import main; main()", "demo"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ended = os.times()  # work, not the clock, which also counts what else the machine does
    assert ended.children_user + ended.children_system - begun.children_user - begun.children_system < 30
    assert done.stderr == ""
    assert DISCLAIMER in done.stdout
    assert max(map(len, done.stdout.split("What to do next")[0].splitlines())) <= 80
    assert {path.name for path in tmp_path.iterdir()} == {"pointsman-demo"}
    for command in ("audit", "compare", "fit", "route", "collect"):
        assert f"pointsman {command}" in done.stdout


def test_the_same_seed_tells_the_same_story(run: Commands, told: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """Every figure and both files are equal, wherever they are written."""
    folder, data = told
    again = run.data("demo", *SMALL, "--out", tmp_path)
    places = {"artefact": "", "outcomes": {**data["outcomes"], "path": ""}}
    assert again | {**places, "outcomes": {**again["outcomes"], "path": ""}} == data | places
    for name in ("router.pointsman", "outcomes.jsonl"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_outcomes_are_what_the_programs_answer(told: tuple[Path, dict[str, Any]]) -> None:
    """Every score in the file is the program's answer checked against the task's."""
    folder, data = told
    outcomes = read(folder / "outcomes.jsonl")
    answer = {task.id: task.answer for task in generate(160, seed=5)}
    for j, name in enumerate(outcomes.models):
        for text, task, score in zip(outcomes.queries.texts, outcomes.queries.ids, outcomes.quality[:, j], strict=True):
            assert score == (final_answer(PROGRAMS[name].answer(text)) == answer[task]), (name, text)
    assert data["outcomes"]["right"]["all"] == dict(zip(outcomes.models, outcomes.mean_quality.tolist(), strict=True))


def test_the_saved_router_reaches_what_was_printed(told: tuple[Path, dict[str, Any]]) -> None:
    """Loaded back and measured anew on the same split, the artefact gives the demonstration's figures."""
    from pointsman.data.splits import grouped_split

    folder, data = told
    train, validation, test = grouped_split(read(folder / "outcomes.jsonl"), random_state=5)
    found = evaluate(load(folder / "router.pointsman"), test, train=train, validation=validation, random_state=5)
    assert json.loads(json.dumps(found.to_dict()))["rows"] == data["evaluation"]["rows"]


def test_the_verdict_is_the_evaluations_own(run: Commands, tmp_path: Path) -> None:
    """What is shown is what was found, also where too few tasks show nothing: no sentence of the story claims a gain."""
    few = run("demo", "--tasks", "40", "--out", tmp_path)
    assert few.exit_code == 0
    data = run.data("demo", "--tasks", "40", "--out", tmp_path)
    assert data["evaluation"]["verdict"]["kind"] not in {"better", "saves"}
    assert " ".join(data["evaluation"]["verdict"]["text"].split()) in " ".join(few.stdout.split())


def test_frameworks_that_are_missing_name_their_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whether a demonstration says so itself or its import fails, the extra to install is named."""

    class Point:
        name = "langchain"

        def __lt__(self, other: object) -> bool:
            return False

        def load(self) -> None:
            raise ModuleNotFoundError(name="langchain_core")

    monkeypatch.setattr(frameworks, "entry_points", lambda group: [Point()] * (group == frameworks.ENTRY_POINTS))
    (found,) = frameworks.framework_runs(tmp_path / "router.pointsman", ["2 + 2?"])
    assert isinstance(found, MissingExtraError)
    assert "langchain_core" in str(found)
    assert "pointsman[langchain]" in str(found)


def test_a_chain_answers_with_the_routers_choice(told: tuple[Path, dict[str, Any]]) -> None:
    """In LangChain, each question is answered by the program that the artefact chooses, with that program's own words."""
    pytest.importorskip("langchain_core")
    folder, data = told
    router = load(folder / "router.pointsman")
    questions = [task.text for task in generate(12, seed=9)]
    runs = [
        run
        for run in frameworks.framework_runs(folder / "router.pointsman", questions)
        if isinstance(run, FrameworkRun)
    ]
    (chain,) = [run for run in runs if run.framework == "LangChain"]
    for exchange in chain.exchanges:
        assert isinstance(exchange, Exchange)
        model = router.decide(Query(text=exchange.question)).model  # type: ignore[attr-defined]
        assert (exchange.model, exchange.reply) == (model, PROGRAMS[model].answer(exchange.question))
    assert "RouterLLM" in chain.code
    assert data["frameworks"]
