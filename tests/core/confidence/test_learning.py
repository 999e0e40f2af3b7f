"""Confidences that learn: calibration that helps and never reverses, a learnt score that beats its parts, expected gains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointsman.confidence.agreement import Agreement
from pointsman.confidence.base import Confidence
from pointsman.confidence.calibrated import Calibrated, CalibratedState
from pointsman.confidence.calibration import Method, fit_curve
from pointsman.confidence.conformal_set import ConformalSet
from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.held_out import held_out_scores
from pointsman.confidence.learned import LearnedConfidence
from pointsman.confidence.meta_verifier import MetaVerifier
from pointsman.confidence.semantic_entropy import SemanticEntropy
from pointsman.data import RoutingDataset
from pointsman.errors import DataError
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.metrics import auroc, ece
from pointsman.testing.toys import toy

METHODS: tuple[Method, ...] = ("isotonic", "platt", "temperature", "beta")


def spoken(rows: int = 400, *, seed: int = 0) -> RoutingDataset:
    """Return outcomes of two models that answer with one of four letters; who is right says "A", samples agree with p."""
    rng = np.random.default_rng(seed)
    skill = np.column_stack([rng.uniform(0.2, 1.0, rows), np.full(rows, 0.9)])
    right = rng.random((rows, 2, 6)) < skill[:, :, None]
    said = np.where(right, "A", rng.choice(["B", "C", "D"], size=right.shape)).astype(object)
    data = RoutingDataset.from_arrays(
        [f"question {i}" for i in range(rows)],
        {"large": right[:, 1, 0].astype(float), "small": right[:, 0, 0].astype(float)},
        {"large": [0.01] * rows, "small": [0.001] * rows},
    )
    order = [1, 0]  # columns by name: large, small
    return replace(
        data,
        answers=said[:, order, 0],
        samples=said[:, order, 1:],
        sample_quality=right[:, order, 1:].astype(float),
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows", [1, 3, 30])
def test_maps_never_reverse(method: Method, rows: int) -> None:
    """However few the rows, and with ties, a higher score never becomes a lower probability."""
    rng = np.random.default_rng(rows)
    score = rng.choice([0.0, 0.2, 0.2, 0.5, 1.0], size=rows)
    curve = fit_curve(score, (rng.random(rows) < score).astype(float), method, prior=5.0)
    found = curve(np.linspace(0, 1, 50))
    assert (np.diff(found) >= -1e-12).all()
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_useless_score_becomes_little_else_than_the_mean(method: Method) -> None:
    """A score that runs against the truth is not turned around; with a prior it says the mean, where there is an intercept."""
    score = np.linspace(0, 1, 200)
    quality = (score < 0.6).astype(float)
    found = fit_curve(score, quality, method, prior=20.0)(score)
    if method != "temperature":
        assert np.ptp(found) < 0.05
        assert found.mean() == pytest.approx(0.6, abs=0.02)
    assert np.isnan(fit_curve(score, quality, method, prior=1.0)(np.array([np.nan]))).all()


@pytest.mark.parametrize("method", ["isotonic", "platt", "beta"])
def test_calibration_lowers_the_error_on_new_queries(method: Method) -> None:
    """Probabilities are nearer to frequencies than the scores were, and rank as well."""
    train, test = spoken(seed=1), spoken(seed=2)
    confidence = SelfConsistency(samples=5)
    raw = confidence.recorded(test, ("small",)).score
    made = Calibrated(confidence=confidence, method=method).fit(train).recorded(test, ("small",)).score
    right = test.quality[:, test.models.index("small")]
    assert ece(made, right) < 0.6 * ece(raw, right)
    assert auroc(made, right) > auroc(raw, right) - 0.02  # type: ignore[operator]


def test_models_borrow_from_each_other() -> None:
    """A model with few scores is mapped as all together are; one with many as itself."""
    data = spoken(300)
    few = replace(data, quality=np.where((np.arange(300) > 5)[:, None] & (np.arange(2) == 1), np.nan, data.quality))
    fitted = Calibrated(confidence=SelfConsistency(samples=5), prior=20.0).fit(few)
    trust = dict(zip(fitted.fitted(CalibratedState).models, fitted.fitted(CalibratedState).trust.tolist(), strict=True))
    assert trust["small"] == pytest.approx(6 / 26)
    assert trust["large"] == pytest.approx(300 / 320)


def test_calibration_needs_scores() -> None:
    """Where no response has a score, the error says whose it misses."""
    with pytest.raises(DataError, match="No response has a score by Agreement"):
        Calibrated(confidence=Agreement()).fit(spoken(20).only(["small"]))


@pytest.mark.parametrize(
    "confidence", [SelfConsistency(samples=5), SelfConsistency(samples=9), SemanticEntropy(samples=4)]
)
def test_recorded_samples_are_scored_as_drawn_ones(confidence: Confidence) -> None:
    """All rows at once give the scores, the costs and the calls of each row alone, also where samples are missing."""
    data = spoken(40)
    assert data.samples is not None
    assert data.sample_quality is not None
    holes = np.random.default_rng(3).random(data.samples.shape) < 0.5
    data = replace(
        data,
        samples=np.where(holes, None, data.samples),
        sample_quality=np.where(holes, np.nan, data.sample_quality),
    )
    found, expected = confidence.recorded(data, ("small",)), Confidence.recorded(confidence, data, ("small",))
    for name in ("score", "cost_usd", "calls"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), nan_ok=True)


def test_what_is_learnt_beats_agreement_alone() -> None:
    """On new queries, the learnt score of the second answer ranks it better than agreement with the first does."""
    train, test, order = spoken(600, seed=4), spoken(600, seed=5), ("small", "large")
    learnt = LearnedConfidence(features=Lexical(bits=10, components=2), penalty=1.0).fit(train, order)
    right = test.quality[:, test.models.index("large")]
    alone = auroc(Agreement().recorded(test, order).score, right)
    assert auroc(learnt.recorded(test, order).score, right) >= alone - 0.01  # type: ignore[operator]
    assert ece(learnt.recorded(test, order).score, right) < 0.06


def test_held_out_scores_know_nothing_of_their_rows() -> None:
    """A confidence that learns its rows by heart scores rows it has not seen: their truth could be anything."""
    data, order = spoken(200), ("small", "large")
    vectors = np.random.default_rng(1).standard_normal((200, 100))
    data = replace(data, queries=replace(data.queries, embeddings=vectors))
    learnt = LearnedConfidence(features=Embedding(length="given"), penalty=1e-3)
    shuffled = replace(data, quality=np.random.default_rng(0).permutation(data.quality.ravel()).reshape(200, 2))
    (scored,) = held_out_scores(learnt, shuffled, order, ran=[("small",)])
    inside = learnt.fit(shuffled, order).recorded(shuffled, ("small",)).score
    right = shuffled.quality[:, 1]
    assert auroc(inside, right) > 0.8  # type: ignore[operator]
    assert auroc(scored.score, right) < 0.6  # type: ignore[operator]


def test_gains_need_not_rise_with_doubt() -> None:
    """Where nobody knows the answers that look worst, escalating gains most in the middle, and the score says so."""
    rows = 600
    level = np.arange(rows) % 3  # samples agree with 0, 1 or 2 of 2
    small, large = (level == 2).astype(float), (level >= 1).astype(float)
    data = RoutingDataset.from_arrays(
        [f"q{i}" for i in range(rows)], {"small": small, "large": large}, {"small": [0.1] * rows, "large": [1.0] * rows}
    )
    samples = np.full((rows, 2, 2), "x", dtype=object)
    samples[:, 1, 0], samples[:, 1, 1] = np.where(level >= 1, "4", "5"), np.where(level == 2, "4", "6")
    data = replace(data, answers=np.full((rows, 2), "4", dtype=object), samples=samples)
    meta = MetaVerifier(confidence=SelfConsistency(samples=2), bins=4).fit(data, ("small", "large"))
    score = meta.recorded(data, ("small",)).score
    hopeless, needy, good = (score[level == k].mean() for k in range(3))
    assert needy < hopeless
    assert needy < good
    assert needy == pytest.approx(0.0, abs=0.05)


def test_a_single_model_has_nothing_to_gain() -> None:
    """The error says what is missing."""
    with pytest.raises(DataError, match="qualities of two models"):
        MetaVerifier(confidence=SelfConsistency(samples=2)).fit(toy().only(["small"]))


def test_right_answers_are_seldom_ruled_out() -> None:
    """On new queries an answer that a sample got right is in the set as often as asked; single answers are the better ones."""
    train, test = spoken(500, seed=8), spoken(500, seed=9)
    sets = ConformalSet(samples=5, alpha=0.2).fit(train)
    score = sets.recorded(test, ("small",)).score
    right = test.quality[:, test.models.index("small")] == 1
    assert test.sample_quality is not None
    given = (test.sample_quality[:, test.models.index("small")] == 1).any(axis=1)
    assert (score[right & given] > 0).mean() >= 0.8 - 0.04
    assert right[score == 1].mean() > right.mean() + 0.1


def test_few_rows_rule_nothing_out() -> None:
    """With fewer queries than a coverage needs, every answer that a sample gives stays in the set."""
    sets = ConformalSet(samples=5, alpha=0.1).fit(spoken(6))
    score = sets.recorded(spoken(50, seed=3), ("small",)).score
    assert score[score > 0].min() < 0.5
    with pytest.raises(DataError, match="scored samples"):
        ConformalSet().fit(replace(spoken(6), sample_quality=None))
