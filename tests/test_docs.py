"""Every block of code in the documentation runs, offline, and prints what is shown; every relative link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from pages.reading import ROOT, blocks, pages
from pages.running import Run, run_page
from pages.scenery import Scene, scenery

from pointsman.config import BUILTIN

WITH_CODE = [
    page for page in pages() if any(b.language in ("python", "console") for b in blocks(page.read_text("utf-8")))
]
LINKED = [*pages(), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
ESTIMATORS = [home.rsplit(".", 1)[1] for home in BUILTIN.values() if home.startswith("pointsman.estimators.")]


def name(page: Path) -> str:
    """Return a page's path as a test id."""
    return str(page.relative_to(ROOT))


def check_readme(run: Run, scene: Scene) -> None:
    """The example ends with the answer of the model that is good enough."""
    assert run.printed[-1].rstrip().endswith("391, says small")
    assert scene.server is not None
    assert [entry.model for entry in scene.server.ledger] == ["small"]


def check_langchain(run: Run, scene: Scene) -> None:
    """Questions go where the page says, the traces are paid for, and every key and setting is in the page's tables."""
    assert scene.server is not None
    models = [entry.model for entry in scene.server.ledger]
    agents = ["gpt-4o"] if importlib.util.find_spec("langchain") else []
    asked = ["gpt-4o", "gpt-4o-mini", "gpt-4o-mini", "gpt-4o", "gpt-4o-mini", *agents, "gpt-4o-mini", "gpt-4o-mini"]
    assert models == asked
    assert [trace.cost_usd for trace in run.names["traces"]] == [pytest.approx((10 * 0.15 + 2 * 0.60) / 1e6)]
    text = (ROOT / "packages/langchain_router/README.md").read_text(encoding="utf-8")
    wanted = {*run.names["message"].response_metadata["router"], *(spec.id for spec in run.names["llm"].config_specs)}
    assert {key for key in wanted if f"`{key}`" not in text} == set()


def check_dspy(run: Run, scene: Scene) -> None:
    """Easy questions go to the small model, the compiled program's too, and no call of the compilation is made twice."""
    import dspy

    dspy.configure(lm=None)
    assert scene.server is not None
    models = [entry.model for entry in scene.server.ledger]
    assert models[:3] == ["small", "large", "small"]
    assert models[-1] == "small"
    report = run.names["report"]
    assert report.routes
    assert report.calls == len(models) - 4 == 2 * len(run.names["data"])


def check_llamaindex(run: Run, scene: Scene) -> None:
    """Each question is answered by the model that the page says, and every key of the record is in the page's table."""
    assert scene.server is not None
    models = [entry.model for entry in scene.server.ledger]
    for model in run.names["llm"].models.values():
        model._get_client().close()
    assert models == ["small", "large", "small", "large", "small", "large", "small"]
    text = (ROOT / "packages/llamaindex_router/README.md").read_text(encoding="utf-8")
    assert {key for key in run.names["record"] if f"`{key}`" not in text} == set()


CHECKS = {
    "README.md": check_readme,
    "packages/dspy_router/README.md": check_dspy,
    "packages/langchain_router/README.md": check_langchain,
    "packages/llamaindex_router/README.md": check_llamaindex,
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", WITH_CODE, ids=name)
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path) -> None:
    """Its blocks run in order and print what is shown; `make docs-outputs` writes what they print into the pages."""
    with scenery(page, tmp_path) as scene:
        run = run_page(page)
        assert not run.replaced, run.problems(page)
        if not run.missing and name(page) in CHECKS:
            CHECKS[name(page)](run, scene)
    assert run.ran or run.missing
    if run.missing:
        pytest.skip(f"{run.ran} blocks ran; others need {', '.join(sorted(run.missing))}")


@pytest.mark.parametrize("page", LINKED, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page is a file or folder of the repository."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_estimator_is_shown_at_work() -> None:
    """Each has the page named after its module, with code; no page is about nothing."""
    found = {page.stem for page in WITH_CODE if page.parent.name == "estimators"}
    assert found == set(ESTIMATORS)
