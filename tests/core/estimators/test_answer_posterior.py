"""The posterior over answers: a vote that knows who errs alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.estimators.answer_posterior import AnswerPosterior, members, settled
from pointsman.estimators.conditional_logit import conditional_logit
from pointsman.metrics import ece_equal_mass

ROWS = 3000


def world(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return expected quality, codes and right answers (n, 3): two models that err alike, and one that errs by itself."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(0.3, 0.8, ROWS)
    truth = rng.integers(0, 6, ROWS)
    right = rng.random((ROWS, 3)) < level[:, None]
    said = np.where(right, truth[:, None], (truth[:, None] + rng.integers(1, 6, (ROWS, 3))) % 6)
    said[:, 1] = np.where(rng.random(ROWS) < 0.8, said[:, 0], said[:, 1])
    said[rng.random((ROWS, 3)) < 0.05] = -1
    return np.repeat(level[:, None], 3, axis=1), codes_of(said), (said == truth[:, None])


def codes_of(said: np.ndarray) -> np.ndarray:
    """Return the first column that says the same."""
    same = said[:, :, None] == said[:, None, :]
    return np.where(said >= 0, same.argmax(axis=2), -1)


@pytest.fixture(scope="module")
def posterior() -> AnswerPosterior:
    """Return the posterior of that world."""
    return AnswerPosterior.fit(*world())


@pytest.mark.parametrize("subset", range(1, 8))
def test_every_subset_is_calibrated(posterior: AnswerPosterior, subset: int) -> None:
    """Whoever was asked, an answer held right with probability p is right about p of the time, on new queries."""
    quality, codes, right = world(1)
    belief = posterior.read(subset, quality, codes)
    hit = (belief.code >= 0) & right[np.arange(ROWS), belief.code]
    assert ece_equal_mass(belief.probability, hit.astype(float)) < 0.045


def test_models_that_err_alike_count_less(posterior: AnswerPosterior) -> None:
    """The agreement of two that err alike is worth less than that of two that do not."""
    quality, codes = np.full((1, 3), 0.55), np.array([[0, 0, 2]])
    alike = posterior.read(0b011, quality, codes).probability[0]
    apart = posterior.read(0b101, quality, np.array([[0, 1, 0]])).probability[0]
    assert apart > alike + 0.1


def test_the_independent_one_settles_more() -> None:
    """Votes of models that err by themselves are surer of their winner."""
    quality, codes, right = world()
    pairs = {pair: settled(quality[:, pair], codes[:, pair], right[:, pair]) for pair in ((0, 1), (0, 2))}
    assert pairs[0, 2] > pairs[0, 1]


def test_what_was_not_asked_does_not_count(posterior: AnswerPosterior) -> None:
    """The belief after some have answered does not depend on what the others would say."""
    quality, codes, _ = world(2)
    changed = codes.copy()
    changed[:, 1] = -1
    for name in ("probability", "code", "runner_up", "unseen", "support"):
        mine, other = (getattr(posterior.read(0b101, quality, each), name) for each in (codes, changed))
        np.testing.assert_array_equal(mine, other)


def test_nobody_answering_is_no_answer(posterior: AnswerPosterior) -> None:
    """Where all who were asked gave none, there is no answer, and nothing is held right."""
    belief = posterior.read(0b111, np.full((1, 3), 0.7), np.full((1, 3), -1))
    assert (belief.code[0], belief.probability[0], belief.support.any()) == (-1, 0.0, False)
    assert belief.unseen[0] == pytest.approx(1.0)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)), st.integers(1, 7))
def test_answers_have_no_names(posterior: AnswerPosterior, names: list[int], subset: int) -> None:
    """Which answer is called what changes nothing, and one row is read as it is among many."""
    rng = np.random.default_rng(3)
    said, quality = rng.integers(0, 6, (40, 3)), rng.uniform(0.2, 0.9, (40, 3))
    other = np.array(names)[said]
    one, two = (posterior.read(subset, quality, codes_of(each)) for each in (said, other))
    np.testing.assert_array_equal(one.probability, two.probability)
    alone = posterior.read(subset, quality[7:8], codes_of(said[7:8]))
    assert alone.probability[0] == pytest.approx(one.probability[7], rel=1e-12)


def test_no_outcomes_leave_the_prior() -> None:
    """Without training queries a single answer is held right as the query lets expect."""
    none = np.zeros((0, 2))
    empty = AnswerPosterior.fit(none, none.astype(np.intp), none.astype(np.bool_))
    belief = empty.read(0b01, np.array([[0.7, 0.5]]), np.array([[0, -1]]))
    assert belief.probability[0] == pytest.approx(0.7, abs=0.15)


def test_two_alternatives_are_a_logistic_regression() -> None:
    """With one alternative of no features, the weights are those of a logistic regression, found at slope zero."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 2))
    came = rng.random(200) < 1 / (1 + np.exp(-rows @ np.array([1.0, -2.0])))
    both, target = np.zeros((400, 2)), np.zeros(400)
    both[::2], target[::2], target[1::2] = rows, came, ~came
    weights = conditional_logit(both, np.repeat(np.arange(200), 2), target, np.full(2, 1e-6), np.zeros(2))
    share = 1 / (1 + np.exp(-rows @ weights))
    np.testing.assert_allclose(rows.T @ (share - came), 0, atol=1e-3)


def test_members_are_bits() -> None:
    """A subset's columns are its bits."""
    assert [members(subset) for subset in (0, 1, 6)] == [[], [0], [1, 2]]
