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


def test_left_out_predictions_are_those_of_refitting() -> None:
    """What is predicted for a row is what a fit on the other observed rows says of it; unobserved cells are NaN."""
    seen = RNG.random(TARGETS.shape) < 0.8
    found = RidgeSolver(ROWS).left_out(np.where(seen, TARGETS, 1e6), 3.0, observed=seen)
    assert np.array_equal(np.isfinite(found), seen)
    for i, j in np.argwhere(seen)[::7]:
        rest = seen[:, j] & (np.arange(len(ROWS)) != i)
        expected = Reference(alpha=3.0).fit(ROWS[rest], TARGETS[rest, j]).predict(ROWS[[i]])
        assert found[i, j] == pytest.approx(expected[0])


def test_each_target_may_have_its_own_penalty() -> None:
    """A target's own penalty is what it would get alone, and weights under several penalties are those under each."""
    penalties, solver = [0.01, 1.0, 30.0, 1000.0], RidgeSolver(ROWS)
    targets = TARGETS + np.array([0.0, 5.0, 50.0]) * RNG.standard_normal(TARGETS.shape)
    own = solver.own_penalties(targets, penalties)
    alone = [solver.fit(targets[:, [j]], penalties) for j in range(3)]
    assert own.tolist() == [fitted.penalty for fitted in alone]
    assert len(set(own.tolist())) > 1
    assert solver.solve(targets, own) == pytest.approx(np.hstack([fitted.weights for fitted in alone]))


@pytest.mark.parametrize("n", [1, 2])
def test_tiny_data_stay_finite(n: int) -> None:
    """One or two rows give finite weights."""
    fitted = RidgeSolver(ROWS[:n]).fit(TARGETS[:n], [1.0, 10.0])
    assert np.isfinite(fitted.weights).all()
    assert np.isfinite(fitted.bias).all()
