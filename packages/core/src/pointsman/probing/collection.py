"""What a collection has come to: how far it is, and in the end the outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.data.dataset import RoutingDataset
from pointsman.models import ModelPool
from pointsman.probing.log import Cell

__all__ = ["Collection", "Progress"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a collection is.

    Parameters:
        total: Cells to fill: prompts × models × runs.
        finished: Cells with an answer and a score, those of earlier runs included.
        failed: Cells that were tried in this run and not filled.
        spent_usd: What all calls of known cost came to, judges, retries and earlier runs included.
        unknown_calls: How many more calls ended without a known cost.
        cell: What was worked on last; None before the first.
    """

    total: int
    finished: int
    failed: int
    spent_usd: float
    unknown_calls: int
    cell: Cell | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """The end of a run.

    Parameters:
        progress: How far it came.
        rows: The outcomes in the long form, a row per answered cell; quality is None where it was not scored.
        failures: Why cells were not filled, by cell.
        given_up: Models that failed so often in a row that they were left alone, each with its last error.
        stopped: Why the run ended before its last cell; None where it did not.
        pool: The candidates.
    """

    progress: Progress
    rows: Sequence[Mapping[str, Any]]
    failures: Mapping[Cell, str]
    given_up: Mapping[str, str]
    stopped: str | None
    pool: ModelPool

    @property
    def complete(self) -> bool:
        """Whether every cell is filled."""
        return self.progress.finished == self.progress.total

    def dataset(self) -> RoutingDataset:
        """Return the outcomes as a dataset: repeated runs as their mean, what was not scored as NaN.

        Raises:
            DataError: When nothing was answered.
        """
        return RoutingDataset.from_rows(self.rows, pool=self.pool)
