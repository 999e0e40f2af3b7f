"""The page in a real browser: drawn without an error, asking for nothing, nothing cut off or written over."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="a page needs the extra 'report'")
pytest.importorskip("matplotlib", reason="a page needs the extra 'report'")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.timeout(300),
]

PROBE = """
<script>
const problems = [];
addEventListener("error", event => problems.push("error: " + event.message));
addEventListener("securitypolicyviolation", event => problems.push("asks for " + event.blockedURI));
addEventListener("load", () => {
  const root = document.documentElement;
  const overlap = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2;
  const charts = [...document.querySelectorAll(".chart svg")].filter(svg => svg.getBoundingClientRect().width > 0);
  const cut = [], over = [];
  for (const svg of charts) {
    const card = svg.closest("figure").getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]);
    texts.forEach(([text, box], i) => {
      if (box.left < card.left || box.right > card.right || box.top < card.top || box.bottom > card.bottom) cut.push(text);
      texts.slice(i + 1).forEach(([other, its]) => { if (overlap(box, its)) over.push(text + " / " + other); });
    });
  }
  const wide = [...document.querySelectorAll("main *:not(svg *)")].filter(
    e => !e.closest(".scroll, svg") && e.getBoundingClientRect().right > root.clientWidth + 1).map(e => e.tagName);
  const scrolls = [...document.querySelectorAll(".scroll")].filter(
    e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.trim().slice(0, 40));
  const style = getComputedStyle(document.body);
  parent.postMessage(JSON.stringify({
    problems, cut, over, wide, scrolls,
    page: [root.scrollWidth, root.clientWidth],
    charts: charts.map(svg => [svg.getBoundingClientRect().width, svg.getBoundingClientRect().height]),
    requests: performance.getEntriesByType("resource").map(entry => entry.name),
    colours: [style.color, style.backgroundColor],
  }), "*");
});
</script>
"""
FRAME = """<!DOCTYPE html><pre id="found"></pre><script>
addEventListener("message", event => { document.getElementById("found").textContent = event.data; });
</script><iframe style="border:0;width:{width}px;height:9000px" srcdoc="{page}"></iframe>"""


def chromium(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the browser with a profile of its own."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
        "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}", *options,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=200)  # noqa: S603


def looked_at(page: str, folder: Path, *, width: int, printed: bool = False, dark: bool = False) -> dict[str, Any]:
    """Return what the browser found of a page at a width; printed means by the rules for paper."""
    probed = page.replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';")
    if printed:
        probed = probed.replace("@media screen", "@media tv").replace("@media print", "@media all")
    probed = probed.replace("<style>", f"{PROBE}<style>", 1)
    (folder / "frame.html").write_text(
        FRAME.replace("{width}", str(width)).replace("{page}", escape(probed)), encoding="utf-8"
    )
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    done = chromium(folder, "--virtual-time-budget=4000", "--dump-dom", *scheme, (folder / "frame.html").as_uri())
    text = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert text is not None
    found: dict[str, Any] = json.loads(unescape(text.group(1)))
    return found | {"console": [line for line in done.stderr.splitlines() if "CONSOLE" in line]}


@pytest.fixture(scope="module", params=["usual", "57 models", "hostile"])
def any_page(request: pytest.FixtureRequest, made: SimpleNamespace) -> str:
    """Pages of data that make drawing hard."""
    source: str = made.shapes[request.param]().html()
    return source


@pytest.mark.parametrize(
    ("width", "printed"), [(1280, False), (400, False), (690, True)], ids=["wide", "narrow", "paper"]
)
def test_the_page_is_drawn_whole(any_page: str, tmp_path: Path, width: int, printed: bool) -> None:  # noqa: FBT001
    """No error, no request, no text cut off or over another, no page wider than the screen; all charts are to be seen."""
    found = looked_at(any_page, tmp_path, width=width, printed=printed)
    assert found["problems"] == []
    assert found["console"] == []
    assert found["requests"] == []
    assert found["cut"] == []
    assert found["over"] == []
    assert found["wide"] == []
    assert found["page"][0] <= found["page"][1]
    assert len(found["charts"]) >= 2
    assert all(w > 250 and h > 150 for w, h in found["charts"])
    if not printed and width > 1000:
        assert found["scrolls"] == []


def test_what_is_wrong_is_seen(page: str, tmp_path: Path) -> None:
    """A picture from elsewhere, a text over another, one beside its card and a part wider than the screen are found."""
    elsewhere = '<div style="width:2000px">wide</div><img src="http://127.0.0.1:9/x.png">'
    text = '<text x="-900" y="50">out</text>' + 2 * '<text x="99" y="99">on</text>'
    spoilt = page.replace("<section", f"{elsewhere}<section", 1).replace("</svg>", f"{text}</svg>", 1)
    found = looked_at(spoilt, tmp_path, width=1280)
    assert any("127.0.0.1" in problem for problem in found["problems"])
    assert found["console"]
    assert found["cut"] == ["out"]
    assert "on / on" in found["over"]
    assert "DIV" in found["wide"]
    assert found["page"][0] > found["page"][1]


def test_light_and_dark(page: str, tmp_path: Path) -> None:
    """The page follows the reader's choice, text against paper both times."""
    light = looked_at(page, tmp_path, width=1280)["colours"]
    dark = looked_at(page, tmp_path, width=1280, dark=True)["colours"]
    assert light != dark
    brightness = [[sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in pair] for pair in (light, dark)]
    assert max(brightness[0][0], brightness[1][1]) < 200
    assert min(brightness[0][1], brightness[1][0]) > 600


def test_the_page_as_it_is(page: str, tmp_path: Path) -> None:
    """The very file, unchanged, gives a picture with colours in it and a PDF of some pages."""
    from matplotlib.image import imread

    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    picture, paper = tmp_path / "page.png", tmp_path / "page.pdf"
    address = (tmp_path / "page.html").as_uri()
    done = chromium(tmp_path, "--window-size=1280,3000", f"--screenshot={picture}", address)
    assert "CONSOLE" not in done.stderr
    chromium(tmp_path, f"--print-to-pdf={paper}", address)
    pixels = imread(picture)
    assert pixels.shape[:2] == (3000, 1280)
    assert len({tuple(pixel) for pixel in (pixels[::5, ::5, :3] * 15).round().reshape(-1, 3).tolist()}) > 20
    assert len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) >= 3
