"""What draws say about differences between models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.errors import ConfigError
from pointsman.estimators.base import Estimates


def drawn(draws: np.ndarray) -> Estimates:
    """Return estimates that hold these draws, shape (s, n, m)."""
    mean = draws.mean(axis=0)
    models = tuple("abcdef"[: mean.shape[1]])
    return Estimates(models=models, quality=mean, cost_usd=np.ones_like(mean), draws=draws)


def random_draws(seed: int) -> np.ndarray:
    """Return coarse draws, so that ties occur."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, size=(int(rng.integers(2, 30)), 5, int(rng.integers(1, 6)))) / 4


@given(st.integers(0, 2**32 - 1))
def test_contrasts_are_antisymmetric(seed: int) -> None:
    """Seen from the other model the mean changes sign, the spread stays, and the probabilities add up to 1."""
    found = drawn(random_draws(seed))
    for j, name in enumerate(found.models):
        mine, theirs = found.contrast("a"), found.contrast(name)
        assert mine.mean[:, j] == pytest.approx(-theirs.mean[:, 0])
        assert mine.sd[:, j] == pytest.approx(theirs.sd[:, 0])
        assert mine.better[:, j] + theirs.better[:, 0] == pytest.approx(np.ones(5))
        assert mine.mean == pytest.approx(found.quality - found.quality[:, :1])


def test_what_models_share_does_not_blur_their_difference() -> None:
    """Draws that differ only in how hard the query is leave the difference certain, whatever each model's own spread."""
    level = np.random.default_rng(0).standard_normal((100, 1, 1))
    found = drawn(level + np.array([0.0, 0.1]))
    assert found.contrast("a").sd[0, 1] == pytest.approx(0, abs=1e-12)
    assert found.contrast("a").better[0].tolist() == [0.5, 1.0]


def test_the_spread_is_that_of_the_difference() -> None:
    """Independent models of spread 3 and 4 differ with spread 5."""
    draws = np.random.default_rng(0).standard_normal((20_000, 1, 2)) * [3.0, 4.0]
    assert drawn(draws).contrast("b").sd[0, 0] == pytest.approx(5.0, rel=0.03)


@given(st.integers(0, 2**32 - 1))
def test_shares_of_being_the_best_add_up(seed: int) -> None:
    """They are probabilities; the best of all is expected to be no worse than the best expectation."""
    found = drawn(random_draws(seed))
    assert found.best_shares().sum(axis=1) == pytest.approx(np.ones(5))
    assert (found.expected_best() >= found.quality.max(axis=1) - 1e-12).all()


def test_one_draw_has_no_spread() -> None:
    """The spread of a single draw is unknown, not 0."""
    assert np.isnan(drawn(np.array([[[0.1, 0.2]]])).contrast("a").sd).all()


def test_rows_are_taken_with_their_draws() -> None:
    """Contrasts of some rows are those rows of the contrasts."""
    found = drawn(random_draws(7))
    assert found.take([3, 1]).contrast("a").better.tolist() == found.contrast("a").better[[3, 1]].tolist()


def test_without_draws_nothing_is_sure() -> None:
    """Estimates without draws, and models nobody knows, are refused by name."""
    bare = Estimates(models=("a",), quality=np.ones((1, 1)), cost_usd=np.ones((1, 1)))
    for ask in (lambda: bare.contrast("a"), bare.best_shares, bare.expected_best):
        with pytest.raises(ConfigError, match="no draws"):
            ask()
    with pytest.raises(ConfigError, match=r"'z'.*'a'"):
        bare.contrast("z")
