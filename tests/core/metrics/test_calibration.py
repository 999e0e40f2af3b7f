"""Calibration errors, the Brier score's parts, and AUROC."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from pointsman.errors import ConfigError, DataError
from pointsman.metrics import (
    adaptive_calibration_error,
    auroc,
    brier,
    brier_parts,
    ece,
    ece_equal_mass,
    equal_mass_edges,
    equal_width_edges,
    reliability_table,
)

RNG = np.random.default_rng(11)
CONFIDENCE = RNG.random(4000)
HONEST = (RNG.random(4000) < CONFIDENCE).astype(float)
OVERCONFIDENT = (RNG.random(4000) < CONFIDENCE**2).astype(float)


def test_honest_confidence_is_calibrated_and_overconfidence_is_not() -> None:
    """All three errors are near 0 for the first and near the true gap, mean(p - p²) = 1/6, for the second."""
    for error in (ece, ece_equal_mass, adaptive_calibration_error):
        assert error(CONFIDENCE, HONEST) < 0.03
        assert error(CONFIDENCE, OVERCONFIDENT) == pytest.approx(1 / 6, abs=0.03)


def test_ece_by_hand() -> None:
    """Bins [0, .5) and [.5, 1]: gaps .2 and .35, weights 1/3 and 2/3."""
    assert ece([0.2, 0.8, 0.9], [0, 1, 0], bins=2) == pytest.approx(0.2 / 3 + 0.35 * 2 / 3)


def test_a_bin_holds_its_lower_edge_and_the_last_its_upper() -> None:
    """Confidences on the edges fall in exactly one bin each, 1.0 in the last."""
    table = reliability_table([0.0, 0.5, 1.0], [0, 1, 1], equal_width_edges(2))
    assert table.count.tolist() == [1, 2]
    assert (table.low.tolist(), table.high.tolist()) == ([0.0, 0.5], [0.5, 1.0])
    assert table.gap == pytest.approx([0.0, 0.25])


def test_empty_bins_are_left_out() -> None:
    """A table has a row only where there are answers: no mean of nothing."""
    table = reliability_table([0.05, 0.95], [0, 1], equal_width_edges(10))
    assert table.count.tolist() == [1, 1]


def test_equal_mass_bins_hold_about_as_many_answers() -> None:
    """With distinct confidences the counts differ by at most one."""
    table = reliability_table(CONFIDENCE, HONEST, equal_mass_edges(CONFIDENCE, 15))
    assert len(table.count) == 15
    assert np.ptp(table.count) <= 1


def test_equal_mass_bins_keep_ties_together_and_apart_from_others() -> None:
    """Many answers at exactly 1.0 form a bin of their own; one confidence alone is one bin."""
    confidence = np.r_[np.full(60, 1.0), np.linspace(0.1, 0.9, 40)]
    table = reliability_table(confidence, np.ones(100), equal_mass_edges(confidence, 5))
    assert (table.confidence[-1], table.count[-1]) == (1.0, 60)
    assert equal_mass_edges([0.7] * 9, 5).tolist() == [0.0, 1.0]


def test_ace_and_equal_mass_ece_agree_on_equal_bins() -> None:
    """They differ only in how unequal bins are weighted."""
    confidence, correct = CONFIDENCE[:300], HONEST[:300]
    assert adaptive_calibration_error(confidence, correct, 15) == pytest.approx(ece_equal_mass(confidence, correct, 15))


def test_brier_is_scikit_learns() -> None:
    """An independent implementation gives the same score."""
    assert brier(CONFIDENCE, HONEST) == pytest.approx(brier_score_loss(HONEST, CONFIDENCE))


@pytest.mark.parametrize("edges", [None, equal_width_edges(10), [0.0, 0.3, 1.0]])
def test_brier_parts_add_up(edges: list[float] | None) -> None:
    """Score = reliability - resolution + uncertainty + within, however the answers are grouped."""
    for confidence in (CONFIDENCE, CONFIDENCE.round(1)):
        parts = brier_parts(confidence, OVERCONFIDENT, edges)
        whole = parts.reliability - parts.resolution + parts.uncertainty + parts.within
        assert parts.score == pytest.approx(whole, abs=1e-12)
        assert min(parts.reliability, parts.resolution, parts.uncertainty) >= 0


def test_brier_parts_by_distinct_confidence_hide_nothing() -> None:
    """Grouped by their distinct values, confidences do not vary within a group; resolution tells answers apart."""
    parts = brier_parts(CONFIDENCE.round(1), HONEST)
    assert parts.within == pytest.approx(0.0, abs=1e-12)
    assert parts.reliability < 0.005 < parts.resolution
    assert parts.uncertainty == pytest.approx(HONEST.var())


def test_auroc_is_scikit_learns_with_ties() -> None:
    """On scores with many ties it equals an independent implementation."""
    score = CONFIDENCE.round(1)
    assert auroc(score, HONEST) == pytest.approx(roc_auc_score(HONEST, score))
    assert auroc(CONFIDENCE, HONEST) == pytest.approx(roc_auc_score(HONEST, CONFIDENCE))


def test_auroc_counts_pairs() -> None:
    """It is the share of (right, wrong) pairs in order, a tie counting half."""
    score, right = np.array([3, 1, 2, 2, 0]), np.array([1, 1, 0, 1, 0])
    pairs = [float(a > b) + 0.5 * float(a == b) for a in score[right == 1] for b in score[right == 0]]
    assert auroc(score, right) == pytest.approx(np.mean(pairs))


def test_auroc_of_one_class_is_undefined() -> None:
    """All right or all wrong leaves no pair to compare."""
    assert auroc([0.1, 0.9], [1, 1]) is None
    assert auroc([0.1, 0.9], [0, 0]) is None


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (DataError, lambda: ece([1.2], [1]), r"confidence: expected numbers in \[0, 1\], got 1.2"),
        (DataError, lambda: ece([0.2], [3]), r"correct: expected numbers in \[0, 1\], got 3"),
        (DataError, lambda: brier([0.2], [1, 0]), "confidence has 1, correct has 2"),
        (DataError, lambda: auroc([0.2, 0.1], [1, 0.5]), "correct: expected only 0 and 1"),
        (ConfigError, lambda: ece([0.2], [1], bins=0), "bins: expected an integer of at least 1, got 0"),
        (ConfigError, lambda: reliability_table([0.2], [1], [0, 0]), "edges: expected at least 2 strictly rising"),
        (
            ConfigError,
            lambda: reliability_table([0.2], [1], [0.3, 1]),
            "edges: expected to cover 0.2 to 0.2, got 0.3 to 1",
        ),
    ],
)
def test_bad_input_is_refused_by_name(error: type[Exception], call: Callable[[], object], message: str) -> None:
    """The message names the argument and what was wrong with it."""
    with pytest.raises(error, match=message):
        call()
