"""Collected: what a program scored and cost with each candidate in each predictor's place, and so what mixtures should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dspy_router.optimizing.outcomes import Priced
from dspy_router.optimizing.running import Measured

__all__ = ["Collected", "rectified"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Collected:
    """Runs of a program on n examples.

    Parameters:
        incumbent: The best single model on them.
        uniform: The runs with one candidate everywhere, by its name.
        alone: The runs with one candidate in one predictor's place and the incumbent elsewhere, by predictor and candidate.
        priced: What calls cost.
    """

    incumbent: str
    uniform: Mapping[str, Sequence[Measured]]
    alone: Mapping[str, Mapping[str, Sequence[Measured]]]
    priced: Priced

    def __len__(self) -> int:
        return len(self.uniform[self.incumbent])

    @cached_property
    def base(self) -> tuple[Vector, Vector]:
        """What the incumbent scored and cost, each of shape (n,)."""
        return self._figures(self.uniform[self.incumbent])

    def expected(self, models: Mapping[str, Any]) -> tuple[Vector, Vector]:
        """Return the scores and costs, each (n,), that there would be if what each predictor's model changes added up.

        Args:
            models: By predictor, a candidate's name or one for each example, shape (n,).
        """
        score, cost = (figures.copy() for figures in self.base)
        for predictor, names in models.items():
            chosen = np.broadcast_to(np.asarray(names, dtype=object), (len(self),))
            for name, (better, dearer) in self._changes[predictor].items():
                rows = chosen == name
                score[rows] += better[rows]
                cost[rows] += dearer[rows]
        return score, cost

    @cached_property
    def _changes(self) -> dict[str, dict[str, tuple[Vector, Vector]]]:
        """What each candidate in each predictor's place adds to the incumbent's score and cost."""
        score, cost = self.base
        changes: dict[str, dict[str, tuple[Vector, Vector]]] = {}
        for predictor, found in self.alone.items():
            figures = {name: self._figures(runs) for name, runs in found.items() if name != self.incumbent}
            changes[predictor] = {name: (mine[0] - score, mine[1] - cost) for name, mine in figures.items()}
        return changes

    def _figures(self, runs: Sequence[Measured]) -> tuple[Vector, Vector]:
        return self.priced.scores(runs), self.priced.costs(runs)


def rectified(expected: Vector, base: Vector, measured: Vector, rows: NDArray[np.intp]) -> Vector:
    """Return figures (n,) whose mean estimates that of what was measured at some rows, and whose spread gives its error.

    What is expected of all rows counts as far as it foretold what was measured: the regression estimator of sampling (Cochran,
    1977), near kin to prediction-powered inference (Angelopoulos et al., 2023). Where every expectation was met they are taken
    at their word; where they foretell nothing, the measured rows speak alone.

    Args:
        expected: Of all n examples; NaN is unknown.
        base: The incumbent's on them: differences to it are what has to be foretold.
        measured: What was found at `rows`.
        rows: Distinct places among the n.

    >>> nothing, half = np.zeros(4), np.array([0, 1])
    >>> rectified(np.array([1.0, 0, 1, 1]), nothing, np.array([1.0, 0]), half).mean()
    np.float64(0.75)
    >>> rectified(np.zeros(4), nothing, np.array([1.0, 0]), half).mean()
    np.float64(0.5)
    """
    change, real = expected - base, measured - base[rows]
    both = np.isfinite(change[rows]) & np.isfinite(real)
    if not both.any():
        return np.full(len(base), np.nan)
    rows, real = rows[both], real[both]
    slope = _slope(change[rows], real)
    beyond = real - slope * change[rows]
    found: Vector = base + slope * change + beyond.mean()
    found[rows] += np.isfinite(found).sum() / len(rows) * (beyond - beyond.mean())
    return found


def _slope(foretold: Vector, real: Vector) -> float:
    """Return how much of a foretold difference there really is, in [0, 1]."""
    if np.allclose(foretold, real, rtol=1e-9, atol=1e-12):
        return 1.0
    spread = float(foretold.var())
    together = float(((foretold - foretold.mean()) * (real - real.mean())).mean())
    return min(max(together / spread, 0.0), 1.0) if spread > 0 else 0.0
