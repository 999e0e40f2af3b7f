"""The page: one valid file that asks for nothing, whatever the data look like and whoever wrote them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pointsman.errors import MissingExtraError
from pointsman.report import Report

pytest.importorskip("jinja2", reason="a page needs the extra 'report'")
pytest.importorskip("matplotlib", reason="a page needs the extra 'report'")

SHAPES = (
    "usual", "without costs", "without domains", "two models", "57 models", "twenty rows", "nine rows", "one model", "hostile",
)  # fmt: skip
VOID = {"meta", "link", "br", "img", "hr", "input", "source", "wbr"}
SECTIONS = (
    "plane", "learning", "domains", "calibration", "behaviour", "examples", "made", "limits", "reading", "provenance",
)  # fmt: skip
HERE = Path(__file__).parent


@dataclass
class Page(HTMLParser):
    """What a parser finds on a page."""

    source: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag, and whether it has to be closed."""
        self.tags.append((tag, dict(attrs)))
        if len(dict(attrs)) < len(attrs):
            self.problems.append(f"<{tag}> repeats an attribute")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element without content."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        """Keep what is to be read."""
        if self.open[-1:] != ["style"]:
            self.text += data

    def of(self, attribute: str) -> Iterator[str]:
        """Yield every value of an attribute."""
        yield from (attrs[attribute] or "" for _, attrs in self.tags if attribute in attrs)


@pytest.fixture(scope="module", params=SHAPES, ids=lambda name: name.replace(" ", "-"))
def shaped(request: pytest.FixtureRequest, made: SimpleNamespace) -> tuple[str, Report, Page]:
    """A report and its page for each shape of data."""
    report = made.shapes[request.param]()
    return request.param, report, Page(report.html())


def test_every_page_is_valid_and_self_contained(shaped: tuple[str, Report, Page]) -> None:
    """Tags are balanced, names unique, references resolve, and nothing points out of the file."""
    _, _, page = shaped
    assert page.problems == []
    assert page.open == []
    ids = list(page.of("id"))
    assert len(ids) == len(set(ids))
    for link in page.of("href"):
        assert link == "data:," or link.removeprefix("#") in ids, link
    for names in page.of("aria-labelledby"):
        assert set(names.split()) <= set(ids)
    assert set(re.findall(r"url\(([^)]*)\)", page.source)) <= {f"#{name}" for name in ids}
    assert not {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object", "embed", "video", "audio", "base"}
    assert not list(page.of("src"))
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert "@import" not in page.source
    assert page.source.encode("utf-8").isascii() is False  # a page of words and signs, which UTF-8 can hold


def test_every_chart_says_what_it_is(shaped: tuple[str, Report, Page]) -> None:
    """Each drawing has a role, a title and a description, and there are none of the colours that stand for names."""
    _, _, page = shaped
    for tag, attrs in page.tags:
        if tag == "svg":
            assert attrs["role"] == "img"
            assert attrs["aria-labelledby"]
    drawings = re.findall(r"<svg.*?</svg>", page.source, re.DOTALL)
    assert all("<title" in drawing and "<desc" in drawing for drawing in drawings)
    assert not re.search(r"#0001[0-9a-f]{2}|#0000[01][0-9a-f]\b", page.source)


def test_a_page_shows_its_parts_or_says_why_not(shaped: tuple[str, Report, Page]) -> None:
    """The parts come in order; what is missing is explained where it would be."""
    name, report, page = shaped
    sections = [attrs["id"] for tag, attrs in page.tags if tag == "section"]
    assert sections == (
        [s for s in SECTIONS if s in {"limits", "reading", "provenance"}] if name == "nine rows" else list(SECTIONS)
    )
    assert report.headline in page.text
    words = " ".join(page.text.split())
    assert all(" ".join(why.split()) in words for why in report.missing.values())
    assert report.provenance.data_digest in page.text


def test_what_cannot_be_drawn_is_told(page: str, made: SimpleNamespace) -> None:
    """Without costs there is no plane, with nine rows no router, and the words say so."""
    assert "Without costs there is no plane" in made.shapes["without costs"]().html()
    few = made.shapes["nine rows"]()
    assert few.evaluation is None
    assert "9 different queries are too few" in few.html()
    assert "Without costs" not in page


def test_foreign_text_stays_text(made: SimpleNamespace) -> None:
    """Markup in queries and model names is shown as it was typed, and what could hide or turn text is gone."""
    source = made.shapes["hostile"]().html()
    page = Page(source)
    assert "<script" not in source.lower()
    assert "<img" not in source.lower()
    assert "\u202e" not in source
    assert "\x00" not in source
    assert "<script>alert(1)</script>" in page.text
    assert "fetch(" in page.text
    assert made.hostile_name[:12] in page.text


def test_the_same_outcomes_give_the_same_bytes(page: str, made: SimpleNamespace) -> None:
    """Neither the order of rows and models nor the settings of the plotting library make a difference."""
    import matplotlib as mpl

    data = made.outcomes()
    mixed = data.take(np.random.default_rng(1).permutation(len(data))).only(data.models[::-1])
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.grid": False}):
        assert made.report_of(mixed).html() == page


def test_another_process_gives_the_same_bytes(page: str) -> None:
    """Nothing of the process or of the moment enters the page."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import conftest\n"
        "sys.stdout.write(conftest.report_of(conftest.outcomes()).html())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, str(HERE)], capture_output=True, check=True, env=environment
    )
    assert done.stdout.decode("utf-8") == page


def test_the_file_is_the_page(usual: Report, page: str, tmp_path: Path) -> None:
    """`write` returns the path of a file that holds what `html` returns."""
    path = usual.write(tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == page


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_a_missing_package_names_the_extra(usual: Report, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Without the extra the error says what to install."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*pointsman\[report\]"):
        usual.html()


def test_the_headings_stand_in_order(page: str) -> None:
    """No level of headings is skipped."""
    levels = [int(tag[1]) for tag, _ in Page(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
