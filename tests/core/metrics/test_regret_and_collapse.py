"""Regret, its parts, and signs of collapse."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.errors import ConfigError, DataError
from pointsman.metrics import (
    captured_headroom,
    choice_entropy,
    choice_shares,
    cumulative_regret,
    dearest_share,
    needless_strong_rate,
    regret,
    regret_parts,
    utility,
)

RNG = np.random.default_rng(7)
UTILITY = RNG.normal(size=(50, 4))
PICKS = RNG.integers(4, size=50)


def test_regret_is_zero_only_for_the_oracle() -> None:
    """The per-query best choice has no regret; any other has some, never less than 0."""
    assert regret(UTILITY.argmax(1), UTILITY).tolist() == [0.0] * 50
    assert regret(PICKS, UTILITY).min() >= 0
    assert regret(PICKS, UTILITY).mean() > 0


def test_regret_parts_add_up() -> None:
    """Total = headroom above the best single model + what the router falls short of it."""
    parts = regret_parts(PICKS, UTILITY, best=2)
    assert parts.total == pytest.approx(parts.headroom + parts.shortfall)
    assert parts.total == pytest.approx(regret(PICKS, UTILITY).mean())
    assert regret_parts([2] * 50, UTILITY, best=2).shortfall == 0.0


def test_utility_prices_cost() -> None:
    """At price 0 it is the quality; a dearer model loses as the price rises."""
    quality, cost = [[0.5, 0.9]], [[1.0, 3.0]]
    assert utility(quality, cost, 0).tolist() == quality
    assert utility(quality, cost, 0.25).argmax() == 0
    with pytest.raises(ConfigError, match="price: expected a finite number"):
        utility(quality, cost, -1)
    with pytest.raises(DataError, match="expected arrays of the same shape"):
        utility(quality, [[1.0]], 1)


def test_captured_headroom_at_its_landmarks() -> None:
    """0 at the best single model, 1 at the oracle, negative below, undefined without headroom."""
    assert captured_headroom(0.6, best=0.6, oracle=0.8) == 0.0
    assert captured_headroom(0.8, best=0.6, oracle=0.8) == pytest.approx(1.0)
    assert captured_headroom(0.5, best=0.6, oracle=0.8) == pytest.approx(-0.5)
    assert captured_headroom(0.6, best=0.6, oracle=0.6) is None
    with pytest.raises(ConfigError, match=r"oracle: expected at least the best single model's 0.6, got 0.5"):
        captured_headroom(0.5, best=0.6, oracle=0.5)


def test_cumulative_regret_ends_at_the_total() -> None:
    """Its last value is the whole difference, and it may fall where the router did better."""
    assert cumulative_regret([1, 0, 1], [0, 1, 1]).tolist() == [-1.0, 0.0, 0.0]
    with pytest.raises(DataError, match="reward has 1, reference has 2"):
        cumulative_regret([1], [1, 1])


def test_entropy_of_choices_at_its_ends() -> None:
    """One model always: 0 bits. All equally often: log2 m. Models never chosen change nothing."""
    assert choice_entropy([2, 2, 2], models=8) == 0.0
    assert choice_entropy(list(range(8)), models=8) == pytest.approx(3.0)
    assert choice_entropy([0, 1], models=2) == choice_entropy([0, 1], models=50)


def test_shares_cover_all_models() -> None:
    """Unused models have share 0 and the shares sum to 1."""
    shares = choice_shares(PICKS, models=6)
    assert shares.shape == (6,)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[4:].tolist() == [0.0, 0.0]
    with pytest.raises(ConfigError, match="models: expected an integer of at least 1, got 0"):
        choice_shares([0], models=0)
    with pytest.raises(ConfigError, match=r"models: expected an integer of at least 1, got 2.5"):
        choice_shares([0], models=2.5)


def test_dearest_share_counts_equally_dear_models_together() -> None:
    """Two models at the top price are both the dearest; a pool with one price has none."""
    assert dearest_share([0, 1, 2, 2], [1, 5, 5]) == 0.75
    assert dearest_share([0, 1], [5, 5]) is None


def test_needless_strong_rate_conditions_on_a_cheaper_equal() -> None:
    """Only queries where a cheaper model was as good count, and of those the calls to the dearest."""
    quality, cost = [[1, 0, 1], [0, 0, 1], [0, 1, 0], [1, 1, 1]], [1, 2, 9]
    assert needless_strong_rate([2, 2, 2, 0], quality, cost) == pytest.approx(2 / 3)
    assert needless_strong_rate([0, 2, 1, 1], quality, cost) == 0.0
    assert needless_strong_rate([2], [[0, 0, 1]], cost) is None
    assert needless_strong_rate([0], [[1, 1]], [3, 3]) is None
    with pytest.raises(DataError, match="model_cost: expected one cost for each of 3 models, got 2"):
        needless_strong_rate([0], [[1, 1, 1]], [1, 2])
