"""The scores of LLMRouterBench, RouterArena, VL-RouterBench and RouterEval."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pointsman.errors import ConfigError, DataError
from pointsman.metrics import (
    arena_score,
    average_accuracy,
    classification_bias,
    dataset_oracle,
    gain_at_best,
    gain_at_random,
    gap_at_oracle,
    mean_score,
    optimality,
    pareto_dist,
    rank_score,
    robustness,
    value_over_best,
)

QUALITY = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
DATASETS = ["a", "a", "b", "b"]

# Accuracy (%), dollars per 1,000 queries and Arena score (%) as the RouterArena leaderboard printed them.
LEADERBOARD = [
    (32.01, 0.07, 33.75),
    (68.09, 0.54, 66.66),
    (67.21, 2.06, 63.87),
    (73.96, 10.02, 64.32),
    (57.00, 0.34, 57.22),
    (66.88, 0.15, 66.89),
    (66.34, 0.21, 66.12),
    (47.04, 0.27, 48.07),
    (58.69, 4.27, 55.48),
    (61.62, 4.83, 57.56),
    (67.28, 1.67, 64.32),
    (64.89, 0.56, 63.83),
]


@pytest.mark.parametrize(("accuracy", "cost", "score"), LEADERBOARD)
def test_arena_score_reproduces_the_leaderboard(accuracy: float, cost: float, score: float) -> None:
    """Recomputed from the printed accuracy and cost, a row's score agrees to the rounding of its inputs."""
    assert 100 * arena_score(accuracy / 100, cost) == pytest.approx(score, abs=0.01)


def test_arena_score_at_its_ends() -> None:
    """The cheapest cost scores 1, the dearest 0, and beyond them nothing changes."""
    assert arena_score(1.0, 0.0044) == pytest.approx(1.0)
    assert arena_score(0.9, 0.0) == arena_score(0.9, 0.0044)
    assert arena_score(0.9, 500.0) == arena_score(0.9, 200.0) == 0.0
    assert arena_score(0.0, 200.0) == 0.0


def test_rank_score_is_the_weighted_harmonic_mean() -> None:
    """With β = 1 it is the plain harmonic mean of accuracy and log-scaled cost."""
    cheapness = 0.5
    assert rank_score(0.8, 10, low=1, high=100, beta=1) == pytest.approx(2 * 0.8 * cheapness / (0.8 + cheapness))
    assert rank_score(0.8, math.sqrt(5e-4 * 0.01), low=5e-4, high=0.01) == pytest.approx(1.1 * 0.4 / 0.58)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"accuracy": 68.0, "cost": 1}, r"accuracy: expected a finite number in \[0, 1\], got 68.0"),
        ({"accuracy": 0.5, "cost": -1}, "cost: expected a finite number"),
        ({"accuracy": 0.5, "cost": 1, "low": 0}, "expected 0 < low < high, got 0 and 9"),
        ({"accuracy": 0.5, "cost": 1, "beta": 0}, "beta: expected a positive number, got 0"),
    ],
)
def test_rank_score_refuses_what_it_cannot_scale(arguments: dict[str, float], message: str) -> None:
    """A percentage for an accuracy, a negative cost or an empty range is an error, not a score."""
    with pytest.raises(ConfigError, match=message):
        rank_score(**({"low": 1, "high": 9} | arguments))


def test_optimality_counts_only_queries_that_some_model_solves() -> None:
    """Query 3 is beyond the pool; cost is compared where the router is right."""
    cost = np.array([[1.0, 2.0, 9.0]] * 4)
    found = optimality([0, 1, 0, 2], cost, QUALITY)
    assert found is not None
    assert (found.queries, found.selection) == (3, pytest.approx(1 / 3))
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.cost == pytest.approx((1 + 1) / (1 + 2))


def test_optimality_ignores_cheaper_models_that_are_wrong() -> None:
    """The oracle pays for the cheapest correct answer; choosing it is optimal however cheap the wrong ones are."""
    found = optimality([1], [[1, 5, 9]], [[0, 1, 1]])
    assert (found.selection, found.cost) == (1.0, 1.0)


def test_optimality_treats_equally_cheap_correct_models_alike() -> None:
    """A tie for the cheapest correct model is optimal either way."""
    for pick in (0, 1):
        assert optimality([pick], [[1, 1, 9]], [[1, 1, 1]]).selection == 1.0


def test_optimality_where_there_is_nothing_to_compare() -> None:
    """A pool that solves nothing has no optimum; a router that is never right, or free, has no cost ratio."""
    assert optimality([0], [[1, 2]], [[0, 0]]) is None
    assert optimality([0], [[1, 2]], [[0, 1]]).cost is None
    assert optimality([0], [[0, 2]], [[1, 1]]).cost is None


def test_robustness_is_the_share_of_unchanged_choices() -> None:
    """Names or indices, one in four flipped."""
    assert robustness([0, 1, 2, 2], [0, 1, 2, 0]) == 0.75
    with pytest.raises(DataError, match=r"picks and perturbed: expected equal shapes"):
        robustness(["a"], ["a", "b"])


def test_average_accuracy_is_macro() -> None:
    """Every data set counts as much as another, however many queries it has."""
    assert average_accuracy([1, 1, 1, 0], ["a", "a", "a", "b"]) == 0.5
    assert average_accuracy([1, 1, 1, 0]) == 0.75


def test_gains_and_gap_follow_their_definitions() -> None:
    """Router (1, 1, 1, 0): accuracy .75 against random .333, best single .5 and oracle .75."""
    picks = [0, 1, 1, 0]
    assert gain_at_random(picks, QUALITY) == pytest.approx(0.75 / (4 / 12) - 1)
    assert gain_at_best(picks, QUALITY, best=0) == pytest.approx(0.5)
    assert gap_at_oracle(picks, QUALITY) == 0.0
    assert gap_at_oracle([2, 2, 2, 2], QUALITY) == 1.0


def test_gains_are_macro_when_datasets_are_given() -> None:
    """Router, reference and oracle are averaged the same way."""
    datasets = ["a", "a", "a", "b"]
    assert gap_at_oracle([0, 0, 0, 0], QUALITY, datasets) == pytest.approx(1 - (2 / 3) / 1.0)
    assert gain_at_best([0, 0, 1, 0], QUALITY, best=1, datasets=datasets) == pytest.approx(1.0 / (2 / 3) - 1)


def test_dataset_oracle_lies_between_best_single_and_oracle() -> None:
    """Model 0 is best on a, model 1 on b."""
    assert dataset_oracle(QUALITY, DATASETS) == pytest.approx((1.0 + 0.5) / 2)


def test_gains_over_a_reference_that_scores_nothing_are_none() -> None:
    """A ratio to 0 is undefined."""
    nothing = np.zeros((2, 2))
    assert gain_at_random([0, 0], nothing) is None
    assert gain_at_best([0, 0], nothing, best=0) is None
    assert gap_at_oracle([0, 0], nothing) is None


def test_pareto_dist_is_zero_on_the_joint_frontier() -> None:
    """A method that sets the frontier is at distance 0, one behind it is measured in rescaled units."""
    ahead, behind = [(1, 0.5), (3, 0.9)], [(1, 0.1), (3, 0.5)]
    assert pareto_dist(ahead, behind) == 0.0
    assert pareto_dist(behind, ahead) == pytest.approx(0.5)
    scaled = [(100 * c, 10 * q) for c, q in behind], [(100 * c, 10 * q) for c, q in ahead]
    assert pareto_dist(*scaled) == pytest.approx(0.5)


def test_pareto_dist_of_points_on_one_line() -> None:
    """An axis on which all points agree adds no distance."""
    assert pareto_dist([(1, 0.2)], [(1, 0.6)]) == pytest.approx(1.0)


def test_datasets_must_label_every_query() -> None:
    """A wrong number of labels, or a table of them, is refused."""
    with pytest.raises(DataError, match="datasets has 1, quality has 4"):
        dataset_oracle(QUALITY, ["a"])
    with pytest.raises(DataError, match=r"datasets: expected labels of shape \(n,\)"):
        dataset_oracle(QUALITY, [["a"]])


def test_routereval_mean_and_value_over_best() -> None:
    """μ is a mean and V_B its ratio to the best single model's."""
    assert mean_score([1, 0, 1, 0]) == 0.5
    assert value_over_best([1, 0, 1, 0], best=0.25) == 2.0
    assert value_over_best([1, 0], best=0.0) is None


def test_classification_bias_is_the_mean_entropy_of_predictions() -> None:
    """0 bits where certain, log2 m where uniform, and rows are averaged."""
    assert classification_bias(np.eye(4)) == 0.0
    assert classification_bias(np.full((3, 4), 0.25)) == pytest.approx(2.0)
    assert classification_bias([[1, 0, 0], [0.5, 0.5, 0]]) == pytest.approx(0.5)
    with pytest.raises(DataError, match=r"rows that sum to 1, row 1 sums to 0.9"):
        classification_bias([[0.5, 0.5], [0.5, 0.4]])
