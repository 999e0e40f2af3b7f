"""Risk control: on data whose risk is known, bounds hold as often as they say, and are not won by refusing everything."""

from __future__ import annotations

from math import ceil, comb, log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.errors import ConfigError, DataError
from pointsman.metrics.risk import (
    conformal_bounds,
    rows_for_certainty,
    rows_for_expectation,
    settings_in_expectation,
    settings_with_certainty,
    tail_probabilities,
)

SETS = 200
THRESHOLDS = np.linspace(1, 0, 51)
TRUE_RISK = (1 - THRESHOLDS) ** 2 / 4
"""Of accepting what scores at least a threshold; scores are uniform, and one of s is wrong with probability (1 − s) / 2."""


def losses(n: int, rng: np.random.Generator, size: float = 1.0) -> np.ndarray:
    """Return n queries' losses at each threshold; an answer that is wrong loses 1, or half the time twice `size` − 1."""
    score = rng.random(n)
    wrong = rng.random(n) < (1 - score) / 2
    if size < 1:  # the mean loss of a wrong answer is `size`
        wrong = wrong * np.where(rng.random(n) < 0.5, 2 * size - 0.5, 0.5)
    return wrong[:, None] * (score[:, None] >= THRESHOLDS)


@pytest.mark.parametrize("epsilon", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("n", [60, 250])
def test_the_expected_loss_is_bounded_on_average(epsilon: float, n: int) -> None:
    """Over 200 calibration sets the mean risk of the boldest setting that passes is at most ε, and no small part of it."""
    rng = np.random.default_rng(n)
    passed = [settings_in_expectation(losses(n, rng), epsilon) for _ in range(SETS)]
    risks = np.array([TRUE_RISK[count - 1] if count else 0.0 for count in passed])
    assert risks.mean() <= epsilon + 3 * risks.std() / sqrt(SETS)
    assert risks.mean() >= 0.5 * (epsilon - 1 / n)


@pytest.mark.parametrize(("epsilon", "delta"), [(0.05, 0.1), (0.1, 0.1), (0.1, 0.3)])
@pytest.mark.parametrize("size", [1.0, 0.6])
def test_the_bound_is_rarely_broken(epsilon: float, delta: float, size: float) -> None:
    """Over 200 calibration sets the risk of what passes exceeds ε in at most a share δ, for losses of 0 or 1 and in between."""
    rng = np.random.default_rng(7)
    passed = [settings_with_certainty(losses(200, rng, size), epsilon, delta) for _ in range(SETS)]
    risk = TRUE_RISK * size
    broken = np.mean([count > 0 and risk[count - 1] > epsilon for count in passed])
    assert broken <= delta + 3 * sqrt(delta * (1 - delta) / SETS)
    assert np.mean([risk[count - 1] for count in passed if count]) > epsilon / 4


def test_random_thresholds_of_no_use_are_not_believed() -> None:
    """Where every setting but the safest has a risk just above ε, it passes no more often than δ."""
    rng = np.random.default_rng(0)
    epsilon, delta = 0.1, 0.1
    passed = [
        settings_with_certainty(np.column_stack([np.zeros(150), rng.random(150) < epsilon * 1.001]), epsilon, delta)
        for _ in range(500)
    ]
    assert np.mean(np.array(passed) == 2) <= delta + 3 * sqrt(delta * (1 - delta) / 500)


def test_conformal_bounds_by_hand() -> None:
    """The bound is (sum of the largest losses so far + 1) / (n + 1): a loss that goes away again still counts."""
    table = [[0, 1, 0], [0, 0, 0.5], [0, 0, 0]]
    np.testing.assert_allclose(conformal_bounds(table), [1 / 4, 2 / 4, 2.5 / 4])
    assert settings_in_expectation(table, 0.5) == 2
    assert settings_in_expectation(table, 0.24) == 0
    assert settings_in_expectation(table, 1.0) == 3


def test_tail_probabilities_by_hand() -> None:
    """Of losses of 0 and 1 it is the binomial tail; otherwise the better of Hoeffding's bound and Bentkus's, at most 1."""
    zeros, ones = [[0.0]] * 20, [[1.0]] * 2 + [[0.0]] * 18
    assert tail_probabilities(zeros, 0.1)[0] == pytest.approx(0.9**20)
    expected = sum(comb(20, k) * 0.1**k * 0.9 ** (20 - k) for k in range(3))
    assert tail_probabilities(ones, 0.1)[0] == pytest.approx(expected)
    assert tail_probabilities([[0.5]] * 20, 0.1)[0] == 1.0
    half = tail_probabilities([[0.5]] * 2 + [[0.0]] * 38, 0.1)[0]
    mean = 1 / 40
    hoeffding = np.exp(-40 * (mean * log(mean / 0.1) + (1 - mean) * log((1 - mean) / 0.9)))
    bentkus = np.e * (0.9**40 + 40 * 0.1 * 0.9**39)
    assert half == pytest.approx(min(hoeffding, bentkus))


def test_a_setting_that_fails_ends_the_row() -> None:
    """Settings are tested in turn: what comes after one that fails does not pass, however good."""
    table = np.zeros((100, 3))
    table[:50, 1] = 1
    assert settings_with_certainty(table, 0.1, 0.1) == 1


@given(st.floats(0.001, 0.9), st.floats(0.001, 0.9))
def test_the_fewest_rows(epsilon: float, delta: float) -> None:
    """That many queries without a loss prove the bound, and one fewer does not."""
    n = rows_for_expectation(epsilon)
    assert settings_in_expectation(np.zeros((n, 1)), epsilon) == 1
    if n > 1:
        assert settings_in_expectation(np.zeros((n - 1, 1)), epsilon - 1e-9) == 0
    n = rows_for_certainty(epsilon, delta)
    assert n == ceil(log(delta) / log(1 - epsilon))
    assert settings_with_certainty(np.zeros((n, 1)), epsilon * (1 + 1e-9), delta * (1 + 1e-9)) == 1
    if n > 1:
        assert settings_with_certainty(np.zeros((n - 1, 1)), epsilon * (1 - 1e-9), delta * (1 - 1e-9)) == 0


@pytest.mark.parametrize("table", [[], [[]], [0.5], [[2.0]], [[-0.1]], [[float("nan")]]])
def test_what_are_no_losses(table: Any) -> None:
    """Losses are a table of numbers in [0, 1]."""
    with pytest.raises(DataError, match="losses"):
        conformal_bounds(table)


@pytest.mark.parametrize(
    ("epsilon", "delta"),
    [(-0.1, 0.1), (0.0, 0.1), (1.0, 0.1), (1.1, 0.1), (float("nan"), 0.1), (0.1, 2.0), (0.1, -1.0)],
)
def test_what_are_no_bounds(epsilon: float, delta: float) -> None:
    """Bounds and probabilities are between 0 and 1, and no bound is either."""
    with pytest.raises(ConfigError, match=r"epsilon|delta"):
        settings_with_certainty([[0.0]], epsilon, delta)
