"""`report`, and the page of `compare`: what they write is what the library makes of the same outcomes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pointsman.artifacts import load
from pointsman.cli.recipe import every_estimator
from pointsman.config import BUILTIN, build
from pointsman.data.dataset import RoutingDataset
from pointsman.data.readers import read
from pointsman.data.splits import grouped_split
from pointsman.estimators.base import Estimator
from pointsman.evaluation import evaluate
from pointsman.report import build_report
from pointsman.routers.base import Router
from pointsman.selection.auto import AutoRouter

if TYPE_CHECKING:
    from conftest import Commands, World

pytest.importorskip("jinja2", reason="a page needs the extra 'report'")
pytest.importorskip("matplotlib", reason="a page needs the extra 'report'")


def test_report_writes_what_the_library_finds(run: Commands, world: World, tmp_path: Path) -> None:
    """The page and the JSON are those of `build_report` with the router that `fit` would learn by default."""
    out = tmp_path / "report.html"
    data = run.data("report", world.outcomes, "--repeats", 0, "--out", out)
    found = build_report(AutoRouter(), read(world.outcomes), source=str(world.outcomes), repeats=0)
    assert out.read_text(encoding="utf-8") == found.html()
    assert data == {"path": str(out)} | json.loads(json.dumps(found.to_dict()))


def test_report_tells_the_verdict_and_the_way(run: Commands, world: World, tmp_path: Path) -> None:
    """Headline and advice go to stdout, what is being done and where the page is to stderr."""
    out = tmp_path / "page.html"
    result = run("report", world.outcomes, "--estimator", "Constant", "--repeats", 0, "--out", out)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] in out.read_text(encoding="utf-8")
    assert "Auditing the outcomes" in result.stderr
    assert result.stderr.endswith(f"Wrote {out}.\n")
    assert "Constant" in out.read_text(encoding="utf-8")


def test_a_saved_router_is_measured_on_what_is_new_to_it(run: Commands, world: World, tmp_path: Path) -> None:
    """Queries it was fitted on are left out and counted; it is not fitted again."""
    artefact, out = tmp_path / "router.pointsman", tmp_path / "report.html"
    run.data("fit", world.outcomes, "--estimator", "Nearest", "--out", artefact)
    result = run("report", world.outcomes, "--router", artefact, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert "192 of 240 queries were fitted on and are left out." in result.stderr
    router = load(artefact)
    assert isinstance(router, Router)
    assert router.digest() in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (["--config", "x.toml", "--estimator", "Nearest"], 2, "--config"),
        (["--router", "r.pointsman", "--estimator", "Nearest"], 2, "--router"),
        (["--repeats", "-1"], 2, "--repeats"),
        (["--repeats", "1"], 1, "repeats must be 0 or at least 2"),
        (["--format", "nonsense"], 1, "nonsense"),
        (["--estimator", "Nonsense"], 1, "'Nearest'"),
        (["--out", "nowhere/report.html"], 1, "nowhere"),
    ],
)
def test_report_says_what_is_wrong(run: Commands, world: World, options: list[str], code: int, named: str) -> None:
    """Wrong options name themselves or the choices."""
    result = run("report", world.outcomes, *options)
    assert result.exit_code == code
    assert named in result.stderr


@pytest.mark.parametrize("command", [["report"], ["compare", "--html", "page.html"]])
def test_without_the_extra_it_says_what_to_install(
    run: Commands, world: World, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """Before any work the error names the extra."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run(command[0], world.outcomes, *command[1:])
    assert result.exit_code == 1
    assert "pointsman[report]" in result.stderr


def test_few_rows_make_a_report_too(run: Commands, world: World, tmp_path: Path) -> None:
    """With too few queries to fit a router the page says so, and the command succeeds."""
    data = world.dataset.take(range(9)).write(tmp_path / "few.csv")
    result = run("report", data, "--out", tmp_path / "report.html")
    assert result.exit_code == 0
    assert "too few to fit" in result.stdout
    assert "too few to fit" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_compare_knows_every_estimator() -> None:
    """Without options all registered estimators that need no parameters are compared, the stack as AutoRouter's alone."""
    needing = [name for name in BUILTIN if name not in every_estimator()]
    assert set(every_estimator()) >= {"Clusters", "Constant", "Domain", "Linear", "Nearest"}
    assert all(isinstance(build({"type": name}), Estimator) for name in every_estimator())
    assert {"Utility", "Stacked"} <= set(needing)


def test_compare_writes_a_page(run: Commands, world: World, tmp_path: Path) -> None:
    """All routers are in one plane and one table, under short names, beside the baselines."""
    page = tmp_path / "compare.html"
    result = run(
        "compare",
        world.outcomes,
        "--estimator",
        "Constant",
        "--estimator",
        '{"type": "Nearest", "k": 9}',
        "--html",
        page,
    )
    assert result.exit_code == 0, result.stderr
    source = page.read_text(encoding="utf-8")
    assert source.count("Nearest(k=9)") >= 3
    assert "Constant" in source
    assert "Zero router" in source
    assert "<script" not in source
    assert "://" not in source


def test_compare_holds_the_default_router_beside_an_estimator(run: Commands, world: World) -> None:
    """AutoRouter has a row under its name, at the setting that `fit` would choose; the estimator puts quality first."""
    data = run.data("compare", world.outcomes, "--estimator", "AutoRouter", "--estimator", "Constant")
    train, validation, test = grouped_split(read(world.outcomes))
    found = evaluate(AutoRouter().fit(train), test, train=train, validation=validation)
    assert data["AutoRouter"] == json.loads(json.dumps(found.to_dict()))
    assert data["Constant"]["rows"][0]["shares"][found.best_single] == 1


def test_compare_is_readable_on_eighty_columns(run: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is longer, every router has a letter in the table and in the picture, and baselines stand beside it."""
    monkeypatch.setenv("COLUMNS", "80")
    texts = [f"question {i} about {'law' if i % 2 else 'sums'}" for i in range(60)]
    quality = {
        "a-long-model-name-instruct": [float(i % 2) for i in range(60)],
        "other": [float(i % 3 > 0) for i in range(60)],
    }
    cost = {"a-long-model-name-instruct": [0.002] * 60, "other": [0.001] * 60}
    data = RoutingDataset.from_arrays(texts, quality, cost).write(tmp_path / "outcomes.csv")
    chosen = ("Constant", "Nearest", '{"type": "Nearest", "k": 9}')
    shown = run("compare", data, *(part for name in chosen for part in ("--estimator", name))).stdout
    assert max(map(len, shown.splitlines())) <= 80
    table, picture = shown.split("quality\n", 1)
    for letter, name in zip("ABC", ("Constant", "Nearest", "Nearest(k=9)"), strict=True):
        assert f"{letter} {name}" in table
        assert letter in picture.split("US dollars")[0]
    for baseline in ("best single", "cheapest", "zero router", "oracle"):
        assert baseline in table
