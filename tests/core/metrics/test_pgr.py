"""PGR, APGR and CPT against their definitions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest

from pointsman.errors import DataError
from pointsman.metrics import apgr, call_share_curve, cpt, pgr

WEAK = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
STRONG = np.array([1.0, 1.0, 1.0, 0.0, 1.0])


def brute_force(order: Sequence[int]) -> float:
    """APGR of one strict order: the trapezoid over the share of strong calls, one query at a time."""
    quality = [np.r_[STRONG[list(order[:k])], WEAK[list(order[k:])]].mean() for k in range(len(order) + 1)]
    recovered = (np.array(quality) - WEAK.mean()) / (STRONG.mean() - WEAK.mean())
    return ((recovered[1:] + recovered[:-1]) / 2).mean()


def test_apgr_is_the_area_of_one_strict_order() -> None:
    """Without ties the curve is the one got by sending queries over one by one."""
    for order in permutations(range(5)):
        score = np.empty(5)
        score[list(order)] = np.arange(5, 0, -1)
        assert apgr(score, WEAK, STRONG) == pytest.approx(brute_force(order))


def test_a_tied_block_is_the_mean_over_its_orders() -> None:
    """Ties count as random order, exactly: the mean over every way to break them."""
    score = np.array([2.0, 1.0, 1.0, 1.0, 0.0])
    broken = [brute_force((0, *middle, 4)) for middle in permutations((1, 2, 3))]
    assert apgr(score, WEAK, STRONG) == pytest.approx(np.mean(broken))


def test_the_curve_runs_from_the_weak_to_the_strong_model() -> None:
    """Its ends are the two models' means, to the last bit, and its knots are the distinct scores."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        score, weak, strong = rng.random((3, 37))
        curve = call_share_curve(score, weak, strong)
        assert curve[[0, -1]].tolist() == [[0.0, weak.mean()], [1.0, strong.mean()]]
    assert call_share_curve([3, 1, 1, 2, 1], WEAK, STRONG)[:, 0] == pytest.approx([0, 0.2, 0.4, 1])


def test_an_oracles_apgr_may_exceed_one() -> None:
    """Sending over first what the strong model gains, and last what it loses, overshoots the strong model."""
    weak, strong = np.array([0, 1, 1, 0, 1, 1]), np.array([1, 0, 1, 1, 0, 1])
    strong[5], weak[5] = 1, 0
    assert apgr(strong - weak, weak, strong) > 1


def test_cpt_takes_the_first_crossing_of_a_curve_that_falls_again() -> None:
    """Where the curve reaches the target, loses it and comes back, the threshold is the first crossing."""
    score, weak, strong = [4, 3, 2, 1], [0, 1, 0, 0], [1, 0, 0, 1]
    curve = call_share_curve(score, weak, strong)
    assert curve[:, 1].tolist() == [0.25, 0.5, 0.25, 0.25, 0.5]
    assert cpt(score, weak, strong, 0.5) == pytest.approx(0.125)
    assert cpt(score, weak, strong, 1.0) == pytest.approx(0.25)


def test_cpt_at_the_ends() -> None:
    """Nothing to recover needs no calls; everything is recovered by calling always; more may never be."""
    score, weak, strong = [1, 1, 1], [0, 0, 0.3], [1, 1, 0.7]
    assert cpt(score, weak, strong, 0.0) == 0.0
    assert cpt(score, weak, strong, 1.0) == pytest.approx(1.0)
    assert cpt(score, weak, strong, 1.01) is None


def test_no_gap_means_no_figure() -> None:
    """Equally good models leave nothing to recover, also where their means differ by rounding only."""
    weak, strong = [0.1, 0.2, 0.3], [0.3, 0.1, 0.2]
    assert np.mean(weak) == pytest.approx(np.mean(strong))
    assert apgr([1, 2, 3], weak, strong) is None
    assert cpt([1, 2, 3], weak, strong, 0.5) is None
    assert pgr(0.2, weak=0.2, strong=0.2) is None


@pytest.mark.parametrize(
    ("score", "weak", "message"),
    [
        ([1, 2], [0], "score has 2, weak has 1"),
        ([np.nan], [0], "score: expected finite"),
        ([], [], "score: expected a non"),
    ],
)
def test_bad_input_is_refused_by_name(score: list[float], weak: list[float], message: str) -> None:
    """Lengths, emptiness and missing scores are told apart."""
    with pytest.raises(DataError, match=message):
        apgr(score, weak, weak)
