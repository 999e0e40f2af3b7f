"""Every example runs as it stands, offline."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))
MAX_LINES = 80


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example ends without an error and shows something."""
    if "langchain" in path.stem:
        pytest.importorskip("langchain_openai")
    if "llamaindex" in path.stem:
        pytest.importorskip("llama_index.llms.openai_like")
    if "dspy" in path.stem:
        pytest.importorskip("dspy")
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(path: Path) -> None:
    """An example can be read in one go."""
    assert len(path.read_text(encoding="utf-8").splitlines()) < MAX_LINES
