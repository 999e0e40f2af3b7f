"""Cascade accounting and AutoMix's incremental benefit per cost."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.errors import ConfigError, DataError
from pointsman.metrics import break_even_escalation, cascade_costs, expected_cascade_cost, ibc, ibc_lift


def test_realised_and_expected_cost_agree() -> None:
    """The mean of what queries cost is the formula at the realised share of escalations."""
    escalated = np.random.default_rng(3).random(1000) < 0.3
    costs = cascade_costs(escalated, np.full(1000, 1.0), np.full(1000, 0.2), np.full(1000, 20.0))
    assert costs.mean() == pytest.approx(
        expected_cascade_cost(escalated.mean(), weak=1.0, verification=0.2, strong=20.0)
    )


def test_a_cascade_breaks_even_where_the_formula_says() -> None:
    """At the break-even share it costs what the strong model costs; below it less, above it more."""
    prices = {"weak": 1.0, "verification": 0.5, "strong": 6.0}
    share = break_even_escalation(**prices)
    assert share == pytest.approx(0.75)
    assert expected_cascade_cost(share, **prices) == pytest.approx(6.0)
    assert expected_cascade_cost(share - 0.1, **prices) < 6.0 < expected_cascade_cost(share + 0.1, **prices)


def test_a_verification_dearer_than_the_strong_model_never_pays() -> None:
    """The break-even share is negative then, and undefined against a free model."""
    assert break_even_escalation(weak=1, verification=6, strong=5) == pytest.approx(-0.4)
    assert break_even_escalation(weak=1, verification=1, strong=0) is None


def test_bad_cascade_input_is_refused_by_name() -> None:
    """A probability is no escalation, and a share is within [0, 1]."""
    with pytest.raises(DataError, match="escalated: expected only 0 and 1"):
        cascade_costs([0.5], [1], [1], [1])
    with pytest.raises(DataError, match="strong has 2"):
        cascade_costs([1], [1], [1], [1, 1])
    with pytest.raises(ConfigError, match=r"escalation: expected a finite number in \[0, 1\], got 1.5"):
        expected_cascade_cost(1.5, weak=1, verification=0, strong=1)


def test_mixing_at_random_has_no_lift() -> None:
    """A point on the line between the two models has exactly the baseline's slope."""
    models = {"small_quality": 0.5, "small_cost": 1.0, "large_quality": 0.9, "large_cost": 51.0}
    assert ibc_lift(0.7, 26.0, **models) == pytest.approx(0.0)
    assert ibc_lift(0.8, 26.0, **models) == pytest.approx(0.5)
    assert ibc_lift(0.6, 26.0, **models) == pytest.approx(-0.5)


def test_undefined_slopes_are_none() -> None:
    """Equal costs have no slope; a large model that is no better gives no baseline."""
    assert ibc(0.7, 1.0, small_quality=0.5, small_cost=1.0) is None
    models = {"small_quality": 0.5, "small_cost": 1.0, "large_cost": 51.0}
    assert ibc_lift(0.7, 1.0, large_quality=0.9, **models) is None
    assert ibc_lift(0.7, 26.0, large_quality=0.5, **models) is None
