"""The README's example runs as it stands, with real clients, and its links lead somewhere."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from pointsman.testing.replay_server import Recorded, ReplayServer

ROOT = Path(__file__).resolve().parents[1]
DOCS = [*sorted((ROOT / "docs").rglob("*.md")), *ROOT.glob("packages/*/README.md")]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]
PRICES = {"large": 0.004, "small": 0.0002}


def write_outcomes(path: Path) -> None:
    """Write outcomes where the small model calculates as well as the large one, and proves nothing."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "model", "quality", "cost_usd"])
        for i in range(600):
            text = f"What is {i} * {i + 7}?" if i % 2 else f"Prove the theorem about the number {i} and its divisors."
            for model, cost in PRICES.items():
                rows.writerow([text, model, int(model == "large" or i % 2), cost])


def python_blocks(page: Path) -> list[str]:
    """Return the Python code of a page."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The example audits, fits, evaluates, explains, saves, and answers through a chain of real clients."""
    pytest.importorskip("langchain_openai")
    (block,) = python_blocks(ROOT / "README.md")
    write_outcomes(tmp_path / "outcomes.csv")
    with ReplayServer({}, default=lambda model, _: Recorded(text=f"391, says {model}")) as server:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "unused")
        exec(compile(block, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102
    assert capsys.readouterr().out.rstrip().endswith("391, says small")
    assert [entry.model for entry in server.ledger] == ["small"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page is a file or folder of the repository."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
