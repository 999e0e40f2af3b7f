"""`--format` and `pointsman formats`."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pointsman.data.formats import FORMATS

if TYPE_CHECKING:
    from conftest import Commands, World


@pytest.fixture(scope="module")
def wide(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the world's outcomes laid out as RouterBench's."""
    path = tmp_path_factory.mktemp("wide") / "routerbench_0shot.csv"
    data = world.dataset
    names = [name for model in data.models for name in (model, f"{model}|total_cost")]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["sample_id", "prompt", "eval_name", *names])
        for i, query in enumerate(data.queries):
            cells = zip(data.quality[i].tolist(), data.cost_usd[i].tolist(), strict=True)
            rows.writerow([query.id, str([query.text]), "", *(value for cell in cells for value in cell)])
    return path


def test_a_format_gives_what_the_long_form_gives(run: Commands, world: World, wide: Path, tmp_path: Path) -> None:
    """A router fitted and measured on another layout of the same data is the same."""
    out = tmp_path / "router.pointsman"
    fitted = run.data("fit", wide, "--format", "routerbench", "--out", out)
    other = run.data("fit", world.outcomes, "--out", tmp_path / "other.pointsman")
    assert fitted["digest"] == other["digest"]
    figures = run.data("evaluate", out, wide, "--format", "routerbench", "--train", wide)
    assert figures == run.data("evaluate", out, world.outcomes, "--train", world.outcomes)


def test_rows_on_stdin_may_have_a_format(run: Commands, world: World) -> None:
    """JSON lines on stdin are read as records of the format."""
    data = world.dataset
    lines = [
        json.dumps({"prompt": query.text, **dict(zip(data.models, scores, strict=True))})
        for query, scores in zip(data.queries, data.quality.tolist(), strict=True)
    ]
    result = run("audit", "-", "--format", "routellm", "--json", input="\n".join(lines))
    assert result.exit_code == 0
    assert [model for model in data.models if model not in result.stdout] == []


def test_a_missing_column_is_told_in_terms_of_the_option(run: Commands, tmp_path: Path) -> None:
    """The error of a format says `--column`, as that of the long form does."""
    (tmp_path / "small.csv").write_text("user_input,a,b\n2+2?,1,0\n", encoding="utf-8")
    result = run("audit", tmp_path / "small.csv", "--format", "ragas")
    assert result.exit_code == 1
    assert "could be quality: 'a', 'b'" in result.stderr
    assert "--column quality=YOUR_NAME" in result.stderr


@pytest.mark.parametrize("command", ["audit", "compare", "fit", "evaluate"])
def test_an_unknown_format_lists_the_formats(run: Commands, world: World, command: str, tmp_path: Path) -> None:
    """Every command that reads outcomes has the option; a slip exits with 1 and tells the names."""
    before = {"evaluate": [world.artefact], "fit": ["--out", tmp_path / "router.pointsman"]}.get(command, [])
    result = run(command, *before, world.outcomes, "--format", "ragass")
    assert result.exit_code == 1
    assert "There is no format 'ragass'; known are 'arena'" in result.stderr


def test_the_ban_of_a_format_is_shown(run: Commands, tmp_path: Path) -> None:
    """RouterArena's rules reach the user of the command line."""
    entry = {"global index": "A_1", "prompt": "Why?", "prediction": "m", "accuracy": 1.0, "cost": 0.1}
    (tmp_path / "a.json").write_text(json.dumps([entry]), encoding="utf-8")
    assert "rules ban training" in run("audit", tmp_path / "a.json", "--format", "routerarena").stderr


def test_formats_are_listed(run: Commands) -> None:
    """The list has all of them, and one by name is told at length."""
    assert [row["name"] for row in run.data("formats")] == sorted(FORMATS)
    shown = run("formats", "routerarena").stdout
    assert "evaluation_result" in shown
    assert "--column may redirect: query_id, text, model" in shown
    assert run("formats", "nonsense").exit_code == 1
