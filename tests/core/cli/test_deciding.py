"""`route`, `card` and `models`: what an artefact decides and holds, as text and as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pointsman.types import Context, Query

if TYPE_CHECKING:
    from conftest import Commands, World

QUESTION = "Convert 12 miles to kilometres. Round to two decimals."


def test_route_decides_as_the_router_does(run: Commands, world: World) -> None:
    """Model, ranking, estimates and reason are those of the router itself."""
    (row,) = run.data("route", world.artefact, QUESTION)
    decision = world.router.decide(Query(text=QUESTION, id="0"))
    assert row["model"] == decision.model
    assert tuple(row["ranking"]) == decision.ranking
    assert row["estimates"][decision.model]["quality"] == pytest.approx(decision.estimates[decision.model].quality)
    assert row["reason"] == decision.reason


def test_route_reads_questions_from_a_file_or_stdin(run: Commands, world: World, tmp_path: Path) -> None:
    """A file and stdin of the same lines give the same decisions, blank lines aside."""
    lines = f"{QUESTION}\n\nReverse the word 'lever'.\n"
    (tmp_path / "questions.txt").write_text(lines)
    from_file = run.data("route", world.artefact, "--file", tmp_path / "questions.txt")
    assert [row["text"] for row in from_file] == [QUESTION, "Reverse the word 'lever'."]
    assert run.data("route", world.artefact, "--file", "-", input=lines) == from_file
    assert run.data("route", world.artefact, "-", input=lines) == from_file


def test_route_takes_the_operating_point_of_the_moment(run: Commands, world: World) -> None:
    """With a very dear dollar the decision is that of the router at that point."""
    (row,) = run.data("route", world.artefact, QUESTION, "--at", "1e9")
    decision = world.router.decide(Query(text=QUESTION), Context(operating_point=1e9))
    assert row["model"] == decision.model
    assert decision.model != world.router.decide(Query(text=QUESTION)).model


def test_route_shows_text_literally(run: Commands, world: World) -> None:
    """What looks like markup in a question is printed as it is."""
    assert "[bold]2 + 2[/bold]" in run("route", world.artefact, "[bold]2 + 2[/bold]").stdout


@pytest.mark.parametrize("args", [["a question", "--file", "-"], []])
def test_route_wants_one_source_of_questions(run: Commands, world: World, args: list[str]) -> None:
    """Both a text and a file, or neither, is a mistake in the command."""
    result = run("route", world.artefact, *args)
    assert result.exit_code == 2
    assert "--file" in result.stderr


def test_route_refuses_a_file_of_blank_lines(run: Commands, world: World) -> None:
    """There is nothing to decide, and the message says so."""
    result = run("route", world.artefact, "-", input="\n \n")
    assert result.exit_code == 1
    assert "no question" in result.stderr


def test_card_shows_parts_models_and_what_was_kept(run: Commands, world: World) -> None:
    """The digest, the parts' types, the prices and the metadata are there in both forms."""
    data = run.data("card", world.artefact)
    assert data["digest"] == world.router.digest()
    assert data["spec"] == world.router.spec() | {"estimator": data["spec"]["estimator"]}
    assert data["metadata"]["data"]["source"] == "outcomes.jsonl"
    shown = run("card", world.artefact).stdout
    assert all(word in shown for word in ("EstimatedRouter", "Linear", "Utility", "scholar", "15.00", "outcomes.jsonl"))


def test_models_shows_prices_and_admits_what_is_unknown(run: Commands, tmp_path: Path) -> None:
    """A model without a price is listed as of unknown price, never as free."""
    file = tmp_path / "models.toml"
    file.write_text(
        '[[models]]\nname = "a"\nprice = { input_per_mtok = 0.5, output_per_mtok = 2 }\n[[models]]\nname = "b"\n'
    )
    rows = run.data("models", file)
    assert [row["name"] for row in rows] == ["a", "b"]
    assert rows[1]["price"] is None
    shown = run("models", file).stdout
    assert "0.50" in shown
    assert "unknown" in shown


def test_the_example_of_the_help_is_a_valid_table(run: Commands, tmp_path: Path) -> None:
    """What `models --help` shows can be pasted into a file."""
    example = run("models", "--help").stdout.partition("# models.toml")[2]
    file = tmp_path / "models.toml"
    file.write_text("\n".join(line.strip() for line in example.splitlines()))
    (row,) = run.data("models", file)
    assert row["price"]["output_per_mtok"] == 0.6
    assert row["metadata"]["endpoint"].startswith("https://")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("models = []", "names no models"),
        ("[[models]]\nnme = 'a'", "nme"),
        ("[[models]]\nname = 'a'\nprise = {input_per_mtok = 1, output_per_mtok = 2}", "prise"),
        ("[[models]]\nname = 'a'\nprice = {input_per_mtok = 1, output_per_mtok = 2, cached = 1}", "price.cached"),
        ("models = [", "not valid TOML"),
    ],
)
def test_a_wrong_table_of_models_says_what_is_wrong(run: Commands, tmp_path: Path, content: str, named: str) -> None:
    """The message names the mistake."""
    file = tmp_path / "models.toml"
    file.write_text(content)
    result = run("models", file)
    assert result.exit_code == 1
    assert named in result.stderr
