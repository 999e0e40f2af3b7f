"""Points from outcome matrices, and the settings chosen among them."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.errors import DataError
from pointsman.metrics import (
    cheapest_setting,
    choice_points,
    cost_save,
    model_points,
    peak_setting,
    perf_gain,
)

COST = np.array([[1.0, 10.0], [3.0, 30.0]])
QUALITY = np.array([[0.0, 1.0], [1.0, 1.0]])


def test_always_choosing_a_model_is_that_models_point() -> None:
    """Choice points of constant choices are the model points."""
    constant = choice_points([[0, 0], [1, 1]], COST, QUALITY)
    assert constant.tolist() == model_points(COST, QUALITY).tolist() == [[2.0, 0.5], [20.0, 1.0]]


@pytest.mark.parametrize(
    ("picks", "message"),
    [
        ([], "picks: expected the choices of at least one setting"),
        ([[0, 2]], "picks: expected model indices from 0 to 1, got 2"),
        ([[0, -1]], "picks: expected model indices from 0 to 1, got -1"),
        ([[0.0, 1.0]], "picks: expected integer model indices, got float64"),
        ([[0]], "picks has 1, cost has 2"),
        ([[[0, 1]]], r"picks: expected a non-empty array of shape \(n,\), got \(1, 2\)"),
    ],
)
def test_choices_must_name_a_model_for_every_query(picks: list[list[int]], message: str) -> None:
    """Wrong indices, also negative ones, are refused instead of wrapping round."""
    with pytest.raises(DataError, match=message):
        choice_points(picks, COST, QUALITY)


def test_peak_ties_go_to_the_cheapest_then_to_the_first() -> None:
    """Equal quality is worth having cheaply; equal points are interchangeable."""
    assert peak_setting([(5, 0.9), (2, 0.9), (2, 0.9), (1, 0.1)]) == 1


def test_cheapest_setting_ties_go_to_the_better() -> None:
    """Of two equally cheap settings that are good enough, the better one runs."""
    assert cheapest_setting([(2, 0.8), (2, 0.9), (1, 0.1)], target=0.8) == 1


def test_the_choice_is_made_on_validation_and_measured_on_test() -> None:
    """Test figures never influence which setting is measured, even where another would have looked better."""
    on_val, on_test = [(1, 0.6), (2, 0.7), (4, 0.5)], [(1, 0.9), (2, 0.6), (4, 0.95)]
    assert perf_gain(on_val, on_test, best=(8, 0.5)) == pytest.approx(0.2)
    assert cost_save(on_val, on_test, best_on_val=(8, 0.65), best=(8, 0.5)) == pytest.approx(0.75)


def test_same_points_twice_give_the_published_form() -> None:
    """PerfGain is the best gain of all settings, CostSave the largest cut among those good enough."""
    settings = np.array([(1, 0.4), (2, 0.5), (3, 0.6)])
    assert perf_gain(settings, settings, best=(4, 0.5)) == pytest.approx(0.6 / 0.5 - 1)
    assert cost_save(settings, settings, best_on_val=(4, 0.5), best=(4, 0.5)) == pytest.approx(0.5)


def test_undefined_gains_are_none() -> None:
    """Never reached, a best model worth nothing, a best model that is free: none of these is 0."""
    assert cost_save([(1, 0.4)], [(1, 0.9)], best_on_val=(4, 0.5), best=(4, 0.5)) is None
    assert cost_save([(1, 0.6)], [(1, 0.6)], best_on_val=(0, 0.5), best=(0, 0.5)) is None
    assert perf_gain([(1, 0.4)], [(1, 0.4)], best=(4, 0.0)) is None


def test_a_point_has_two_numbers() -> None:
    """The best single model is one point."""
    with pytest.raises(DataError, match=r"best: expected one point \(cost, quality\), got shape \(3,\)"):
        perf_gain([(1, 0.4)], [(1, 0.4)], best=(4, 0.0, 1))
