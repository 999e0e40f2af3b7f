"""Scenery: what a page's code expects to find, namely files of outcomes, and a server that stands in for the provider."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pages.exports import write_exports
from pages.reading import ROOT
from pointsman.testing.replay_server import Recorded, ReplayServer

__all__ = ["Scene", "scenery"]

Answer = Callable[[str, dict[str, Any]], Recorded]

PRICES = {"large": 0.004, "small": 0.0002}
_FIELDS = ("[[ ## answer ## ]]\n", "\n\n[[ ## completed ## ]]\n")  # what DSPy asks for
_PRODUCT = re.compile(r"(\d+) \* (\d+)")


class Scene:
    """The world of a page while it runs; `server` is None where nobody is called."""

    def __init__(self, server: ReplayServer | None = None) -> None:
        self.server = server


@contextmanager
def scenery(page: Path, folder: Path) -> Iterator[Scene]:
    """Prepare what a page expects in a folder, which is the current one meanwhile."""
    files, answer = _SCENES.get(str(page.relative_to(ROOT)), (None, None))
    if files is not None:
        files(folder)
    before = Path.cwd()
    with ExitStack() as stack:
        server = None if answer is None else stack.enter_context(ReplayServer({}, default=answer))
        told = {"LANGSMITH_TRACING": "false", "DSPY_CACHEDIR": str(folder / "cache")}
        if server is not None:
            told |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_BASE": server.url, "OPENAI_API_KEY": "unused"}
        stack.enter_context(_environment(told))
        os.chdir(folder)
        stack.callback(os.chdir, before)
        yield Scene(server)


@contextmanager
def _environment(told: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def write_outcomes(folder: Path) -> None:
    """Write outcomes where the small model calculates as well as the large one, and proves nothing."""
    with (folder / "outcomes.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "model", "quality", "cost_usd"])
        for i in range(600):
            text = f"What is {i} * {i + 7}?" if i % 2 else f"Prove the theorem about the number {i} and its divisors."
            for model, cost in PRICES.items():
                rows.writerow([text, model, int(model == "large" or i % 2), cost])


def _product(model: str, _: Mapping[str, Any]) -> Recorded:
    return Recorded(text=f"391, says {model}")


def _capital(_model: str, _request: Mapping[str, Any]) -> Recorded:
    return Recorded(text="Paris", input_tokens=10, output_tokens=2)


def _answers(model: str, _: Mapping[str, Any]) -> Recorded:
    return Recorded(text=f"{model} answers", input_tokens=10, output_tokens=2)


def _fields(model: str, request: Mapping[str, Any]) -> Recorded:
    """Answer in DSPy's form: both models calculate, and only the large one proves."""
    asked = str(request["messages"][-1]["content"]).rpartition("[[ ## question ## ]]")[2]
    found = _PRODUCT.search(asked)
    said = str(int(found[1]) * int(found[2])) if found else "QED" if model == "large" else "I do not know."
    return Recorded(text=f"{_FIELDS[0]}{said}{_FIELDS[1]}", input_tokens=50, output_tokens=7)


_SCENES: Mapping[str, tuple[Callable[[Path], None] | None, Answer | None]] = {
    "README.md": (write_outcomes, _product),
    "docs/adapters/one-router.md": (write_outcomes, _fields),
    "docs/formats.md": (write_exports, None),
    "docs/protocols.md": (write_outcomes, None),
    "packages/dspy_router/README.md": (None, _fields),
    "packages/langchain_router/README.md": (None, _capital),
    "packages/llamaindex_router/README.md": (None, _answers),
}
