"""Counts: how the tests of a cell ended, LangChain's own suites apart, read from pytest's report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

__all__ = ["Counts", "counted", "is_suite_of"]


@dataclass(frozen=True)
class Counts:
    """How many tests passed, failed (or could not be set up), and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.passed} / {self.failed} / {self.skipped}"


def counted(report: Path, wanted: Callable[[str], bool] = bool) -> Counts:
    """Return the counts of the test cases in a JUnit report whose class is wanted."""
    passed = failed = skipped = 0
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by our own tests
        if not wanted(case.get("classname", "") or "-"):
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return Counts(passed, failed, skipped)


def is_suite_of(module: str) -> Callable[[str], bool]:
    """Return what tells the classes of LangChain's suites in a test module."""
    return lambda name: f".{module}.Test" in name
