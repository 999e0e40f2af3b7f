"""The ridge solver against scikit-learn and against leaving rows out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Reference

from pointsman.estimators.ridge import RidgeSolver

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((40, 5))
TARGETS = ROWS @ RNG.standard_normal((5, 3)) + RNG.standard_normal((40, 3)) + 2


@pytest.mark.parametrize("penalty", [0.1, 10.0, 1000.0])
def test_solutions_are_the_reference_ones(penalty: float) -> None:
    """Weights and intercepts agree with scikit-learn's."""
    ours, theirs = RidgeSolver(ROWS).fit(TARGETS, [penalty]), Reference(alpha=penalty).fit(ROWS, TARGETS)
    assert np.allclose(ours.weights, theirs.coef_.T)
    assert np.allclose(ours.bias, theirs.intercept_)


def test_the_penalty_has_the_least_leave_one_out_error() -> None:
    """The chosen penalty is the one that predicts left-out rows best, as found by refitting."""
    penalties = [0.01, 1.0, 30.0, 1000.0]
    errors = []
    for penalty in penalties:
        error = 0.0
        for i in range(len(ROWS)):
            rest = np.arange(len(ROWS)) != i
            fitted = Reference(alpha=penalty).fit(ROWS[rest], TARGETS[rest])
            error += float(((fitted.predict(ROWS[[i]]) - TARGETS[i]) ** 2).sum())
        errors.append(error)
    assert RidgeSolver(ROWS).fit(TARGETS, penalties).penalty == penalties[int(np.argmin(errors))]


def test_unobserved_cells_do_not_count() -> None:
    """Each target is fitted on its own observed rows only."""
    seen = RNG.random(TARGETS.shape) < 0.7
    ours = RidgeSolver(ROWS).fit(np.where(seen, TARGETS, 1e6), [3.0], observed=seen)
    for j in range(3):
        theirs = Reference(alpha=3.0).fit(ROWS[seen[:, j]], TARGETS[seen[:, j], j])
        assert np.allclose(ours.weights[:, j], theirs.coef_)
        assert ours.bias[j] == pytest.approx(theirs.intercept_)


@pytest.mark.parametrize("n", [1, 2])
def test_tiny_data_stay_finite(n: int) -> None:
    """One or two rows give finite weights."""
    fitted = RidgeSolver(ROWS[:n]).fit(TARGETS[:n], [1.0, 10.0])
    assert np.isfinite(fitted.weights).all()
    assert np.isfinite(fitted.bias).all()
