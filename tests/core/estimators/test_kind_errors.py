"""How far off the means of kinds may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.estimators.kind_errors import KindErrors


def kinds(codes: np.ndarray) -> np.ndarray:
    """Return rows that are of one kind each, shape (n, c)."""
    return np.eye(int(codes.max()) + 1)[codes]


def test_a_kind_met_often_is_known_better() -> None:
    """The standard error of a kind's mean is that of its queries' errors over the root of their number."""
    codes = np.repeat([0, 1], [100, 400])
    residual = np.random.default_rng(0).normal(0, 0.4, (500, 3))
    found = KindErrors.fit(kinds(codes), residual, np.arange(500))
    spread = found.draws(np.eye(2), 20_000).std(axis=0)
    assert spread[0] == pytest.approx(np.full(3, 0.04), rel=0.2)
    assert spread[1] == pytest.approx(np.full(3, 0.02), rel=0.2)


def test_errors_that_models_share_cancel_in_differences() -> None:
    """Where all models err alike on a query, as on hard ones, their levels are uncertain and their differences are not."""
    shared = np.random.default_rng(0).normal(0, 0.4, (300, 1))
    found = KindErrors.fit(np.ones((300, 1)), np.repeat(shared, 2, axis=1), np.arange(300))
    draws = found.draws(np.ones((1, 1)), 500)
    assert draws[:, 0, 0].std() > 0.015
    assert np.abs(draws[:, 0, 0] - draws[:, 0, 1]).max() < 1e-9


def test_queries_of_one_group_count_once() -> None:
    """Each query four times over is no more evidence than once."""
    residual = np.random.default_rng(0).normal(0, 0.4, (100, 2))
    once = KindErrors.fit(np.ones((100, 1)), residual, np.arange(100))
    again = KindErrors.fit(np.ones((400, 1)), np.tile(residual, (4, 1)), np.tile(np.arange(100), 4))
    assert again.covariance == pytest.approx(once.covariance)


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_queries_does_not_matter(seed: int) -> None:
    """Nor does a model of which nothing is known make others unknown."""
    rng = np.random.default_rng(seed)
    residual = rng.normal(0, 0.4, (30, 3))
    residual[rng.random((30, 3)) < 0.3] = np.nan
    residual[:, 2] = np.nan
    shares, group, order = rng.dirichlet(np.ones(2), 30), rng.integers(0, 9, 30), rng.permutation(30)
    found = KindErrors.fit(shares, residual, group)
    turned = KindErrors.fit(shares[order], residual[order], group[order])
    assert turned.covariance == pytest.approx(found.covariance)
    assert np.isfinite(found.covariance).all()
