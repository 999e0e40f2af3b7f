"""Ladders: recorded answers of models run one after the other, with how sure each is and what it costs to get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.confidence.base import Scored
from pointsman.data.dataset import RoutingDataset

__all__ = ["ALWAYS", "NEVER", "Climb", "Ladder", "answered"]

Matrix = NDArray[np.float64]

ALWAYS = float("-inf")
"""The threshold that accepts an answer unseen: it is not even checked."""
NEVER = float("inf")
"""The threshold that accepts nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Climb:
    """Where n queries stopped, shape (n,): the rung, the quality and the cost of all that ran, and the number of calls."""

    rung: NDArray[np.intp]
    quality: Matrix
    cost_usd: Matrix
    calls: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ladder:
    """n queries on m rungs.

    Parameters:
        score: How sure each answer is, shape (n, m - 1): that of the last rung is never asked for. NaN escalates.
        quality, cost_usd: Of each rung's answer, shape (n, m).
        check_usd, checks: Dollars and number of the calls that a check takes, shape (n, m - 1).
        kept: Whether what a rung wrote is known, shape (n, m); where it is not, nobody knows how a query goes on.
        start: The rung that each query begins on, shape (n,); None is the first.
    """

    score: Matrix
    quality: Matrix
    cost_usd: Matrix
    check_usd: Matrix
    checks: Matrix
    kept: NDArray[np.bool_]
    start: NDArray[np.intp] | None = None

    @classmethod
    def of(cls, dataset: RoutingDataset, order: Sequence[str], scored: Sequence[Scored]) -> Self:
        """Put recorded outcomes and the scores of all rungs but the last together."""
        columns = [dataset.models.index(name) for name in order]
        n, below = len(dataset), len(order) - 1

        def stacked(name: str) -> Matrix:
            return np.array([getattr(one, name) for one in scored[:below]], dtype=np.float64).reshape(below, n).T

        return cls(
            score=stacked("score"),
            quality=dataset.quality[:, columns],
            cost_usd=dataset.cost_usd[:, columns],
            check_usd=stacked("cost_usd"),
            checks=stacked("calls"),
            kept=answered(dataset, order),
        )

    def __len__(self) -> int:
        return len(self.quality)

    @property
    def rungs(self) -> int:
        """How many models there are."""
        return int(self.quality.shape[1])

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return some rows."""
        parts = {name: getattr(self, name)[rows] for name in ("score", "quality", "cost_usd", "check_usd", "checks")}
        return type(self)(**parts, kept=self.kept[rows], start=None if self.start is None else self.start[rows])

    def comparable(self) -> Self:
        """Return the rows on which every course is known; all of them where there is no such row.

        Settings are to be compared on the same queries: a model's missing answers are often its bad ones.
        """
        whole = self.kept.all(axis=1)
        return self.take(np.flatnonzero(whole)) if whole.any() and not whole.all() else self

    def climb(self, thresholds: Sequence[float] | Matrix) -> Climb:
        """Stop each query at the first rung whose score reaches its threshold, else at the last; all that ran is paid."""
        limits = np.asarray(thresholds, dtype=np.float64)
        unseen = limits == ALWAYS
        begin = np.zeros(len(self), dtype=np.intp) if self.start is None else self.start
        rows, steps = np.arange(len(self)), np.arange(self.rungs)
        accepted = np.column_stack([unseen | (self.score >= limits), np.ones(len(self), dtype=np.bool_)])
        rung = (accepted & (steps >= begin[:, None])).argmax(axis=1)
        ran = (steps <= rung[:, None]) & (steps >= begin[:, None])
        checked = ran[:, :-1] & ~unseen
        cost = np.where(ran, self.cost_usd, 0).sum(axis=1) + np.where(checked, self.check_usd, 0).sum(axis=1)
        calls = rung - begin + 1 + np.where(checked, self.checks, 0).sum(axis=1).astype(np.intp)
        known = (self.kept | ~ran).all(axis=1) | (rung == begin)  # one call's outcome is known, whatever it said
        return Climb(
            rung=rung,
            quality=np.where(known, self.quality[rows, rung], np.nan),
            cost_usd=np.where(known, cost, np.nan),
            calls=calls,
        )

    def accepts(self, thresholds: Sequence[float] | Matrix) -> NDArray[np.bool_]:
        """Return which answers would be accepted were they asked for, shape (n, m - 1)."""
        limits = np.asarray(thresholds, dtype=np.float64)
        return np.asarray((limits == ALWAYS) | (self.score >= limits), dtype=np.bool_)


def answered(dataset: RoutingDataset, models: Sequence[str]) -> NDArray[np.bool_]:
    """Return which models' answers are on record, shape (n, m)."""
    columns = [dataset.models.index(name) for name in models]
    found = np.zeros((len(dataset), len(columns)), dtype=np.bool_)
    for matrix in (dataset.answers, dataset.responses):
        if matrix is not None:
            found |= np.asarray(matrix[:, columns] != None, dtype=np.bool_)  # noqa: E711 - elementwise on objects
    return found
