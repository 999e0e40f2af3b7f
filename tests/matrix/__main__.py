"""Run the matrix: `python -m matrix [--folder FOLDER] [CELL ...]`, where a cell is a name or pattern such as "dspy-3.12-*"."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from matrix.cells import PYTHONS, ROOT, Cell, cells_of, interpreters
from matrix.counts import Counts, counted, is_suite_of
from matrix.environments import build, versions_in

HEAD = ("cell", "passed / failed / skipped", "RouterLLM", "ChatOpenAI", "seconds", "versions")
SUITES = ("test_standard_suites", "test_baseline_chatopenai")


def run(cell: Cell, python: Path, folder: Path) -> tuple[list[str], bool]:
    """Build a cell's environment, run its tests there, and return its line of the table and whether all is well."""
    begun, report = time.monotonic(), folder / f"{cell}.xml"
    report.unlink(missing_ok=True)
    with (folder / f"{cell}.log").open("w", encoding="utf-8") as log:
        try:
            own = build(cell, python, folder / str(cell), log)
        except subprocess.CalledProcessError:
            return [str(cell), "cannot be installed", "", "", _since(begun), f"see {log.name}"], False
        command = [str(own), "-m", "pytest", "-q", "--timeout=900", f"--junitxml={report}", *cell.framework.tests]
        done = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False)  # noqa: S603 - ours
    if not report.exists():
        return [str(cell), "ended early", "", "", _since(begun), f"see {folder / f'{cell}.log'}"], False
    suites = [counted(report, is_suite_of(module)) for module in SUITES]
    told = versions_in(own)
    versions = ", ".join(f"{name} {told[name]}" for name in cell.framework.shown if name in told)
    shown = ["" if one == Counts() else str(one) for one in suites]
    return [str(cell), str(counted(report)), *shown, _since(begun), versions], done.returncode == 0


def _since(begun: float) -> str:
    return f"{time.monotonic() - begun:.0f}"


def main() -> int:
    """Run the cells asked for, print their table, and return 0 if all of them passed and there was one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("cells", nargs="*", help="names or patterns; by default all")
    parser.add_argument("--folder", type=Path, default=ROOT / ".venv-matrix" / "cells", help="environments and logs")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    pythons = interpreters()
    for version in PYTHONS:
        if version not in pythons:
            say(f"Python {version} was not found, neither on the path nor with pyenv: its cells are left out.")
    rows, well = [HEAD], []
    for cell in cells_of(asked.cells):
        if cell.python in pythons:
            say(f"{cell} ...")
            row, passed = run(cell, pythons[cell.python], asked.folder.resolve())
            say("  ".join(row[1:]))
            rows.append(tuple(row))
            well.append(passed)
    say(table(rows))
    if not well:
        say("No cell was run.")
    return 0 if well and all(well) else 1


def table(rows: list[tuple[str, ...]]) -> str:
    """Return rows of text in columns, below a line on what the suites' columns are."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(one.ljust(width) for one, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(["", "Columns RouterLLM and ChatOpenAI: LangChain's own suites on each.", "", *lines])


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + os.linesep)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
