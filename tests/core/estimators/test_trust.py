"""How far differences that were predicted out of fold may be believed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.estimators.trust import Trust

Matrix = np.ndarray


def said(seed: int = 0, *, members: int = 3, rows: int = 300, models: int = 3, spread: float = 0.1) -> Matrix:
    """Return differences to the first model that members say at random, shape (k, n, m)."""
    drawn = np.random.default_rng(seed).standard_normal((members, rows, models)) * spread
    drawn[:, :, 0] = 0
    return drawn


def noise(seed: int, like: Matrix, spread: float = 0.5) -> Matrix:
    """Return what really differs where nothing can be said of it, shape (n, m)."""
    drawn = np.random.default_rng(seed + 10_000).standard_normal(like.shape[1:]) * spread
    drawn[:, 0] = 0
    return drawn


def trust(said: Matrix, real: Matrix, group: Matrix | None = None, behind: tuple[float, ...] | None = None) -> Trust:
    """Fit with models that are as good as the incumbent, known to a few points, and a group a row."""
    gap = np.zeros((2, real.shape[1]))
    gap[0], gap[1, 1:] = behind or 0.0, 0.001
    return Trust.fit(said, real, gap, np.arange(len(real)) if group is None else group)


def test_the_truth_is_believed() -> None:
    """Where members say what really differs on average, the slope is 1 within its error, and most of it is kept."""
    told = np.repeat(said(members=1), 3, axis=0)
    found = trust(told, told[0] + noise(0, told, 0.1))
    assert found.shares.sum() * found.slope == pytest.approx(1, abs=3 * found.error)
    assert 0.7 < found.factor < 1


def test_noise_is_hardly_ever_believed() -> None:
    """Where what is said has nothing to do with what differs, the factor is 0 nearly always, and else close to it.

    The slope is measured by shares that had not seen it, so it is two errors above 0 about as often as chance has it, whether
    members say much the same or not.
    """
    for common in (0.7, 0.0):
        factors = []
        for seed in range(200):
            told = np.sqrt(1 - common) * said(seed) + np.sqrt(common) * said(seed + 500, members=1)
            factors.append(trust(told, noise(seed, told)).factor)
        assert np.mean(np.array(factors) > 0) < 0.05
        assert np.mean(factors) < 0.01


def test_the_opposite_is_not_believed() -> None:
    """What is wrong throughout earns nothing, not the reverse."""
    told = said()
    assert trust(told, -told.mean(axis=0)).factor == 0


def test_shares_find_the_member_that_knows() -> None:
    """The member that is right gets the largest share by far."""
    told = said(rows=1000)
    found = trust(told, told[1] + noise(1, told, 0.3))
    assert found.shares[1] > 0.6
    assert found.shares[[0, 2]].max() < 0.35


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(2, 40), st.integers(2, 4))
def test_shares_are_never_negative(seed: int, members: int, rows: int, models: int) -> None:
    """Whatever was said and unknown, shares and error are numbers of at least 0, and the factor is in [0, 1]."""
    told = said(seed, members=members, rows=rows, models=models)
    real = noise(seed, told) - told[0]
    real[np.random.default_rng(seed).random(real.shape) < 0.3] = np.nan
    found = trust(told, real)
    assert (found.shares >= 0).all()
    assert np.isfinite([found.slope, found.error]).all()
    assert found.error >= 0
    assert 0 <= found.factor <= 1


def test_a_group_counts_once() -> None:
    """Rows that are repeated within their group change nothing; as groups of their own they would."""
    told = said(rows=60)
    real = told[0] + noise(3, told)
    once = trust(told, real)
    group = np.tile(np.arange(60), 5)
    repeated = trust(np.tile(told, (1, 5, 1)), np.tile(real, (5, 1)), group)
    assert repeated.shares == pytest.approx(once.shares)
    assert (repeated.slope, repeated.error) == pytest.approx((once.slope, once.error))
    assert trust(np.tile(told, (1, 5, 1)), np.tile(real, (5, 1))).error < 0.6 * once.error


def test_a_single_group_earns_no_trust() -> None:
    """One group has no spread, so that nothing is known of the error."""
    told = said(rows=30)
    found = trust(told, told[0], np.zeros(30, dtype=np.int64))
    assert found.error == np.inf
    assert found.factor == 0


def test_a_model_far_behind_does_not_sway_the_slope() -> None:
    """That a hopeless model's differences are predicted well says nothing of those that choices hang on."""
    told = said()
    real = noise(4, told)
    alone = trust(told[:, :, :2], real[:, :2])
    real[:, 2] = told[:, :, 2].mean(axis=0)
    swayed, found = trust(told, real), trust(told, real, behind=(0.0, 0.0, 0.8))
    assert swayed.slope > alone.slope + 0.1
    assert found.slope == pytest.approx(alone.slope, abs=1e-6)


def test_without_differences_there_is_no_trust() -> None:
    """Members that say nothing at all share equally and are not believed."""
    told = np.zeros((2, 10, 3))
    found = trust(told, noise(0, told))
    assert found.shares.tolist() == [0.5, 0.5]
    assert found.factor == 0
    assert Trust.nothing(2).factor == 0
