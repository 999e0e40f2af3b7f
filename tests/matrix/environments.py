"""Environments: a fresh one for each cell, with uv, at the oldest or the newest versions that are allowed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import IO

from matrix.cells import ROOT, Cell

__all__ = ["UV", "build", "versions_in"]

UV = shutil.which("uv") or "uv"
TOOLS = ("hypothesis", "pytest", "pytest-asyncio", "pytest-socket", "pytest-timeout")


def build(cell: Cell, python: Path, folder: Path, log: IO[str]) -> Path:
    """Return the Python of a fresh environment in `folder`.

    What is promised is resolved first, then frozen, so that the tools of the tests cannot lift a floor. Only wheels are
    installed: of a Python that a version has none for, the oldest that has one is the floor.

    Raises:
        CalledProcessError: If something cannot be installed; the log says what.
    """
    _uv(log, "venv", "--quiet", "--clear", "--python", str(python), str(folder))
    own = folder / "bin" / "python"
    resolution = ["--resolution", "lowest-direct"] if cell.versions == "floors" else []
    extras = [part for extra in cell.framework.extras for part in ("--extra", extra)]
    promised = ["--no-build", *resolution, "-r", str(ROOT / "pyproject.toml"), *extras, *cell.framework.requirements]
    _uv(log, "pip", "install", "--python", str(own), *promised)
    frozen = folder / "frozen.txt"
    frozen.write_text(_uv_says("pip", "freeze", "--python", str(own)), encoding="utf-8")
    _uv(log, "pip", "install", "--python", str(own), "--constraint", str(frozen), *TOOLS)
    _uv(log, "pip", "install", "--python", str(own), "--no-deps", "--editable", str(ROOT))
    return own


def versions_in(python: Path) -> dict[str, str]:
    """Return the versions of what is installed there."""
    listed = json.loads(_uv_says("pip", "list", "--format", "json", "--python", str(python)))
    return {one["name"]: one["version"] for one in listed}


def _uv(log: IO[str], *arguments: str) -> None:
    log.write(f"$ uv {' '.join(arguments)}\n")
    log.flush()
    subprocess.run([UV, *arguments], check=True, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 - our own arguments


def _uv_says(*arguments: str) -> str:
    done = subprocess.run([UV, *arguments], check=True, capture_output=True, text=True)  # noqa: S603 - as above
    return done.stdout
