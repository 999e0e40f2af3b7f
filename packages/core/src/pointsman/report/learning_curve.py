"""Learning curve: what the same recipe gains when it learns from fewer rows, and whether more would still help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.baselines import Method
from pointsman.evaluation.curve import Curve
from pointsman.evaluation.replay import simulate
from pointsman.evaluation.scoring import Board
from pointsman.evaluation.settings import settings_of
from pointsman.metrics import Interval
from pointsman.routers.base import Router

__all__ = ["LearningPoint", "learning_curve", "learning_sizes"]

Fit = Callable[[RoutingDataset], Router]
_FEWEST = 20  # groups of queries that the smallest training set has


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPoint:
    """What learning from this many rows comes to; intervals are over test queries, averaged over repeats.

    Parameters:
        rows: Mean number of training queries.
        quality_gain: Quality minus the best single model's, at the setting of highest quality on validation data.
        aiq_gain: AIQ minus the Zero router's; None where costs are unknown.
        each_quality_gain, each_aiq_gain: The same of every repeat, each on other training rows.
    """

    rows: float
    quality_gain: Interval | None
    aiq_gain: Interval | None
    each_quality_gain: tuple[float, ...]
    each_aiq_gain: tuple[float, ...]


def learning_sizes(groups: int, steps: int) -> tuple[int, ...]:
    """Return how many groups to learn from: all of them, and halves of it down to twenty, at most so many sizes.

    >>> learning_sizes(1000, 4), learning_sizes(60, 5), learning_sizes(12, 5)
    ((125, 250, 500, 1000), (30, 60), (12,))
    """
    halves = (groups // 2**i for i in range(steps))
    return tuple(sorted(size for size in halves if size == groups or size >= _FEWEST))


def learning_curve(
    fit: Fit,
    fitted: Router,
    train: RoutingDataset,
    validation: RoutingDataset,
    board: Board,
    cheapest: str,
    *,
    steps: int,
    repeats: int,
    random_state: int,
) -> Iterator[LearningPoint]:
    """Yield a point per size, the largest, of the router that is `fitted` already, last.

    Smaller ones are fitted on random groups of the training rows, `repeats` times each; the baselines stay what all of the
    training data say they are.
    """
    group = train.group_of
    groups = int(group.max()) + 1
    for size in learning_sizes(groups, steps):
        scored = []
        for repeat in range(repeats if size < groups else 1):
            taken = np.random.default_rng((random_state, size, repeat)).permutation(groups)[:size]
            part = train if size == groups else train.take(np.flatnonzero(np.isin(group, taken)))
            router = fitted if size == groups else fit(part)
            scored.append((len(part), *_gains(router, validation, board, cheapest)))
        yield _point(scored)


def _gains(
    router: Router, validation: RoutingDataset, board: Board, cheapest: str
) -> tuple[Interval | None, Interval | None]:
    """Return the gain in quality at the best setting, and in AIQ."""
    mine = simulate(router, board.test)
    curve = Curve.of(settings_of(router, board.test, validation, mine, cheapest))
    row = board.row(Method.of("router", mine, curve))
    best = row.peak if row.peak is not None else row.own  # without costs there are no settings but its own
    return None if best is None else best.difference, row.aiq_gain


def _point(scored: list[tuple[int, Interval | None, Interval | None]]) -> LearningPoint:
    rows, quality, aiq = zip(*scored, strict=True)
    return LearningPoint(
        rows=float(np.mean(rows)),
        quality_gain=_averaged(quality),
        aiq_gain=_averaged(aiq),
        each_quality_gain=tuple(found.estimate for found in quality if found is not None),
        each_aiq_gain=tuple(found.estimate for found in aiq if found is not None),
    )


def _averaged(found: tuple[Interval | None, ...]) -> Interval | None:
    """Return the mean of intervals over the same test queries: no wider than one of them, for its queries are the same."""
    known = [interval for interval in found if interval is not None]
    if not known:
        return None
    estimate, low, high = np.mean([(i.estimate, i.low, i.high) for i in known], axis=0).tolist()
    return Interval(estimate=estimate, low=low, high=high, level=known[0].level)
