"""LearnedConfidence: what it learns from, what it never reads, and what little data come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointsman.confidence.learned import LearnedConfidence
from pointsman.confidence.logit import fit_logistic, sigmoid
from pointsman.confidence.matches import ChoiceMatch
from pointsman.data import RoutingDataset
from pointsman.errors import DataError, NotFittedError
from pointsman.features.lexical import Lexical
from pointsman.flow import drive
from pointsman.metrics import auroc, ece
from pointsman.types import Query, Response

LEARNER = LearnedConfidence(features=Lexical(bits=10, components=4), penalty=1.0)
ORDER = ("small", "medium", "large")


def outcomes(n: int, seed: int = 0) -> RoutingDataset:
    """Return three models: right ones say "right", wrong ones one of three things; half of the questions are hard for all."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n) < 0.5
    chance = np.array([0.8, 0.85, 0.9]) - 0.4 * hard[:, None]
    quality = (rng.random((n, 3)) < chance).astype(float)
    wrong = rng.integers(3, size=(n, 3))
    answers = np.where(quality == 1, "right", np.char.add("wrong ", wrong.astype(str))).astype(object)
    texts = [f"{'prove' if h else 'add'} number {i}" for i, h in enumerate(hard)]
    data = RoutingDataset.from_arrays(
        texts,
        {name: quality[:, j] for j, name in enumerate(ORDER)},
        {name: np.full(n, float(10**j)) for j, name in enumerate(ORDER)},
    )
    return replace(data.only(ORDER), answers=answers)


def test_agreement_and_the_question_tell() -> None:
    """On other queries it is calibrated; those who agree and easy questions are surer."""
    fitted, test = LEARNER.clone().fit(outcomes(800), ORDER), outcomes(1_500, seed=1)
    found = fitted.recorded(test, ("small", "medium")).score
    assert ece(found, test.quality[:, 1]) < 0.06
    assert test.answers is not None
    agreed = test.answers[:, 0] == test.answers[:, 1]
    assert found[agreed].mean() > found[~agreed].mean() + 0.2
    easy = np.array([text.startswith("add") for text in test.queries.texts])
    assert found[easy].mean() > found[~easy].mean() + 0.1


def test_gold_is_not_read() -> None:
    """What recorded answers scored, or cost, has no influence on the scores of a fitted confidence, nor any cell of others."""
    data, fitted = outcomes(60), LEARNER.clone().fit(outcomes(200), ORDER)
    expected = fitted.recorded(data, ORDER[:2]).score
    for other in (
        replace(data, quality=1 - data.quality),
        replace(data, quality=np.full_like(data.quality, np.nan)),
        replace(data, cost_usd=data.cost_usd * 7),
    ):
        np.testing.assert_array_equal(fitted.recorded(other, ORDER[:2]).score, expected)
    answers = np.array(data.answers)
    answers[:, 2] = "something else"
    np.testing.assert_array_equal(fitted.recorded(replace(data, answers=answers), ORDER[:2]).score, expected)


def test_order_of_rows_and_models_does_not_matter() -> None:
    """Shuffled data make the same weights to the last bit, as long as models are run in the same order."""
    data = outcomes(80)
    shuffled = data.take(np.random.default_rng(1).permutation(80)).only(("large", "small", "medium"))
    test = outcomes(50, seed=2)
    one, two = (LEARNER.clone().fit(each, ORDER).recorded(test, ORDER).score for each in (data, shuffled))
    np.testing.assert_array_equal(one, two)


def test_runs_in_the_order_of_costs() -> None:
    """Without an order the models run from the cheapest to the dearest."""
    data = outcomes(80)
    one, two = (LEARNER.clone().fit(data, order).recorded(data, ORDER).score for order in (None, ORDER))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_little_data(n: int) -> None:
    """A handful of queries make probabilities, and rather the mean than certainty where the penalty is what it is."""
    fitted = LearnedConfidence().fit(outcomes(n), ORDER)
    found = fitted.recorded(outcomes(40, seed=3), ("small",)).score
    assert ((found >= 0) & (found <= 1)).all()
    assert np.isfinite(found).all()


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_constant_labels(label: float) -> None:
    """Where all were right, or all wrong, that is what it expects."""
    data = outcomes(40)
    fitted = LEARNER.clone().fit(replace(data, quality=np.full_like(data.quality, label)), ORDER)
    np.testing.assert_allclose(fitted.recorded(data, ("small", "medium")).score, label, atol=0.05)


def test_assessing_is_what_is_recorded() -> None:
    """Assessed one by one, responses have the scores that they have on record; unknown texts have none on record."""
    data, fitted = outcomes(25, seed=4), LearnedConfidence(equivalence=ChoiceMatch()).fit(outcomes(60), ORDER)
    answers = np.array(data.answers)
    answers[3, 0] = None
    data = replace(data, answers=answers)
    for count in (1, 2, 3):
        found = fitted.recorded(data, ORDER[:count]).score
        for row, query in enumerate(data.queries):
            said = [Response(model=name, text=answers[row, j] or "") for j, name in enumerate(ORDER[:count])]
            if row != 3:
                assert drive(fitted.assess(query, said), no_calls) == pytest.approx(found[row], abs=1e-12)
        assert np.isnan(found[3])


def no_calls(effect: object, path: object) -> Response:
    """See that nothing is asked."""
    raise AssertionError((effect, path))


def test_models_never_seen() -> None:
    """A model that it has not learnt from is judged by the rest that is known."""
    fitted = LEARNER.clone().fit(outcomes(100), ORDER)
    score = drive(fitted.assess(Query(text="add number 1"), [Response(model="new", text="right")]), no_calls)
    assert score is not None
    assert 0 < score < 1


def test_what_cannot_be_learnt_from() -> None:
    """Without kept and scored answers there is nothing to learn; before learning it knows nothing."""
    data = outcomes(10)
    for lacking in (replace(data, answers=None), replace(data, quality=np.full_like(data.quality, np.nan))):
        with pytest.raises(DataError, match="kept and scored"):
            LEARNER.clone().fit(lacking)
    with pytest.raises(NotFittedError):
        LEARNER.clone().recorded(data, ("small",))


def reckoned(n: int, seed: int = 0) -> RoutingDataset:
    """Return one model's solutions, all of them different; four in five wrong ones show a wrong calculation."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(2, 90, (2, n))
    right, shown = rng.random(n) < 0.6, rng.random(n) < 0.8
    texts = [
        f"There are {x} + {y} = {x + y + 10 * (not good and bad)}." if good or bad else f"There are {x}."
        for x, y, good, bad in zip(a, b, right, shown, strict=True)
    ]
    asked = [
        f"There are {x} eggs and {y} eggs. How many are there ({i})?" for i, (x, y) in enumerate(zip(a, b, strict=True))
    ]
    data = RoutingDataset.from_arrays(asked, {"small": right.astype(float)}, {"small": np.ones(n)})
    return replace(data, responses=np.array([[text] for text in texts], dtype=object))


def test_wrong_arithmetic_tells() -> None:
    """Solutions that no two models share are told apart by what becomes of their calculations and numbers."""
    test = reckoned(500, seed=1)
    found = LEARNER.clone().fit(reckoned(400), ("small",)).recorded(test, ("small",)).score
    ranked = auroc(found, test.quality[:, 0] > 0.5)
    assert ranked is not None
    assert ranked > 0.95
    assert ece(found, test.quality[:, 0]) < 0.06


def test_what_was_rare_in_training_does_not_decide_alone() -> None:
    """A sign that one response in hundreds showed cannot push a response that shows it to either end."""
    train, test = reckoned(400), reckoned(100, seed=2)
    for data, rows in ((train, slice(0, 1)), (test, slice(None))):
        assert data.responses is not None
        data.responses[rows, 0] = [f"Sorry, I can't say. {text}" for text in data.responses[rows, 0]]
    plain, odd = (
        LEARNER.clone().fit(train, ("small",)).recorded(data, ("small",)).score
        for data in (reckoned(100, seed=2), test)
    )
    assert np.abs(plain - odd).mean() < 0.25


def test_wording_tells() -> None:
    """Words of the response count where they are read, and only there."""
    rng = np.random.default_rng(0)
    right = rng.random(600) < 0.5
    word = np.where(rng.random(600) < 0.9, right, ~right)
    texts = [f"{'clearly' if sure else 'hardly!'} so {i:03}" for i, sure in enumerate(word)]
    data = RoutingDataset.from_arrays(
        [f"q {i}" for i in range(600)], {"small": right.astype(float)}, {"small": np.ones(600)}
    )
    data = replace(data, responses=np.array([[text.replace("!", "y")] for text in texts], dtype=object))
    train, test = data.take(range(400)), data.take(range(400, 600))
    ranks = []
    for wording in (None, Lexical(bits=10, components=8)):
        fitted = LEARNER.clone(wording=wording).fit(train, ("small",))
        ranks.append(auroc(fitted.recorded(test, ("small",)).score, test.quality[:, 0] > 0.5))
    bare, read = ranks
    assert bare is not None
    assert read is not None
    assert read > 0.8 > bare


def test_logistic_regression_by_hand() -> None:
    """An intercept alone finds the mean, soft labels count, a penalty pulls towards its centre, bounds hold."""
    ones = np.ones((4, 1))
    assert sigmoid(fit_logistic(ones, np.array([1.0, 0.0, 0.5, 0.9])))[0] == pytest.approx(0.6, abs=1e-4)
    assert fit_logistic(ones, np.ones(4), penalty=1e9, towards=0.7)[0] == pytest.approx(0.7, abs=1e-4)
    assert fit_logistic(-ones, np.ones(4), bounds=[(0.0, None)])[0] == 0.0
    assert sigmoid(np.array([-1e6, 0.0, 1e6])).tolist() == [0.0, 0.5, 1.0]
