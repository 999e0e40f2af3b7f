"""Cells: what is tested with what, in which Python."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

__all__ = ["PYTHONS", "ROOT", "Cell", "Framework", "Versions", "cells_of", "interpreters"]

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13")

Versions = Literal["floors", "newest"]


@dataclass(frozen=True)
class Framework:
    """A framework's side of the matrix.

    Parameters:
        name: The framework.
        extras: The extras of ours that bring it.
        clients: What its tests need beside it, such as a provider's client; at the floors with the floors of `dev`, if that
            has any.
        tests: What is run.
        shown: The packages whose versions are told.
    """

    name: str
    extras: tuple[str, ...]
    clients: tuple[str, ...]
    tests: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def requirements(self) -> list[str]:
        """The clients with their floors."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        floors = {one.partition(">=")[0]: one for one in project["optional-dependencies"]["dev"]}
        return [floors.get(client, client) for client in self.clients]


TOGETHER = "tests/adapters/test_one_artefact.py"
FRAMEWORKS = (
    Framework(
        "langchain-core",  # alone, which may be older than an agent's
        ("langchain", "data", "http", "schema"),
        ("langchain-openai", "langchain-tests"),
        ("tests/adapters/langchain", TOGETHER),
        ("langchain-core", "langchain-openai", "langchain-tests", "openai"),
    ),
    Framework(
        "langchain",
        ("langchain", "agents", "data", "http", "schema"),
        ("langchain-openai", "langchain-tests"),
        ("tests/adapters/langchain", TOGETHER),
        ("langchain-core", "langchain", "langchain-openai", "langchain-tests", "openai"),
    ),
    Framework(
        "llamaindex",
        ("llamaindex", "data", "http"),
        ("llama-index-llms-openai-like",),
        ("tests/adapters/llamaindex", TOGETHER),
        ("llama-index-core", "llama-index-llms-openai", "openai"),
    ),
    Framework(
        "dspy", ("dspy", "data", "http"), (), ("tests/adapters/dspy", TOGETHER), ("dspy", "litellm", "openai", "numpy")
    ),
)


@dataclass(frozen=True)
class Cell:
    """One framework in one Python, at its floors or at its newest."""

    framework: Framework
    python: str
    versions: Versions

    def __str__(self) -> str:
        return f"{self.framework.name}-{self.python}-{self.versions}"


def cells_of(patterns: Sequence[str]) -> list[Cell]:
    """Return the cells whose names match one of the patterns, such as "dspy-*" or "*-3.13-newest"; all without patterns."""
    every = [
        Cell(framework, python, versions)
        for framework in FRAMEWORKS
        for python in PYTHONS
        for versions in ("floors", "newest")
    ]
    return [cell for cell in every if any(fnmatch(str(cell), pattern) for pattern in patterns or ("*",))]


def interpreters() -> Mapping[str, Path]:
    """Return the Pythons at hand by version: those on the path, and those that pyenv keeps."""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found: dict[str, Path] = {}
    for version in PYTHONS:
        builds = sorted(kept.glob(f"{version}.*/bin/python"))
        on_path = shutil.which(f"python{version}")
        if builds or on_path:
            found[version] = builds[-1] if builds else Path(str(on_path))
    return found
