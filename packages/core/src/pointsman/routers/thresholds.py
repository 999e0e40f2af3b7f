"""Thresholds: the settings of a ladder that keep a quality at the least cost, or a budget at the best quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from pointsman.routers.ladder import ALWAYS, NEVER, Ladder

__all__ = ["Goal", "Setting", "candidates", "measured", "search"]

Vector = NDArray[np.float64]
_TRIALS = 1_500  # settings that a search tries at first
_LEAST = 3  # thresholds of each rung that make a grid
_FINE = 64  # settings of one threshold that a refinement tries
_ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is wanted: the least cost at a mean quality of at least `quality`, or the best quality within `usd` per query."""

    quality: float | None = None
    usd: float | None = None

    def rank(self, quality: float, cost: float) -> tuple[bool, float, float]:
        """Return a key that is higher for what is better; meeting the goal comes first.

        A cost that nobody knows counts as the highest.
        """
        cost = np.inf if np.isnan(cost) else cost
        if self.usd is not None:
            met = cost <= self.usd * (1 + 1e-12)
            return (met, quality, -cost) if met else (met, -cost, quality)
        met = self.quality is None or quality >= self.quality - 1e-12
        return (met, -cost, quality) if met else (met, quality, -cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Thresholds of all rungs but the last, and the mean quality and cost that they led to."""

    thresholds: tuple[float, ...]
    quality: float
    cost_usd: float


def search(ladder: Ladder, goal: Goal) -> Setting:
    """Return the best setting found: a grid over quantiles of the scores, then each threshold by itself, a few times over.

    Where the rungs are too many for a grid, it begins with one threshold for all of them. Settings are compared on the queries
    that all models answered on record, as far as there are any.
    """
    ladder = ladder.comparable()
    tried = [measured(ladder, setting) for setting in _first(ladder)]
    best = max(tried, key=lambda one: _key(goal, one))
    for _ in range(_ROUNDS if ladder.rungs > 1 else 0):
        before = best
        for rung in range(ladder.rungs - 1):
            moved = [measured(ladder, setting) for setting in _moves(ladder, best.thresholds, rung)]
            best = max([best, *moved], key=lambda one: _key(goal, one))
        if best is before:
            break
    return best


def _first(ladder: Ladder) -> Iterator[tuple[float, ...]]:
    below = ladder.rungs - 1
    if _LEAST**below <= 2 * _TRIALS:
        yield from product(*candidates(ladder))
        return
    for value in [ALWAYS, *_quantiles(ladder.score.reshape(-1), _FINE), NEVER]:
        yield (value,) * below


def _key(goal: Goal, setting: Setting) -> tuple[object, ...]:
    """Rank settings; of those alike the lower thresholds win, which escalate less."""
    return (*goal.rank(setting.quality, setting.cost_usd), *(-t for t in setting.thresholds))


def measured(ladder: Ladder, thresholds: Sequence[float]) -> Setting:
    """Return what a setting comes to over all queries whose quality and, if any are, costs are known."""
    climb = ladder.climb(thresholds)
    known = np.isfinite(climb.quality)
    if (known & np.isfinite(climb.cost_usd)).any():
        known &= np.isfinite(climb.cost_usd)
    if not known.any():
        return Setting(thresholds=tuple(thresholds), quality=float("-inf"), cost_usd=float("nan"))
    return Setting(
        thresholds=tuple(thresholds),
        quality=float(climb.quality[known].mean()),
        cost_usd=float(climb.cost_usd[known].mean()),
    )


def candidates(ladder: Ladder, trials: int = _TRIALS) -> list[list[float]]:
    """Return, for each rung but the last, thresholds to try: always, never, and quantiles of its scores."""
    below = ladder.rungs - 1
    each = max(_LEAST, int(trials ** (1 / below))) if below else 0
    return [[ALWAYS, *_quantiles(ladder.score[:, rung], each - 2), NEVER] for rung in range(below)]


def _moves(ladder: Ladder, thresholds: tuple[float, ...], rung: int) -> Iterator[tuple[float, ...]]:
    for value in [ALWAYS, *_quantiles(ladder.score[:, rung], _FINE), NEVER]:
        yield (*thresholds[:rung], value, *thresholds[rung + 1 :])


def _quantiles(score: Vector, count: int) -> list[float]:
    """Return up to `count` of the scores that occur, spread evenly over the rows."""
    known = np.sort(score[np.isfinite(score)])
    if not len(known) or count < 1:
        return []
    places = np.linspace(0, len(known) - 1, count).round().astype(np.intp)
    return sorted(set(known[places].tolist()))
