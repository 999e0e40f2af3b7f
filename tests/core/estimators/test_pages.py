"""Every registered estimator has a page, and what its example prints is what happens."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from pointsman.config import BUILTIN

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "estimators"
HOMES = [home.rsplit(".", 1)[1] for home in BUILTIN.values() if home.startswith("pointsman.estimators.")]


@pytest.mark.parametrize("home", HOMES)
def test_an_estimator_is_shown_at_work(home: str) -> None:
    """The page named after its module has an example that runs as printed."""
    text = (FOLDER / f"{home}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for block in blocks:
        runner.run(doctest.DocTestParser().get_doctest(block, {}, home, f"{home}.md", 0))
    assert runner.failures == 0


def test_no_page_is_about_nothing() -> None:
    """Each page is about an estimator that can be named."""
    assert {page.stem for page in FOLDER.glob("*.md")} == set(HOMES)
