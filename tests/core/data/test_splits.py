"""Splits and folds: groups are never torn, every row is used once, and the split is the published one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pointsman.data import RoutingDataset
from pointsman.data.splits import folds, grouped_split
from pointsman.errors import DataError


def dataset(texts: list[str]) -> RoutingDataset:
    """Return a dataset of these texts and one model."""
    return RoutingDataset.from_arrays(texts, {"m": [0.5] * len(texts)})


def reference_split(texts: list[str], seed: int) -> list[NDArray[np.intp]]:
    """State the protocol anew: groups by first appearance of their text, permuted, cut at 60 and 80 per cent."""
    order_of: dict[str, int] = {}
    group = np.array([order_of.setdefault(text, len(order_of)) for text in texts])
    n = len(order_of)
    order = np.random.default_rng(seed).permutation(n)
    part = np.empty(n, dtype=int)
    part[order[: int(0.6 * n)]] = 0
    part[order[int(0.6 * n) : int(0.8 * n)]] = 1
    part[order[int(0.8 * n) :]] = 2
    return [np.flatnonzero(part[group] == i) for i in range(3)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [10, 97, 1000])
def test_the_default_split_is_the_reference_protocols(size: int, seed: int) -> None:
    """Figures on these splits can be compared pair by pair with those of others who keep the protocol."""
    texts = [f"text {i % (size - size // 5)}" for i in range(size)]
    for part, rows in zip(grouped_split(dataset(texts), random_state=seed), reference_split(texts, seed), strict=True):
        assert part.queries.ids == tuple(str(row) for row in rows)


@pytest.mark.parametrize("fractions", [(0.5, 0.6), (1.2, -0.2), (0.5, 0.5, 0.0)])
def test_fractions_must_be_shares_of_a_whole(fractions: tuple[float, ...]) -> None:
    """Positive, and of sum 1."""
    with pytest.raises(DataError, match="Fractions must be positive and add up to 1"):
        grouped_split(dataset(["a", "b", "c"]), fractions)


def test_too_few_groups_are_said_so() -> None:
    """An empty part would make every later figure meaningless."""
    with pytest.raises(DataError, match="2 groups are too few for a split into 3 parts"):
        grouped_split(dataset(["a", "b", "a", "b"]))
    with pytest.raises(DataError, match="3 folds need at least 3 groups of queries; there are 2"):
        list(folds(dataset(["a", "b", "a", "b"]), 3))


def test_given_groups_are_kept_together() -> None:
    """Groups override texts: all rows of one go the same way."""
    data = RoutingDataset.from_rows(
        [{"text": f"{i}", "group": f"g{i % 5}", "model": "m", "quality": 1} for i in range(40)]
    )
    parts = grouped_split(data, random_state=3)
    found = [{int(name) % 5 for name in part.queries.texts} for part in parts]
    assert [len(groups) for groups in found] == [3, 1, 1]
    assert set.union(*found) == set(range(5))
