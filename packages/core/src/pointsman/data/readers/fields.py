"""The columns of the long form, one row per query and model (and run), and how users' own names are matched to them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import inf

from pointsman.data.readers.tables import Table
from pointsman.errors import DataError, choices

__all__ = ["FIELDS", "ColumnsError", "Field", "check_names", "renamed"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column: text, or numbers between two bounds.

    `truth` lets true and false stand for 1 and 0; `whole` admits whole numbers only.
    """

    meaning: str
    numeric: bool = True
    low: float = 0.0
    high: float = inf
    truth: bool = False
    whole: bool = False

    @property
    def wanted(self) -> str:
        """What a number of this column must be, as messages say it."""
        kind = "a whole number" if self.whole else "a number"
        return (
            f"{kind} in [{self.low:g}, {self.high:g}]"
            if self.high < inf
            else f"{kind}, at least {self.low:g} and finite"
        )


FIELDS: Mapping[str, Field] = {
    "query_id": Field(numeric=False, meaning="which query; by default a hash of its text"),
    "text": Field(numeric=False, meaning="the question"),
    "model": Field(numeric=False, meaning="who answered"),
    "quality": Field(high=1.0, truth=True, meaning="the score; empty where the answer was not scored"),
    "cost_usd": Field(meaning="US dollars of the call"),
    "input_tokens": Field(meaning="tokens of the prompt"),
    "output_tokens": Field(meaning="tokens of the answer"),
    "latency_s": Field(meaning="seconds until the answer was complete"),
    "answer": Field(numeric=False, meaning="the answer itself"),
    "domain": Field(numeric=False, meaning="what the query is about"),
    "group": Field(
        numeric=False, meaning="queries that a split must not tear apart share one; by default equal texts do"
    ),
    "run": Field(numeric=False, meaning="which repetition; two rows of one cell must not share it"),
    "runs": Field(low=1.0, whole=True, meaning="how many repetitions the row sums up, where not one"),
    "run_variance": Field(meaning="unbiased variance of quality between those repetitions"),
}
"""Every column a reader knows."""


class ColumnsError(DataError):
    """Names of columns do not fit; `told` says so to those who write them otherwise than in Python.

    Parameters:
        problem: What is wrong; where no column is missing, the argument's name goes before it.
        missing: The field that no column was found for, if that is it.
    """

    def __init__(self, problem: str, missing: str | None = None) -> None:
        self.problem, self.missing = problem, missing
        super().__init__(self.told("columns=", f"columns={{{missing!r}: '...'}}"))

    def told(self, argument: str, example: str) -> str:
        """Return the message with the argument's name and, for a missing column, how to write it."""
        if self.missing is None:
            return f"{argument} {self.problem}"
        return f"{self.problem} Give your own names with {example}."


def check_names(columns: Mapping[str, str] | None, fields: Collection[str]) -> None:
    """Raise ColumnsError when `columns` maps something that is no field."""
    if unknown := set(columns or {}) - set(fields):
        raise ColumnsError(f"maps unknown field {choices(unknown)}; known are {choices(fields)}.")


def renamed(
    table: Table, columns: Mapping[str, str] | None, known: Collection[str], required: Collection[str]
) -> Table:
    """Return the known columns of a table under our names; others are named in the log and left out.

    Args:
        table: As the file has it.
        columns: Our name -> the file's name, where they differ.
        known: The fields to take.
        required: Those that must be there.

    Raises:
        ColumnsError: When a required column is missing.
    """
    named = dict(columns or {})
    found = {name: named.get(name, name) for name in known if named.get(name, name) in table.columns}
    if missing := [name for name in required if name not in found]:
        raise ColumnsError(
            f"{table.source} has no column {choices(named.get(name, name) for name in missing)}; it has "
            f"{choices(table.columns) or 'none'}.",
            missing[0],
        )
    if ignored := set(table.columns) - set(found.values()):
        _log.warning("%s: ignoring unknown columns %s", table.source, choices(ignored))
    return replace(table, columns={name: table.columns[own] for name, own in found.items()})
