"""Paired comparisons, their intervals, and the sample sizes they ask for."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.evaluation.paired import compare, interval_of
from pointsman.evaluation.power import fewest_needed, queries_needed, queries_per_variance
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import mean_interval, proportion_interval


def draws(n: int, **changes: object) -> Resampling:
    """Make n rows, each its own group unless said otherwise."""
    given = {"group": np.arange(n), "draws": 500, "random_state": 0} | changes
    return Resampling(**given)  # type: ignore[arg-type]


def test_saving_mirrors_the_relative_cost() -> None:
    """A saving is one minus the relative cost, with its ends exchanged."""
    rng = np.random.default_rng(0)
    mine, theirs = rng.uniform(0, 1, 200), rng.uniform(1, 3, 200)
    found = compare((mine, mine), (mine, theirs), draws(200), level=0.9)
    assert found.relative_cost is not None
    assert found.saving is not None
    assert found.relative_cost.estimate == pytest.approx(mine.mean() / theirs.mean())
    assert found.saving.low == 1 - found.relative_cost.high
    assert found.saving.low < found.saving.estimate < found.saving.high


def test_the_ratio_interval_covers() -> None:
    """Nine in ten 90 % intervals of a cost ratio hold the true ratio."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        mine, theirs = rng.exponential(1, 80), rng.exponential(2, 80)
        found = compare((mine, mine), (mine, theirs), draws(80, draws=200), level=0.9).relative_cost
        assert found is not None
        held += found.low <= 0.5 <= found.high
    assert 0.82 <= held / 200 <= 0.97


def test_only_rows_known_on_both_sides_count() -> None:
    """A difference is taken over the queries where both are known; means are each over its own."""
    mine, theirs = np.tile([1.0, np.nan, 1.0, 0.0], 9), np.tile([0.0, 1.0, np.nan, 0.0], 9)
    found = compare((mine, mine), (theirs, theirs + 1), draws(36), level=0.95)
    assert found.quality == pytest.approx(2 / 3)
    assert found.difference is not None
    assert found.difference.estimate == 0.5
    assert found.relative_cost is not None
    assert found.relative_cost.estimate == pytest.approx(1 / 2)


def test_unknown_costs_have_no_ratio() -> None:
    """Without a known cost, or beside a free model, there is no relative cost."""
    quality, unknown = np.ones(5), np.full(5, np.nan)
    assert compare((quality, unknown), (quality, quality), draws(5), level=0.95).saving is None
    assert compare((quality, quality), (quality, np.zeros(5)), draws(5), level=0.95).relative_cost is None
    assert compare((quality, unknown), (quality, quality), draws(5), level=0.95).cost_usd is None


def test_few_groups_get_students_t() -> None:
    """Under twenty groups the interval is Student's, which the bootstrap would understate."""
    values = np.array([0.0, 0.5, 1.0, 1.0, 0.5])
    found, expected = interval_of(values, draws(5), level=0.95), mean_interval(values)
    assert found is not None
    assert found.low == max(0.0, expected.low)
    assert found.high == min(1.0, expected.high)


def test_equal_figures_are_not_certain() -> None:
    """Ten differences of zero do not show that there is none: the interval is what zero of ten would leave open."""
    found = interval_of(np.zeros(10), draws(10), level=0.95, low=-1)
    assert found is not None
    assert found.estimate == 0
    assert found.high == pytest.approx(0.3085, abs=1e-4)
    assert found.low == -found.high
    perfect = interval_of(np.ones(10), draws(10), level=0.95)
    assert perfect is not None
    assert perfect.high == 1
    assert perfect.low == pytest.approx(1 - 0.3085, abs=1e-4)


def test_one_group_has_no_interval() -> None:
    """Rows of a single group, or no known row, say nothing of the spread."""
    assert interval_of(np.array([0.0, 1.0]), draws(2, group=np.zeros(2, dtype=np.int64)), level=0.95) is None
    assert interval_of(np.array([np.nan, np.nan]), draws(2), level=0.95) is None


def test_groups_widen_the_interval() -> None:
    """Four copies of every row within one group are worth no more than the row."""
    values = (np.random.default_rng(0).random(100) < 0.5).astype(float)
    once = interval_of(values, draws(100), level=0.95)
    copies = interval_of(np.repeat(values, 4), draws(400, group=np.repeat(np.arange(100), 4)), level=0.95)
    naive = interval_of(np.repeat(values, 4), draws(400), level=0.95)
    assert once is not None
    assert copies is not None
    assert naive is not None
    assert copies.high - copies.low == pytest.approx(once.high - once.low, rel=0.05)
    assert naive.high - naive.low < 0.6 * (once.high - once.low)


def test_sample_size_is_the_textbooks() -> None:
    """It is (1.96 + 0.84)² σ² / effect², within its own interval."""
    differences = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], 2000)
    found = queries_needed(differences, draws(2000), effect=0.02)
    assert found is not None
    assert found.estimate == pytest.approx(7.849 * differences.var() / 0.02**2, rel=1e-3)
    assert found.low < found.estimate < found.high


def test_sample_size_gives_the_power_it_names() -> None:
    """With as many queries as it says, four in five experiments show the effect."""
    rng = np.random.default_rng(3)

    def sample(n: int) -> np.ndarray:
        return rng.choice([-1.0, 0.0, 1.0], n, p=[0.1, 0.7, 0.2])

    found = queries_needed(sample(5000), draws(5000), effect=0.1)
    assert found is not None
    n = round(found.estimate)
    shown = sum(mean_interval(sample(n)).low > 0 for _ in range(400))
    assert shown / 400 == pytest.approx(0.8, abs=0.06)


def test_groups_raise_the_sample_size() -> None:
    """Queries that come in identical quadruples have to be four times as many."""
    values = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], 300)
    once = queries_needed(values, draws(300), effect=0.05)
    copies = queries_needed(np.repeat(values, 4), draws(1200, group=np.repeat(np.arange(300), 4)), effect=0.05)
    assert once is not None
    assert copies is not None
    assert copies.estimate == pytest.approx(4 * once.estimate, rel=0.01)
    assert queries_needed(np.ones(1), draws(1), effect=0.05) is None


def test_sample_size_is_never_below_that_of_no_difference() -> None:
    """A few differences do not ask for fewer queries than none, and none leaves open what could have gone unseen."""
    few = np.zeros(400)
    few[0] = 1.0
    fewest = fewest_needed(effect=0.01)
    found, none = (queries_needed(values, draws(400), effect=0.01) for values in (few, np.zeros(400)))
    assert found is not None
    assert none is not None
    assert min(found.low, found.estimate) >= fewest
    assert (none.low, none.estimate) == (fewest, fewest)
    unseen = proportion_interval(0, 400).high
    assert none.high == pytest.approx(queries_per_variance(effect=0.01) * unseen, abs=1)
