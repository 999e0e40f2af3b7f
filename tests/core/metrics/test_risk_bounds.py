"""Risk control: bounds that hold over many calibration sets, and are as tight as their form allows."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.errors import DataError
from pointsman.metrics import (
    conformal_bounds,
    rows_for_certainty,
    rows_for_expectation,
    settings_in_expectation,
    settings_with_certainty,
    tail_probabilities,
)

RATES = np.linspace(0, 0.3, 31)


def drawn(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Return losses of 0 or 1 that grow from setting to setting, with these rates in truth."""
    losses: np.ndarray = (rng.random((rows, 1)) < RATES).astype(float)
    return losses


def test_the_expected_loss_is_kept_on_average() -> None:
    """Over calibration sets the true rate of the setting chosen is at most epsilon, and not far below."""
    rng = np.random.default_rng(0)
    chosen = [settings_in_expectation(drawn(rng, 100), 0.1) - 1 for _ in range(400)]
    mean = float(RATES[chosen].mean())
    assert 0.07 < mean <= 0.1 + 0.005


def test_the_loss_is_seldom_exceeded() -> None:
    """With certainty asked for, the true rate is above epsilon in at most a share delta of the sets."""
    rng = np.random.default_rng(1)
    chosen = [settings_with_certainty(drawn(rng, 200), 0.1, 0.2) - 1 for _ in range(500)]
    above = float((RATES[chosen] > 0.1).mean())
    assert 0.02 < above <= 0.2 + 0.05


def test_losses_between_0_and_1_are_bounded_too() -> None:
    """Graded losses are tested by a bound that holds for them as well."""
    rng = np.random.default_rng(2)
    made = 0
    for _ in range(300):
        losses = rng.beta(0.5, 4.5, size=(150, 1))  # of mean .1
        made += settings_with_certainty(np.hstack([losses * 0.1, losses]), 0.099, 0.1) == 2
    assert made / 300 <= 0.1


def test_losses_that_fall_again_do_not_help() -> None:
    """A setting after a worse one is bounded by the worse one, row by row."""
    losses = np.array([[0, 1, 0]] * 10 + [[0, 0, 0]] * 89)
    assert conformal_bounds(losses).tolist() == [0.01, 0.11, 0.11]
    assert settings_in_expectation(losses, 0.05) == 1


@pytest.mark.parametrize("epsilon", [0.01, 0.05, 0.3])
def test_fewer_rows_prove_nothing(epsilon: float) -> None:
    """One row less than is said to be needed never suffices, that number does when nothing is lost."""
    least = rows_for_expectation(epsilon)
    assert settings_in_expectation(np.zeros((least, 1)), epsilon) == 1
    assert least == 1 or settings_in_expectation(np.zeros((least - 1, 1)), epsilon) == 0
    sure = rows_for_certainty(epsilon, 0.1)
    assert settings_with_certainty(np.zeros((sure, 1)), epsilon, 0.1) == 1
    assert settings_with_certainty(np.zeros((sure - 1, 1)), epsilon, 0.1) == 0


def test_tails_are_probabilities() -> None:
    """They are in [0, 1], rise with the loss, and are exact for right and wrong."""
    found = tail_probabilities([[0, 1, 0.5]] * 3, 0.5)
    assert found[0] == pytest.approx(0.125)
    assert found[1] == pytest.approx(1.0)
    assert 0 <= found[2] <= 1


@pytest.mark.parametrize("losses", [[0.1, 0.2], [[1.5]], [[np.nan]], np.zeros((0, 2))])
def test_tables_are_checked(losses: object) -> None:
    """What is no table of losses in [0, 1] is refused."""
    with pytest.raises(DataError, match="losses"):
        settings_in_expectation(losses, 0.1)  # type: ignore[arg-type]
