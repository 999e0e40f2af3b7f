"""Confidence intervals: known values, determinism, invariance, and coverage by simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from pointsman.errors import ConfigError, DataError
from pointsman.metrics import Interval, bootstrap_interval, mean_interval, paired_bootstrap, proportion_interval
from pointsman.metrics.clusters import mean_error

Method = Literal["bca", "percentile"]
Floats = NDArray[np.float64]


def coverage(
    interval_of: Callable[[Floats, int], Interval],
    draw: Callable[[np.random.Generator], Floats],
    truth: float,
    repetitions: int,
) -> float:
    """Share of simulated data sets whose interval contains the truth."""
    hits = 0
    for seed in range(repetitions):
        interval = interval_of(draw(np.random.default_rng(seed)), seed)
        hits += not interval.excludes(truth)
    return hits / repetitions


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (480, 1000)])
def test_proportion_interval_is_the_exact_test_inverted(k: int, n: int) -> None:
    """Its ends are those of scipy's exact binomial test."""
    expected = stats.binomtest(k, n).proportion_ci(0.9, method="exact")
    interval = proportion_interval(k, n, 0.9)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert interval.estimate == k / n


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5])
def test_proportion_interval_never_under_covers(p: float) -> None:
    """Summed over all outcomes with their probabilities, coverage is at least the level."""
    n = 40
    covered = [not proportion_interval(k, n).excludes(p) for k in range(n + 1)]
    assert stats.binom.pmf(np.arange(n + 1), n, p)[covered].sum() >= 0.95


def test_mean_interval_is_students() -> None:
    """Without groups it is the one-sample t interval."""
    values = np.random.default_rng(0).normal(size=30)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    interval = mean_interval(values, level=0.9)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_repeating_every_row_does_not_narrow_a_clustered_interval() -> None:
    """Ten copies of each row, grouped, carry no more information than one; ungrouped they seem to."""
    values = np.random.default_rng(1).normal(size=30)
    copies, labels = np.repeat(values, 10), np.repeat(np.arange(30), 10)
    once, grouped, naive = mean_interval(values), mean_interval(copies, groups=labels), mean_interval(copies)
    assert (grouped.low, grouped.high) == pytest.approx((once.low, once.high))
    assert naive.high - naive.low < 0.5 * (once.high - once.low)
    boot = bootstrap_interval(copies, groups=labels), bootstrap_interval(values)
    assert (boot[0].low, boot[0].high) == pytest.approx((boot[1].low, boot[1].high))


SKEWED = np.random.default_rng(2).exponential(size=12)
ONE_OUTLIER = np.array([0.0, 0.1, 0.1, 0.2, 0.3, 0.5, 0.9, 40.0])
RARELY_RIGHT = np.array([1.0] + [0.0] * 6)


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("values", [SKEWED, ONE_OUTLIER, RARELY_RIGHT])
def test_bootstrap_is_scipys(values: Floats, method: Method) -> None:
    """An independent implementation gives the same ends up to resampling noise, on skewed and on tied values."""
    theirs = "BCa" if method == "bca" else method
    expected = stats.bootstrap((values,), np.mean, n_resamples=100_000, method=theirs, rng=5).confidence_interval
    interval = bootstrap_interval(values, draws=100_000, method=method)
    width = expected.high - expected.low
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=0.012 * width)


def test_bca_ends_stay_in_order_far_out_in_the_tail() -> None:
    """At a level so high that the correction's formula passes its pole, the interval still holds the estimate."""
    values = [1.0] + [0.0] * 200
    for level in (0.5, 0.95, 0.9999, 1 - 1e-12):
        interval = bootstrap_interval(values, level=level)
        assert interval.low <= interval.estimate <= interval.high


def test_paired_bootstrap_is_the_bootstrap_of_the_difference() -> None:
    """Pairing is subtraction; a difference that unpaired noise would hide is found."""
    rng = np.random.default_rng(4)
    difficulty = rng.normal(0, 1, 400)
    a, b = difficulty + 0.1 + rng.normal(0, 0.1, 400), difficulty + rng.normal(0, 0.1, 400)
    assert paired_bootstrap(a, b, random_state=9) == bootstrap_interval(a - b, random_state=9)
    assert paired_bootstrap(a, b).excludes(0)
    assert mean_interval(a).low < mean_interval(b).high


def test_same_seed_same_interval() -> None:
    """The seed alone decides the draws; a generator is advanced."""
    values = np.random.default_rng(5).normal(size=50)
    assert bootstrap_interval(values, random_state=3) == bootstrap_interval(values, random_state=3)
    assert bootstrap_interval(values, random_state=3) != bootstrap_interval(values, random_state=4)
    rng = np.random.default_rng(3)
    assert bootstrap_interval(values, random_state=rng) == bootstrap_interval(values, random_state=3)
    assert bootstrap_interval(values, random_state=rng) != bootstrap_interval(values, random_state=3)


def test_global_random_state_is_untouched() -> None:
    """Nothing here draws from numpy's global generator."""
    before = np.random.get_state()[1].copy()  # noqa: NPY002 -- the global state is what the test is about
    bootstrap_interval([1.0, 2.0, 3.0])
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_many_rows_are_resampled_in_blocks() -> None:
    """More indices than one block holds are drawn in several, and the interval is as wide as theory says."""
    values = np.random.default_rng(6).normal(size=30_000)
    interval = bootstrap_interval(values, draws=200, method="percentile")
    assert interval.high - interval.low == pytest.approx(2 * 1.96 / np.sqrt(30_000), rel=0.2)


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_values_without_spread_have_an_interval_without_width(method: Method) -> None:
    """Constants, also tiny ones, neither divide by 0 nor overflow."""
    for constant in (0.0, 0.1, 1e-160):
        interval = bootstrap_interval([constant] * 5, method=method)
        assert (interval.low, interval.high) == pytest.approx((constant, constant), rel=1e-12)
    interval = bootstrap_interval([0.0, 1e-120, 2e-120], method=method)
    assert 0.0 <= interval.low <= interval.high <= 2e-120


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_bootstrap_covers_the_truth(method: Method) -> None:
    """Nominal 95 % intervals of the mean of 60 values cover it in 91 to 98 % of 400 simulated data sets."""
    share = coverage(
        lambda values, seed: bootstrap_interval(values, draws=400, method=method, random_state=seed),
        lambda rng: rng.normal(0.3, 1.0, 60),
        truth=0.3,
        repetitions=400,
    )
    assert 0.91 <= share <= 0.98


@pytest.mark.parametrize(("unit", "least", "most"), [("group", 0.91, 0.98), ("row", 0.0, 0.75)])
def test_only_resampling_clusters_covers_clustered_data(unit: str, least: float, most: float) -> None:
    """With 60 groups of 5 rows that share most of their noise, row resampling covers far too seldom."""
    labels = np.repeat(np.arange(60), 5)
    groups = labels if unit == "group" else None
    share = coverage(
        lambda values, seed: bootstrap_interval(values, groups=groups, draws=300, random_state=seed),
        lambda rng: rng.normal(0, 1, 60)[labels] + rng.normal(0, 0.3, 300),
        truth=0.0,
        repetitions=300,
    )
    assert least <= share <= most


def test_clustered_t_interval_covers_with_few_groups() -> None:
    """With 8 groups of unequal size the t interval still covers in 91 to 98 % of 1,000 simulated data sets."""
    labels = np.repeat(np.arange(8), [4, 5, 6, 5, 4, 6, 5, 5])
    share = coverage(
        lambda values, _: mean_interval(values, groups=labels),
        lambda rng: rng.normal(0, 1, 8)[labels] + rng.normal(0, 0.3, 40),
        truth=0.0,
        repetitions=1000,
    )
    assert 0.91 <= share <= 0.98


def test_excludes_is_about_the_ends() -> None:
    """A value at an end is inside."""
    interval = proportion_interval(0, 10)
    assert not interval.excludes(0.0)
    assert interval.excludes(0.5)


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (DataError, lambda: mean_interval([1.0]), "values: expected at least 2 independent rows or groups"),
        (DataError, lambda: bootstrap_interval([1, 2], groups=["a", "a"]), "at least 2 independent rows or groups"),
        (DataError, lambda: bootstrap_interval([1, 2], groups=["a"]), "values has 2, groups has 1"),
        (DataError, lambda: mean_interval([1, 2], groups=[["a"], ["b"]]), r"groups: expected labels of shape \(n,\)"),
        (DataError, lambda: paired_bootstrap([1, 2], [1]), "a has 2, b has 1"),
        (
            ConfigError,
            lambda: mean_interval([1, 2], level=95),
            "level: expected a number strictly between 0 and 1, got 95",
        ),
        (ConfigError, lambda: bootstrap_interval([1, 2], draws=5), "draws: expected an integer of at least 100, got 5"),
        (ConfigError, lambda: bootstrap_interval([1, 2], method="bc"), "expected 'bca' or 'percentile', got 'bc'"),
        (ConfigError, lambda: proportion_interval(3, 2), "successes: expected an integer from 0 to 2, got 3"),
        (ConfigError, lambda: proportion_interval(0, 0), "trials: expected an integer of at least 1, got 0"),
    ],
)
def test_bad_input_is_refused_by_name(error: type[Exception], call: Callable[[], object], message: str) -> None:
    """The message names the argument and what was wrong with it."""
    with pytest.raises(error, match=message):
        call()


def test_the_error_of_a_mean_is_the_intervals() -> None:
    """The half width is Student's quantile of it; rows that are repeated in their groups do not narrow it."""
    values, groups = np.random.default_rng(0).standard_normal(30), np.arange(30) // 3
    found = mean_interval(values, groups=groups)
    assert found.high - found.estimate == pytest.approx(stats.t.ppf(0.975, 9) * mean_error(values, groups))
    assert mean_error(np.tile(values, 4), np.tile(groups, 4)) == pytest.approx(mean_error(values, groups))
    assert mean_error(values) == pytest.approx(stats.sem(values))


def test_a_single_group_has_no_known_error() -> None:
    """One row, or one group, says nothing of its spread: the error is infinite, not 0."""
    assert mean_error([1.0]) == mean_error([1.0, 2.0], ["a", "a"]) == np.inf
    with pytest.raises(DataError, match="values"):
        mean_error([])
