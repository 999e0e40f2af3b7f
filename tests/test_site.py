"""The documentation site builds strictly, links to nothing that is missing, and fetches nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pages.reading import ROOT

import pointsman

pytest.importorskip("mkdocs", reason="the site needs the extra 'docs'")
pytestmark = pytest.mark.timeout(600)


class Page(HTMLParser):
    """What one page links to, what it loads, and the anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element's anchor and what it refers to."""
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if "src" in found:
            self.loads.append(found["src"])
        if tag == "link" and found.get("rel") != "canonical":
            self.loads.append(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, in which warnings are errors."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def built(site: Path) -> dict[Path, Page]:
    """The pages of the site by their paths."""
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}


def test_every_internal_link_leads_to_its_anchor(built: dict[Path, Page]) -> None:
    """A link within the site names a file of it and, behind #, an anchor of that file."""
    broken = []
    for path, page in built.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchors = built[target].anchors if target in built else None
            if anchors is None or (parts.fragment and unquote(parts.fragment) not in anchors):
                broken.append((path.name, link))
    assert broken == []


def test_a_reader_fetches_nothing_from_elsewhere(site: Path, built: dict[Path, Page]) -> None:
    """No page loads a script, a style, an image or a font of another host; nor does a style sheet."""
    loads = {load for page in built.values() for load in page.loads}
    assert {load for load in loads if urlsplit(load).netloc} == set()
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\"']*", styles) == []


def test_every_public_name_is_in_the_reference(built: dict[Path, Page]) -> None:
    """What `import pointsman` offers has an entry of its own."""
    anchors = {anchor.rsplit(".", 1)[-1] for page in built.values() for anchor in page.anchors if "." in anchor}
    assert set(pointsman.__all__) - anchors == set()
