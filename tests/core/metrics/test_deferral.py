"""AUDC, nAUC and QNC on curves whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.errors import ConfigError, DataError
from pointsman.metrics import audc, deferral_curve, nauc, qnc


def test_audc_earns_nothing_left_of_the_cheapest_setting() -> None:
    """A router that cannot run below half the dearest cost keeps at most half of the axis."""
    assert audc([5, 10], [1.0, 1.0], dearest=10) == pytest.approx(0.5)
    assert audc([0, 10], [1.0, 1.0], dearest=10) == pytest.approx(1.0)


def test_audc_stops_at_the_dearest_model() -> None:
    """Settings dearer than the dearest model add nothing; if all are, the area is 0."""
    assert audc([0, 10, 20], [0.0, 1.0, 9.0], dearest=10) == pytest.approx(0.5)
    assert audc([10, 20], [1.0, 1.0], dearest=10) == 0.0
    assert audc([12, 20], [1.0, 1.0], dearest=10) == 0.0


def test_audc_does_not_depend_on_the_unit_of_cost() -> None:
    """Dollars or cents: the axis is relative."""
    cost, quality = np.array([1.0, 2.0, 5.0]), [0.2, 0.6, 0.7]
    assert audc(cost, quality, 8) == pytest.approx(audc(100 * cost, quality, 800))
    assert nauc(cost, quality, 1, 8) == pytest.approx(nauc(100 * cost, quality, 100, 800))


def test_nauc_is_the_curve_itself_not_its_hull() -> None:
    """A dip in the curve lowers it."""
    assert nauc([0, 1, 2], [0.5, 0.0, 1.0], 0, 2) == pytest.approx(0.375)
    assert nauc([0, 1], [0.5, 1.0], 2, 2) is None


def test_qnc_takes_the_cheapest_setting_that_is_good_enough() -> None:
    """Not the cheapest setting, and not a mixture of two."""
    assert qnc([1, 4, 2], [0.4, 0.9, 0.7], best_cost=8, best_quality=0.7) == pytest.approx(0.25)
    assert qnc([9], [0.7], best_cost=6, best_quality=0.7) == pytest.approx(1.5)


def test_qnc_not_reached_is_none() -> None:
    """A router that never gets there has no quality-neutral cost; neither has one compared with a free model."""
    assert qnc([1, 2], [0.4, 0.5], best_cost=8, best_quality=0.7) is None
    assert qnc([1], [0.9], best_cost=0, best_quality=0.7) is None


def test_deferral_starts_with_the_least_confident() -> None:
    """The curve over the share deferred rises fastest when low confidence means a wrong answer."""
    weak, strong = [1, 0, 1, 0], [1, 1, 1, 1]
    good, bad = deferral_curve([0.9, 0.1, 0.8, 0.2], weak, strong), deferral_curve([0.1, 0.9, 0.2, 0.8], weak, strong)
    assert good[:, 1].tolist() == [0.5, 0.75, 1.0, 1.0, 1.0]
    assert bad[:, 1].tolist() == [0.5, 0.5, 0.5, 0.75, 1.0]


def test_bad_input_is_refused_by_name() -> None:
    """A free dearest model measures nothing; a negative cost is no cost."""
    with pytest.raises(ConfigError, match="dearest: expected a positive cost"):
        audc([0], [1], dearest=0)
    with pytest.raises(DataError, match=r"cost: expected numbers in \[0, inf\], got -1"):
        audc([-1], [1], dearest=1)
    with pytest.raises(DataError, match="cost has 1, quality has 2"):
        audc([20], [1, 1], dearest=10)
