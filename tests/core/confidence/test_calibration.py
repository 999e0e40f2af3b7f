"""Calibration: maps that keep the order, survive ties and few rows, shrink, and make probabilities of scores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pointsman.confidence.agreement import Agreement
from pointsman.confidence.calibrated import Calibrated
from pointsman.confidence.calibration import Method, fit_curve
from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.learned import LearnedConfidence
from pointsman.data import Queries, RoutingDataset
from pointsman.errors import DataError, NotFittedError
from pointsman.features.lexical import Lexical
from pointsman.metrics import ece

METHODS: tuple[Method, ...] = get_args(Method)
GRID = np.linspace(0, 1, 101)
Vector = NDArray[np.float64]

rows = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]) | st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8
)
labels = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=5
)


@given(rows | labels, st.sampled_from(METHODS), st.sampled_from([0.0, 1.0, 20.0]))
def test_maps_are_monotone(pairs: list[tuple[float, float]], method: Method, prior: float) -> None:
    """Of one row or of many, with ties, outliers and labels all alike, a map is non-decreasing, and within [0, 1]."""
    score, quality = np.array(pairs).T
    found = fit_curve(score, quality, method, prior=prior)(GRID)
    assert np.isfinite(found).all()
    assert (np.diff(found) >= -1e-12).all()
    assert ((found >= 0) & (found <= 1)).all()


@given(rows, st.sampled_from(METHODS), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(pairs: list[tuple[float, float]], method: Method, random: Any) -> None:
    """Shuffled rows make the same map, but for rounding."""
    shuffled = list(pairs)
    random.shuffle(shuffled)
    one, two = (fit_curve(*np.array(each).T, method, prior=5.0)(GRID) for each in (pairs, shuffled))
    np.testing.assert_allclose(one, two, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("label", [0.0, 1.0])
@pytest.mark.parametrize("count", [1, 2, 5, 200])
def test_constant_labels(method: Method, label: float, count: int) -> None:
    """Where all were right, or all wrong, the more rows there are the surer the map is of it, and it never turns over."""
    score = np.linspace(0.3, 0.9, count)
    found = fit_curve(score, np.full(count, label), method, prior=20.0)(score)
    assert ((found - 0.5) * (label - 0.5) >= 0).all() or method == "temperature"
    if count == 200 and method != "temperature":
        np.testing.assert_allclose(found, label, atol=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_known_stays_unknown(method: Method) -> None:
    """NaN is no score and gets no probability."""
    found = fit_curve(np.array([0.2, 0.8]), np.array([0.0, 1.0]), method, prior=1.0)(np.array([np.nan, 0.5]))
    assert np.isnan(found[0])
    assert np.isfinite(found[1])


@pytest.mark.parametrize("method", ["platt", "isotonic", "beta"])
def test_few_rows_shrink_to_the_mean(method: Method) -> None:
    """A heavy prior leaves nothing but the mean quality."""
    score, quality = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.0, 0.0, 1.0, 1.0])
    found = fit_curve(score, quality, method, prior=1e6)(GRID)
    np.testing.assert_allclose(found, 0.5, atol=1e-3)
    free = fit_curve(score, quality, method, prior=0.01)(score)
    assert free[-1] - free[0] > 0.9


def test_a_temperature_shrinks_to_one() -> None:
    """Without an intercept, a heavy prior leaves scores as they are."""
    score, quality = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.0, 1.0, 0.0, 1.0])
    found = fit_curve(score, quality, "temperature", prior=1e6)(GRID[1:-1])
    np.testing.assert_allclose(found, GRID[1:-1], atol=1e-3)


def test_isotonic_by_hand() -> None:
    """Violators are pooled with their weights, ties count as one, between knots the map is straight, beyond them flat."""
    score, quality = np.array([0.2, 0.4, 0.4, 0.6, 0.8]), np.array([0.0, 1.0, 0.5, 0.5, 1.0])
    curve = fit_curve(score, quality, "isotonic", prior=0.0)
    np.testing.assert_allclose(curve(np.array([0.2, 0.4, 0.6, 0.8])), [0.0, 2 / 3, 2 / 3, 1.0])
    np.testing.assert_allclose(curve(np.array([0.0, 0.3, 0.7, 1.0])), [0.0, 1 / 3, 5 / 6, 1.0])
    half = fit_curve(score, quality, "isotonic", prior=5.0)
    np.testing.assert_allclose(half(np.array([0.2, 0.8])), [0.3, 0.8])


def test_parametric_maps_find_their_own() -> None:
    """From many rows that follow σ(a·ln s − b·ln(1 − s) + c), each method finds its parameters."""
    rng = np.random.default_rng(0)
    score = rng.uniform(0.02, 0.98, 20_000)
    for method, a, b, c in (("platt", 2.0, 2.0, -0.5), ("temperature", 0.4, 0.4, 0.0), ("beta", 1.5, 0.5, 0.3)):
        chance = 1 / (1 + np.exp(-(a * np.log(score) - b * np.log1p(-score) + c)))
        right = (rng.random(len(score)) < chance).astype(float)
        found = fit_curve(score, right, method, prior=20.0)  # type: ignore[arg-type]
        np.testing.assert_allclose(found.parameters, [a, b, c], atol=0.12)


def overconfident(n: int, seed: int) -> tuple[Vector, Vector]:
    """Return scores of a confidence that overstates itself, and whether answers were right."""
    rng = np.random.default_rng(seed)
    score = rng.beta(6, 2, n)
    chance = 1 / (1 + np.exp(-(1.5 * np.log(score / (1 - score)) - 2.0)))
    return score, (rng.random(n) < chance).astype(float)


@pytest.mark.parametrize("method", METHODS)
def test_held_out_scores_are_calibrated(method: Method) -> None:
    """On queries not learnt from, probabilities are near the frequencies, and nearer than the scores."""
    score, right = overconfident(3_000, 1)
    test, truth = overconfident(6_000, 2)
    found = fit_curve(score, right, method, prior=20.0)(test)
    before, after = ece(test, truth), ece(found, truth)
    assert after < (0.2 if method == "temperature" else 0.03)
    assert after < before


def outcomes(
    n: int, *, bad: int | None = None, samples: int = 5, seed: int = 0, texts: str = "question"
) -> RoutingDataset:
    """Return two models with samples: the share of equal samples tells much of "good", and nothing of "bad"."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n)
    quality = np.column_stack([rng.random(n) < 0.3, rng.random(n) < 1 - hard]).astype(float)
    if bad is not None:
        quality[bad:, 0] = np.nan
    chance = np.column_stack([np.full(n, 0.8), 1 - hard])
    drawn = rng.random((n, 2, samples)) < chance[..., None]
    data = RoutingDataset.from_arrays(
        [f"{texts} {i}" for i in range(n)],
        {"bad": quality[:, 0], "good": quality[:, 1]},
        {"bad": np.full(n, 1.0), "good": np.full(n, 2.0)},
    )
    return replace(data, answers=np.full((n, 2), "a", dtype=object), samples=np.where(drawn, "a", "b").astype(object))


SAMPLED = SelfConsistency(samples=5)


@pytest.mark.parametrize("method", METHODS)
def test_each_model_has_its_own_map(method: Method) -> None:
    """The same score means what it means for each model, and what it means for all where a model was never seen."""
    fitted = Calibrated(confidence=SAMPLED, method=method).fit(outcomes(1_500), ("bad", "good"))
    test = outcomes(3_000, seed=1)
    for name in ("bad", "good"):
        truth = test.quality[:, test.models.index(name)]
        found = fitted.recorded(test, (name,)).score
        assert ece(found, truth) < {"isotonic": 0.04, "temperature": 0.3}.get(method, 0.1), name
        assert np.corrcoef(SAMPLED.recorded(test, (name,)).score, found)[0, 1] > 0
    if method != "temperature":
        sure = np.array([1.0])
        assert fitted._map(sure, "bad")[0] < fitted._map(sure, "never seen")[0] < fitted._map(sure, "good")[0]


def test_little_data_of_a_model_lean_on_all() -> None:
    """The fewer rows a model has, the nearer its map is to the common one; with none it is that."""
    distances = []
    for rows_of_bad in (0, 3, 30, 600):
        fitted = Calibrated(confidence=SAMPLED).fit(outcomes(600, bad=rows_of_bad))
        common, own = (fitted._map(GRID, name) for name in ("never seen", "bad"))
        distance = float(np.abs(common - own).max())
        assert distance <= rows_of_bad / (rows_of_bad + 20)
        distances.append(distance)
    assert distances[0] == 0
    assert 0 < distances[1] < 0.1 < distances[3]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_tiny_data(method: Method, n: int) -> None:
    """From one to five queries there are probabilities, if each query can be held out where that is needed."""
    fitted = Calibrated(confidence=SAMPLED, method=method).fit(outcomes(n))
    found = fitted.recorded(outcomes(20, seed=5), ("bad",)).score
    assert ((found >= 0) & (found <= 1)).all()


def test_a_confidence_that_learns_is_calibrated_on_queries_it_has_not_seen() -> None:
    """One that remembers its training queries by heart is not believed for it."""
    rng = np.random.default_rng(0)
    words = rng.choice([f"{first}{second}" for first in "bdfgkl" for second in "aeiou"], (120, 8))
    data = outcomes(120)
    data = replace(
        data,
        queries=Queries.from_texts([" ".join(row) for row in words]),
        quality=(rng.random((120, 2)) < 0.5).astype(float),
    )
    learner = LearnedConfidence(features=Lexical(bits=12, components=60), penalty=1e-3)
    by_heart = learner.clone().fit(data).recorded(data, ("good",)).score
    honest = Calibrated(confidence=learner, method="platt", folds=3).fit(data).recorded(data, ("good",)).score
    assert by_heart.std() > 0.05
    assert honest.std() < by_heart.std() / 5


def test_the_order_of_rows_and_models_does_not_matter() -> None:
    """Shuffled data make the same maps to the last bit."""
    data = outcomes(60)
    order = np.random.default_rng(3).permutation(60)
    shuffled = data.take(order).only(("good", "bad"))
    for method in METHODS:
        one, two = (Calibrated(confidence=SAMPLED, method=method).fit(each) for each in (data, shuffled))
        for name in ("bad", "good"):
            np.testing.assert_array_equal(one._map(GRID, name), two._map(GRID, name))


def test_what_cannot_be_calibrated() -> None:
    """Without a score and a quality of one answer there is nothing to learn; before learning there are no maps."""
    data = outcomes(10)
    with pytest.raises(DataError, match="No response has a score by Agreement"):
        Calibrated(confidence=Agreement()).fit(replace(data, answers=None))
    with pytest.raises(DataError, match="No response has a score by SelfConsistency"):
        Calibrated(confidence=SAMPLED).fit(replace(data, quality=np.full((10, 2), np.nan)))
    with pytest.raises(NotFittedError):
        Calibrated(confidence=SAMPLED).recorded(data, ("good",))


def test_it_needs_what_it_calibrates_needs() -> None:
    """Signals and parameters of calls are those of the inner confidence, which stays as it is."""
    outer = Calibrated(confidence=SAMPLED)
    assert outer.needs == SAMPLED.needs
    assert outer.asks == SAMPLED.asks
    outer.fit(outcomes(10))
    assert outer.confidence.state_ is None
