"""`fit`, `evaluate`, `compare`, `audit`, `explain`: what they write is what the library finds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner

from pointsman.artifacts import load, read_manifest
from pointsman.cli import main
from pointsman.cli.recipe import Recipe
from pointsman.data.dataset import RoutingDataset
from pointsman.data.readers import read
from pointsman.data.splits import grouped_split
from pointsman.data.text_id import short_id
from pointsman.estimators.constant import Constant
from pointsman.evaluation import evaluate, explain
from pointsman.policies.base import Policy
from pointsman.policies.budget import MeanBudget
from pointsman.policies.equal_quality import EqualQuality
from pointsman.policies.floor import NearBest
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.selection import audit
from pointsman.selection.auto import AutoRouter
from pointsman.types import Query

if TYPE_CHECKING:
    from conftest import Commands, World

QUESTION = "Reverse the word 'lever'."
CAPABILITIES = {"sprint": [], "clerk": ["tools"], "steady": [], "scholar": []}


def test_fit_saves_what_the_library_fits(run: Commands, world: World, tmp_path: Path) -> None:
    """The artefact is the AutoRouter fitted on the split's first part, with what it found and the figures of its second."""
    out = tmp_path / "router.pointsman"
    data = run.data("fit", world.outcomes, "--out", out, "--seed", 3)
    train, test = grouped_split(read(world.outcomes), (0.8, 0.2), random_state=3)
    router = AutoRouter().fit(train)
    assert load(out).digest() == router.digest() == data["digest"]
    found = evaluate(router, test, train=train, random_state=3)
    kept = read_manifest(out)["metadata"]
    assert kept["held_out"]["verdict"] == found.verdict.text
    assert kept["findings"] == data["findings"] == json.loads(json.dumps(router.findings().to_dict()))
    assert kept["held_out"]["methods"]["router"]["cost_usd"] == pytest.approx(found.router.cost_usd)
    assert kept["data"] == {"source": str(world.outcomes), "queries": 240, "fitted_on": len(train), "seed": 3}


def test_fit_twice_gives_the_same_bytes(run: Commands, world: World, tmp_path: Path) -> None:
    """Nothing of the moment enters the artefact; what the router found is printed."""
    paths = [tmp_path / "a.pointsman", tmp_path / "b.pointsman"]
    for path in paths:
        done = run("fit", world.outcomes, "--out", path)
        assert done.exit_code == 0
        found = read_manifest(path)["metadata"]["findings"]
        assert " ".join(found["verdict"].split()) in " ".join(done.stdout.split())
        assert all(row["name"] in done.stdout for row in found["tried"])
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        ([], NearBest()),
        (["--lambda", "250"], Utility(cost_weight=250)),
        (["--budget", "0.0001"], MeanBudget(usd=0.0001)),
        (["--policy", "Utility"], Utility()),
        (["--policy", '{"type": "NearBest", "tolerance": 0.1}'], NearBest(tolerance=0.1)),
    ],
)
def test_fit_aims_at_what_the_options_say(
    run: Commands, world: World, tmp_path: Path, options: list[str], policy: Utility
) -> None:
    """Each way of naming a policy reaches the saved router."""
    out = tmp_path / "router.pointsman"
    data = run.data("fit", world.outcomes, "--estimator", "Constant", "--out", out, *options)
    assert data["spec"]["policy"] == policy.spec()
    assert data["spec"]["estimator"] == Constant().spec()


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        (["--lambda", "250"], Utility(cost_weight=250)),
        (["--budget", "0.0001"], MeanBudget(usd=0.0001)),
        (["--policy", '{"type": "EqualQuality", "tolerance": 0.1}'], EqualQuality(tolerance=0.1)),
    ],
)
def test_the_default_router_takes_another_policy(world: World, options: list[str], policy: Policy) -> None:
    """The options that name a policy change that of the AutoRouter, and nothing else."""
    said: dict[str, Any] = {"estimator": None, "config": None, "policy": None, "budget": None, "cost_weight": None}
    name = {"--lambda": "cost_weight", "--budget": "budget", "--policy": "policy"}[options[0]]
    value = options[1] if name == "policy" else float(options[1])
    assert Recipe.of(**said | {name: value}).router(world.dataset).spec() == AutoRouter(policy=policy).spec()
    assert Recipe.of(**said).router(world.dataset).spec() == AutoRouter().spec()


def test_a_file_may_describe_the_default_router(run: Commands, world: World, tmp_path: Path) -> None:
    """A configuration of an AutoRouter with a small stack is fitted, shown and explained like any other."""
    config, out = tmp_path / "router.json", tmp_path / "router.pointsman"
    small = AutoRouter.examples()[0]
    config.write_text(json.dumps({"type": "AutoRouter", "estimator": small.estimator.spec()}))
    data = run.data("fit", world.outcomes, "--config", config, "--out", out)
    assert data["spec"] == small.spec()
    router = load(out)
    assert isinstance(router, AutoRouter)
    card = run.data("card", out)
    assert card["findings"] == data["findings"]
    assert "findings" not in card["metadata"]
    shown = run("card", out).stdout
    assert all(row["name"] in shown for row in data["findings"]["tried"])
    (row,) = run.data("route", out, QUESTION)
    assert row["model"] == router.decide(Query(text=QUESTION, id="0")).model
    told = run("explain", out, QUESTION).stdout
    assert f"trust: {router.findings().trust:.2f} of these differences count" in told
    assert "shares: Domain" in told
    assert "familiarity: " in told


def test_notes_of_the_data_are_told_once(run: Commands, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that bans learning from the data is a warning, however many fits there are."""
    banned = replace(world.dataset, notes=("Training on it is banned.",))
    monkeypatch.setattr("pointsman.cli.compare.read_outcomes", lambda *_: banned)
    chosen = ("--estimator", "Constant", "--estimator", '{"type": "Constant"}')
    result = run("compare", world.outcomes, *chosen)
    told = "Warning: EstimatedRouter is being fitted on data that come with a note: Training on it is banned."
    assert result.stderr.splitlines().count(told) == 1


def test_fit_takes_a_whole_router_from_a_file(run: Commands, world: World, tmp_path: Path) -> None:
    """A configuration in TOML describes parts and parameters."""
    config = tmp_path / "router.toml"
    config.write_text('type = "EstimatedRouter"\n[estimator]\ntype = "Nearest"\nk = 7\n[policy]\ntype = "Utility"\n')
    data = run.data("fit", world.outcomes, "--config", config, "--out", tmp_path / "router.pointsman")
    assert data["spec"]["estimator"]["k"] == 7


def test_fit_keeps_what_is_known_of_the_models(run: Commands, world: World, tmp_path: Path) -> None:
    """Capabilities and prices of a models file travel in the artefact, and decide who is eligible."""
    entries = (f'[[models]]\nname = "{name}"\ncapabilities = {caps}\n' for name, caps in CAPABILITIES.items())
    (tmp_path / "models.toml").write_text("".join(entries))
    out = tmp_path / "router.pointsman"
    run.data("fit", world.outcomes, "--estimator", "Constant", "--models", tmp_path / "models.toml", "--out", out)
    router = load(out)
    assert isinstance(router, EstimatedRouter)
    assert router.decide(Query(text=QUESTION, required=frozenset({"tools"}))).ranking == ("clerk",)


def test_fit_reads_stdin(run: Commands, world: World, tmp_path: Path) -> None:
    """JSON lines on stdin give the same router as the file they come from."""
    from_file = run.data("fit", world.outcomes, "--estimator", "Nearest", "--out", tmp_path / "a.pointsman")
    from_stdin = run.data(
        "fit", "-", "--estimator", "Nearest", "--out", tmp_path / "b.pointsman", input=world.outcomes.read_text()
    )
    assert from_stdin["digest"] == from_file["digest"]


def test_columns_and_scales_of_your_own(run: Commands, world: World, tmp_path: Path) -> None:
    """Renamed columns and percentages read like ours."""
    rows = [json.loads(line) for line in world.outcomes.read_text().splitlines()]
    for row in rows:
        row["prompt"], row["score"] = row.pop("text"), 100 * row.pop("quality")
    theirs = tmp_path / "theirs.jsonl"
    theirs.write_text("\n".join(map(json.dumps, rows)))
    options = ("--column", "text=prompt", "--column", "quality=score", "--scale", "0", "100")
    ours = run.data("fit", world.outcomes, "--estimator", "Nearest", "--out", tmp_path / "a.pointsman")
    data = run.data("fit", theirs, *options, "--estimator", "Nearest", "--out", tmp_path / "b.pointsman")
    assert data["digest"] == ours["digest"]


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (["--estimator", "Nonsense"], 1, "'Nearest'"),
        (["--estimator", '{"type": "Nearest", "k": 0}'], 1, "k"),
        (["--policy", "{"], 1, "not valid JSON"),
        (["--policy", "[1]"], 1, "[1]"),
        (["--budget", "1", "--lambda", "1"], 2, "--lambda"),
        (["--config", "x.toml", "--estimator", "Nearest"], 2, "--config"),
        (["--test-share", "1"], 2, "--test-share"),
        (["--budget", "1e-12"], 1, "budget"),
    ],
)
def test_fit_says_what_is_wrong(
    run: Commands, world: World, tmp_path: Path, options: list[str], code: int, named: str
) -> None:
    """Wrong options name themselves or the choices, and nothing is written."""
    out = tmp_path / "router.pointsman"
    result = run("fit", world.outcomes, "--out", out, *options)
    assert result.exit_code == code
    assert named in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value", "there", "not_there"),
    [
        ("--estimator", "Lineer", "'Linear'", "'NearBest'"),
        ("--estimator", "NearBest", "'Nearest'", "'Utility'"),
        ("--estimator", "EstimatedRouter", "'Linear'", "'RulesRouter'"),
        ("--estimator", '{"k": 7}', "'Nearest'", "'Utility'"),
        ("--policy", "Foo", "'NearBest'", "'Linear'"),
        ("--policy", "Linear", "'Utility'", "'Nearest'"),
    ],
)
def test_a_wrong_name_lists_those_of_its_kind(
    run: Commands, world: World, tmp_path: Path, option: str, value: str, there: str, not_there: str
) -> None:
    """An unknown name, or that of another kind of component, is one sentence with the names that fit."""
    result = run("fit", world.outcomes, "--out", tmp_path / "router.pointsman", option, value)
    assert result.exit_code == 1
    assert f"There is no {option[2:]} " in result.stderr
    assert there in result.stderr
    assert not_there not in result.stderr.replace(value, "")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("data", ["outcomes", "nothing.csv"])
def test_a_place_that_cannot_be_written_is_a_sentence(run: Commands, world: World, tmp_path: Path, data: str) -> None:
    """The place is named as it was typed, and before the data are so much as read."""
    out = tmp_path / "missing" / "router.pointsman"
    result = run("fit", world.outcomes if data == "outcomes" else data, "--out", out)
    assert result.exit_code == 1
    assert result.stderr == f"Error: {out} cannot be written: there is no folder {tmp_path / 'missing'}.\n"
    folder = run("fit", world.outcomes, "--out", tmp_path)
    assert folder.exit_code == 1
    assert folder.stderr.startswith(f"Error: {tmp_path} is a folder")


@pytest.mark.parametrize(
    ("queries", "options", "told"),
    [
        (19, [], ["19 different queries", "at least 20"]),
        (240, ["--test-share", "0.999"], ["--test-share 0.999 of 240", "leaves 0 to learn from"]),
        (20, ["--test-share", "0.05"], ["--test-share 0.05 of 20", "1 to measure on"]),
    ],
)
def test_too_few_queries_are_refused(
    run: Commands, world: World, tmp_path: Path, queries: int, options: list[str], told: list[str]
) -> None:
    """The sentence says how many there are and how many it takes, and a router that was there stays."""
    data = world.dataset.take(np.arange(queries)).write(tmp_path / "few.jsonl")
    out = tmp_path / "router.pointsman"
    out.write_bytes(b"an earlier router")
    result = run("fit", data, "--out", out, *options)
    assert result.exit_code == 1
    assert all(words in result.stderr for words in told)
    assert out.read_bytes() == b"an earlier router"


@pytest.mark.parametrize("share", ["0.1", "0.2", "0.5"])
def test_as_few_queries_as_it_takes_are_enough(run: Commands, world: World, tmp_path: Path, share: str) -> None:
    """Twenty queries are fitted and measured, down to ten to learn from or two to measure on."""
    data = world.dataset.take(np.arange(20)).write(tmp_path / "few.jsonl")
    result = run("fit", data, "--out", tmp_path / "router.pointsman", "--test-share", share)
    assert result.exit_code == 0, result.stderr


def test_outcomes_without_costs_still_make_a_router(run: Commands, tmp_path: Path) -> None:
    """Where nothing has a price, quality alone is learnt, and the report shows no cost."""
    texts = [f"{word} question number {i}" for i in range(60) for word in ("easy", "hard")]
    small = [float(text.startswith("easy")) for text in texts]
    data = RoutingDataset.from_arrays(texts, {"small": small, "large": [1 - value for value in small]})
    path = data.write(tmp_path / "outcomes.csv")
    out = tmp_path / "router.pointsman"
    assert run.data("fit", path, "--out", out)["held_out"]["methods"]["router"] == {"quality": 1.0, "cost_usd": None}
    assert run("fit", path, "--out", out).exit_code == 0
    assert run("compare", path, "--estimator", "Linear").exit_code == 0


def test_evaluate_reports_what_the_library_finds(run: Commands, world: World) -> None:
    """The JSON is the evaluation's own; the table has every method and the verdict."""
    found = evaluate(world.router, read(world.outcomes))
    assert run.data("evaluate", world.artefact, world.outcomes) == json.loads(json.dumps(found.to_dict()))
    shown = run("evaluate", world.artefact, world.outcomes).stdout
    assert all(row.name in shown for row in found.rows)
    assert " ".join(found.verdict.text.split()) in " ".join(shown.split())


def test_of_many_models_only_the_telling_ones_are_named(run: Commands, tmp_path: Path) -> None:
    """Beyond ten models the table and the plot name the best and the cheapest; the data still have all."""
    rng = np.random.default_rng(0)
    texts = [f"question {i}" for i in range(200)]
    quality = {f"model{j:02d}": (rng.random(200) < 0.3 + j / 50).astype(float) for j in range(12)}
    cost = {f"model{j:02d}": np.full(200, 0.001 * (j + 1)) for j in range(12)}
    path = RoutingDataset.from_arrays(texts, quality, cost).write(tmp_path / "outcomes.csv")
    command = ("fit", path, "--estimator", "Constant", "--out", tmp_path / "router.pointsman")
    held_out, shown = run.data(*command)["held_out"], run(*command).stdout
    assert {name for name in quality if name in shown} == {held_out["best_single"], "model00"}
    assert {name.removeprefix("always ") for name in held_out["methods"]} >= set(quality)


def test_evaluate_at_another_operating_point(run: Commands, world: World) -> None:
    """A dearer dollar makes the router cheaper."""
    usual = run.data("evaluate", world.artefact, world.outcomes)["rows"][0]["cost_usd"]
    dear = run.data("evaluate", world.artefact, world.outcomes, "--at", "1e6")["rows"][0]["cost_usd"]
    assert dear < usual


def test_evaluate_refuses_outcomes_of_other_models(run: Commands, world: World, tmp_path: Path) -> None:
    """The message names the models of both sides."""
    other = RoutingDataset.from_arrays(["a", "b"], {"other": [0, 1], "another": [1, 1]}).write(tmp_path / "other.csv")
    result = run("evaluate", world.artefact, other)
    assert result.exit_code == 1
    assert "another" in result.stderr
    assert "scholar" in result.stderr


def test_compare_gives_each_estimator_its_own_evaluation(run: Commands, world: World) -> None:
    """Two estimators are measured on the same queries, beside the same baselines."""
    data = run.data("compare", world.outcomes, "--estimator", "Linear", "--estimator", '{"type": "Nearest", "k": 9}')
    assert list(data) == ["Linear", '{"type": "Nearest", "k": 9}']
    one, two = data.values()
    assert one["queries"] == two["queries"] == 48
    assert one["rows"][-1] == two["rows"][-1]
    assert one["rows"][0]["quality"] != two["rows"][0]["quality"]


def test_compare_shows_every_estimator_and_the_picture(run: Commands, world: World) -> None:
    """The table, the plot and a verdict for each are there."""
    shown = run("compare", world.outcomes, "--estimator", "Linear", "--estimator", "Clusters").stdout
    assert shown.count("Linear") >= 2
    assert shown.count("Clusters") >= 2
    assert "US dollars per 1,000 queries" in shown
    assert "zero router" in shown


def test_audit_reports_what_the_library_finds(run: Commands, world: World) -> None:
    """The JSON is the audit's own, and the advice is printed."""
    found = audit(read(world.outcomes))
    assert run.data("audit", world.outcomes) == json.loads(json.dumps(found.to_dict()))
    assert " ".join(found.advice.text.split()) in " ".join(run("audit", world.outcomes).stdout.split())


def test_no_router_needed_is_no_error(run: Commands, tmp_path: Path) -> None:
    """A model that is always right and cheapest needs no router beside it, and saying so exits with 0."""
    texts = [f"question {i}" for i in range(400)]
    quality = {"good": [1.0] * 400, "bad": [0.0] * 400}
    cost = {"good": [0.001] * 400, "bad": [0.002] * 400}
    path = RoutingDataset.from_arrays(texts, quality, cost).write(tmp_path / "outcomes.csv")
    result = run("audit", path)
    assert result.exit_code == 0
    assert "You don't need a router" in result.stdout


def test_explain_says_what_the_library_says(run: Commands, world: World) -> None:
    """The JSON is the explanation's own, from an argument as from stdin; the text names model and reason."""
    found = explain(world.router, Query(text=QUESTION, id="0"))
    expected = json.loads(json.dumps(found.to_dict()))
    assert run.data("explain", world.artefact, QUESTION) == expected
    assert run.data("explain", world.artefact, "-", input=QUESTION + "\n") == expected
    shown = run("explain", world.artefact, QUESTION).stdout
    assert found.decision.model in shown
    assert found.decision.reason in shown


def test_explain_names_the_best_single_model_of_a_reference(run: Commands, world: World) -> None:
    """With outcomes at hand, the alternatives are the best single and the cheapest model of those."""
    data = run.data("explain", world.artefact, QUESTION, "--reference", world.outcomes)
    assert [other["model"] for other in data["instead"]] == [world.dataset.best_single, world.dataset.cheapest]


def test_evaluate_leaves_out_what_was_fitted_on(tmp_path: Path) -> None:
    """Of the outcomes that a router was fitted on partly, it is measured on the others only; on none it is refused."""
    rows = ["text,model,quality,cost_usd"]
    rows += [
        f"question {i} about law,{name},{(i + j) % 2},0.00{j + 1}" for i in range(100) for j, name in enumerate("ab")
    ]
    (tmp_path / "all.csv").write_text("\n".join(rows))
    artefact = str(tmp_path / "r.pointsman")
    runner = CliRunner()
    assert runner.invoke(main, ["fit", str(tmp_path / "all.csv"), "--out", artefact]).exit_code == 0
    found = runner.invoke(main, ["evaluate", artefact, str(tmp_path / "all.csv")])
    assert found.exit_code == 0
    assert "80 of 100 queries were fitted on and are left out." in found.stderr
    seen = set(read_manifest(artefact)["metadata"]["fitted_texts"].split())
    old = [rows[0], *(row for row in rows[1:] if short_id(row.split(",")[0]) in seen)]
    (tmp_path / "old.csv").write_text("\n".join(old))
    refused = runner.invoke(main, ["evaluate", artefact, str(tmp_path / "old.csv")])
    assert refused.exit_code == 1
    assert "fitted on all 80 queries" in refused.stderr
    assert "fitted_texts" not in runner.invoke(main, ["card", artefact, "--json"]).stdout
