"""Learning curve: how many queries it takes until a router is worth having, and whether more would still help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.errors import ConfigError, DataError
from pointsman.evaluation.outcomes import known_mean
from pointsman.evaluation.plain import plain
from pointsman.evaluation.protocols.pooling import over_trials
from pointsman.evaluation.protocols.trial import Bootstrap, Parts, Trial, checked, quality_first, stream
from pointsman.metrics import Interval
from pointsman.routers.base import Router

__all__ = ["LearningCurve", "LearningPoint", "learning_curve"]

_FIRST, _FEWEST = 50, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPoint:
    """What a router learns from so many queries.

    Parameters:
        queries: How many there are to fit on and to choose settings on; whole groups, so it may be a few less.
        difference: Quality above the best single model chosen on the same queries, over repeats.
        aiq_gain: AIQ above the Zero router of the same queries, over repeats; None where costs are unknown.
        relative_cost: Cost beside the best single model's at best expected quality, over repeats.
        differences, aiq_gains: The figures of each repeat.
    """

    queries: int
    difference: Interval | None
    aiq_gain: Interval | None
    relative_cost: Interval | None
    differences: tuple[float | None, ...]
    aiq_gains: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningCurve:
    """A router's gain by the number of queries it learns from.

    Parameters:
        level: Coverage of the intervals, which are over repeats: another split, other queries of the same data.
        repeats: How often each size was drawn.
        test_queries: How many queries each repeat is measured on, on average.
        points: One entry per size, the smallest first.
    """

    level: float
    repeats: int
    test_queries: float
    points: tuple[LearningPoint, ...]

    @property
    def pays_from(self) -> int | None:
        """The fewest queries from which on the AIQ gain is shown to be above 0 at every larger size; None if at none."""
        found = None
        for point in reversed(self.points):
            if point.aiq_gain is None or point.aiq_gain.low <= 0:
                break
            found = point.queries
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = {**plain(self), "pays_from": self.pays_from}
        return data

    def __str__(self) -> str:
        from pointsman.evaluation.protocols.tables import learning_text

        return learning_text(self)


def learning_curve(
    router: Router,
    dataset: RoutingDataset,
    *,
    sizes: Sequence[int] | None = None,
    repeats: int = 5,
    level: float = 0.95,
    random_state: int = 0,
) -> LearningCurve:
    """Return a router's gain when it learns from few queries, more, and all that there are.

    Each repeat holds out a fifth of the groups and draws nested subsets of the rest, three quarters to fit on and a quarter to
    choose settings on. The best single model and the Zero router are chosen on the same subset: what little data does to a
    router it does to them.

    Args:
        router: An unfitted router; its policy is set to best expected quality.
        dataset: Outcomes.
        sizes: Queries to learn from, at least 8; by default 50, doubled up to all. Sizes beyond all are all.
        repeats: Draws of each size, at least 2.
        level: Coverage of the intervals over repeats.
        random_state: The seed of everything.

    Raises:
        ConfigError: A size or the number of repeats is too small.
        DataError: The data are too few to be split.
    """
    if repeats < 2:  # noqa: PLR2004 - one has no spread
        raise ConfigError(f"repeats must be at least 2, got {repeats}.")
    checked("sizes", [_FIRST] if sizes is None else sizes, low=_FEWEST)
    bootstrap, data = Bootstrap(level=level, draws=100, random_state=random_state), dataset.canonical()
    first = quality_first(router)
    splits = [grouped_split(data, (0.8, 0.2), random_state=random_state + repeat) for repeat in range(repeats)]
    wanted = _sizes(min(len(known) for known, _ in splits), sizes)
    runs = [
        list(_trials(first, known, test, wanted, bootstrap, random_state + repeat))
        for repeat, (known, test) in enumerate(splits)
    ]
    return LearningCurve(
        level=level,
        repeats=repeats,
        test_queries=float(np.mean([len(test) for _, test in splits])),
        points=tuple(_point(at, level) for at in zip(*runs, strict=True)),
    )


def _sizes(count: int, sizes: Sequence[int] | None) -> list[int | None]:
    """Return the sizes below a count, rising, with None for all of it at the end where it was reached."""
    if sizes is None:
        return [*(_FIRST * 2**i for i in range(64) if _FIRST * 2**i < count), None]
    below = sorted({size for size in sizes if size < count})
    return [*below, None] if max(sizes) >= count else list(below)


def _trials(
    router: Router,
    known: RoutingDataset,
    test: RoutingDataset,
    sizes: Sequence[int | None],
    bootstrap: Bootstrap,
    random_state: int,
) -> Iterator[tuple[int, Trial]]:
    """Yield the trial of each size; smaller subsets are parts of larger ones."""
    group = known.group_of
    order = np.random.default_rng(stream(random_state, "sizes")).permutation(int(group.max()) + 1)
    by_rank = np.argsort(np.argsort(order)[group], kind="stable")
    for size in sizes:
        some = known if size is None else known.take(np.sort(_whole(by_rank, group, size)))
        parts, _ = Parts.learning_from(some, test, random_state).observed()
        yield len(some), Trial.of(router, parts, bootstrap)


def _whole(rows: np.ndarray, group: np.ndarray, size: int) -> np.ndarray:
    """Return the first rows, at most `size`, that hold whole groups."""
    end = size
    while end > 0 and group[rows[end - 1]] == group[rows[end]]:
        end -= 1
    if end < _FEWEST:
        raise DataError(f"Groups of queries are too large to take {size} queries without tearing one apart.")
    return rows[:end]


def _point(at: Sequence[tuple[int, Trial]], level: float) -> LearningPoint:
    trials = [trial for _, trial in at]
    differences = tuple(known_mean(trial.difference) for trial in trials)
    gains = tuple(trial.gain for trial in trials)
    return LearningPoint(
        queries=round(float(np.mean([size for size, _ in at]))),
        difference=over_trials(differences, level),
        aiq_gain=over_trials(gains, level),
        relative_cost=over_trials([_relative_cost(trial) for trial in trials], level),
        differences=differences,
        aiq_gains=gains,
    )


def _relative_cost(trial: Trial) -> float | None:
    both = np.isfinite(trial.outcomes.cost_usd) & np.isfinite(trial.board.best[1])
    mine, best = trial.outcomes.cost_usd[both], trial.board.best[1][both]
    return float(mine.mean() / best.mean()) if both.any() and best.mean() > 0 else None
