"""RouterArena's scores (Lu et al., 2510.00202): accuracy against log cost, optimality within the pool, robustness.

The optimality figures compare a router with its own pool: one with two models can be almost always optimal and still
be poor, so never rank routers with different pools by them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import ConfigError, DataError
from pointsman.metrics.arrays import aligned, choices, matrix, number, same_shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Optimality", "arena_score", "optimality", "rank_score", "robustness"]

# Dollars per 1,000 queries that the leaderboard maps to cost scores 1 and 0.
_ARENA_CHEAPEST = 0.0044
_ARENA_DEAREST = 200.0


def arena_score(accuracy: float, cost_per_1k: float, *, beta: float = 0.1) -> float:
    """Return the RouterArena score: a weighted harmonic mean of accuracy and log-scaled cost.

    C = (log2 200 - log2 c) / (log2 200 - log2 .0044) with c held within [.0044, 200];
    S = (1 + β) A C / (β A + C).

    Args:
        accuracy: A, in [0, 1].
        cost_per_1k: c, dollars per 1,000 queries, >= 0.
        beta: β > 0; small values let accuracy count for more. The leaderboard's is .1.

    Returns:
        The score in [0, 1]; the leaderboard prints it times 100.

    Raises:
        ConfigError: A number is missing or outside its range.

    >>> round(100 * arena_score(accuracy=0.6721, cost_per_1k=2.06), 2)
    63.87
    """
    return rank_score(accuracy, cost_per_1k, low=_ARENA_CHEAPEST, high=_ARENA_DEAREST, beta=beta)


def rank_score(accuracy: float, cost: float, *, low: float, high: float, beta: float = 0.1) -> float:
    """Return VL-RouterBench's Rank Score (Huang et al., 2512.23562): the same form on the pool's own cost range.

    C = (log high - log c) / (log high - log low) with c held within [low, high]; S = (1 + β) A C / (β A + C).

    Args:
        accuracy: A, in [0, 1].
        cost: c, mean cost of the router's choices, >= 0.
        low: Cost of the cheapest model, > 0.
        high: Cost of the dearest model, > low.
        beta: β > 0; small values let accuracy count for more.

    Returns:
        The score in [0, 1]; 0 where accuracy and cost score are both 0.

    Raises:
        ConfigError: A number is missing or outside its range.

    >>> rank_score(accuracy=0.8, cost=1, low=1, high=10) > rank_score(accuracy=0.8, cost=9, low=1, high=10)
    True
    """
    a, c = number("accuracy", accuracy, low=0, high=1), number("cost", cost, low=0)
    if not 0 < low < high < math.inf:
        raise ConfigError(f"low and high: expected 0 < low < high, got {low:g} and {high:g}")
    if number("beta", beta) <= 0:
        raise ConfigError(f"beta: expected a positive number, got {beta!r}")
    cheapness = (math.log(high) - math.log(min(max(c, low), high))) / (math.log(high) - math.log(low))
    below = beta * a + cheapness
    return 0.0 if below == 0 else (1 + beta) * a * cheapness / below


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimality:
    """How close choices come to the cheapest correct model of the pool, over the queries that some model gets right.

    Attributes:
        selection: Share of the queries answered correctly at the lowest cost possible.
        accuracy: Share of the queries answered correctly.
        cost: The oracle's cost over the router's, summed over the queries that the router gets right; None if it
            gets none right or they cost nothing.
        queries: How many queries some model gets right.
    """

    selection: float
    accuracy: float
    cost: float | None
    queries: int


def optimality(picks: ArrayLike, cost: ArrayLike, quality: ArrayLike, *, correct: float = 1.0) -> Optimality | None:
    """Return RouterArena's Opt.Sel, Opt.Acc and Opt.Cost.

    The oracle is the cheapest correct model. Cost is compared only where the router is right, lest cheap wrong answers
    look thrifty. Of several equally cheap correct models each is optimal.

    Args:
        picks: (n,) index of the model chosen for each query.
        cost: (n, m) cost per query and model, >= 0.
        quality: (n, m) quality per query and model.
        correct: The quality from which an answer counts as correct.

    Returns:
        The three figures; None if no model gets any query right.

    Raises:
        DataError: Shapes differ, an index names no model, or a number is missing.

    >>> optimality([0, 1], cost=[[1, 4], [1, 4]], quality=[[0, 1], [1, 1]])
    Optimality(selection=0.0, accuracy=0.5, cost=0.25, queries=2)
    """
    costs, table = matrix("cost", cost, low=0), matrix("quality", quality)
    same_shape(cost=costs, quality=table)
    chosen = choices("picks", picks, table.shape[1])
    aligned(picks=chosen, quality=table)
    right = table >= number("correct", correct)
    solvable = right.any(axis=1)
    if not solvable.any():
        return None
    rows = np.arange(len(table))
    cheapest = np.where(right, costs, np.inf).min(axis=1)
    hit, paid = right[rows, chosen], costs[rows, chosen]
    spent = paid[hit].sum()
    return Optimality(
        selection=float((hit & (paid == cheapest))[solvable].mean()),
        accuracy=float(hit[solvable].mean()),
        cost=float(cheapest[hit].sum() / spent) if spent > 0 else None,
        queries=int(solvable.sum()),
    )


def robustness(picks: ArrayLike, perturbed: ArrayLike) -> float:
    """Return the share of queries whose chosen model stays the same when the prompt is perturbed: 1 - flip rate.

    Args:
        picks: (n,) model chosen for each query, as indices or names.
        perturbed: (n,) model chosen for its perturbed form.

    Raises:
        DataError: The arrays are empty or differ in length.

    >>> robustness(["a", "b", "a", "a"], ["a", "a", "a", "a"])
    0.75
    """
    before, after = np.asarray(picks), np.asarray(perturbed)
    if before.ndim != 1 or before.size == 0 or before.shape != after.shape:
        raise DataError(f"picks and perturbed: expected equal shapes (n,), n > 0, got {before.shape} and {after.shape}")
    return float((before == after).mean())
