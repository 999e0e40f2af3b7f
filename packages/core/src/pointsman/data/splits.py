"""Splits that keep the rows of one group together, so that nothing seen in training is met again in the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError

__all__ = ["folds", "grouped_split"]

Rows = NDArray[np.intp]


def grouped_split(
    dataset: RoutingDataset, fractions: Sequence[float] = (0.6, 0.2, 0.2), *, random_state: int = 0
) -> tuple[RoutingDataset, ...]:
    """Split a dataset at random into parts of these fractions of its groups (rows of equal text, unless groups are given).

    Raises:
        DataError: When the fractions are not positive and of sum 1, or a part would be empty.
    """
    if any(f <= 0 for f in fractions) or not isclose(sum(fractions), 1):
        raise DataError(f"Fractions must be positive and add up to 1, got {tuple(fractions)}.")
    group = dataset.group_of
    n = int(group.max(initial=-1)) + 1
    cuts = [int(share * n) for share in np.cumsum(fractions)[:-1].round(12)]
    part_of = np.empty(n, dtype=np.intp)
    for part, groups in enumerate(np.split(np.random.default_rng(random_state).permutation(n), cuts)):
        if not len(groups):
            raise DataError(f"{n} groups are too few for a split into {len(fractions)} parts.")
        part_of[groups] = part
    return tuple(dataset.take(np.flatnonzero(part_of[group] == part)) for part in range(len(fractions)))


def folds(dataset: RoutingDataset, k: int, *, random_state: int = 0) -> Iterator[tuple[Rows, Rows]]:
    """Yield the (training, held-out) rows of k folds; every group is held out exactly once."""
    group = dataset.group_of
    n = int(group.max(initial=-1)) + 1
    if n < k:
        raise DataError(f"{k} folds need at least {k} groups of queries; there are {n}.")
    fold_of = np.empty(n, dtype=np.intp)
    fold_of[np.random.default_rng(random_state).permutation(n)] = np.arange(n) % k
    for fold in range(k):
        held = fold_of[group] == fold
        yield np.flatnonzero(~held), np.flatnonzero(held)
