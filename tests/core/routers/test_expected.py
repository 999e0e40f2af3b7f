"""What a router expected of its models is a mapping like any other."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from pointsman.routers.expected import Expected
from pointsman.types import ModelEstimate

TOLD = {
    "a": ModelEstimate(quality=0.5, cost_usd=0.01, latency_s=2.0, score=0.4),
    "b": ModelEstimate(quality=1.0, cost_usd=None, latency_s=3.0, score=1.1),
    "c": ModelEstimate(quality=0.0, cost_usd=0.02, latency_s=None, score=None),
}


def made() -> Expected:
    """Return the same as columns, c without a score that counts."""
    columns = ([0.5, 1.2, -0.1], [0.01, np.nan, 0.02], [2.0, 3.0, np.nan], [0.4, 1.1, 0.9])
    return Expected(("a", "b", "c"), *map(np.array, columns), unscored={"c"})


def test_it_is_the_mapping_of_its_estimates() -> None:
    """It equals a dict, either way round, is told as one, and survives pickling."""
    plain = dict(made())
    assert made() == TOLD == plain == pickle.loads(pickle.dumps(made()))  # noqa: S301 - our own
    assert plain == made()
    assert repr(made()) == repr(TOLD)
    assert len(made()) == 3
    assert made() != {**TOLD, "a": TOLD["b"]}


def test_a_model_that_is_not_there() -> None:
    """An unknown name is missing, as from a dict."""
    assert "ghost" not in made()
    assert made().get("ghost") is None
    with pytest.raises(KeyError, match="ghost"):
        made()["ghost"]


def test_it_keeps_what_was_expected_then() -> None:
    """What becomes of the arrays later, does not change it."""
    quality, cost = np.array([0.5]), np.array([0.1])
    told = Expected(("a",), quality, cost)
    quality[0] = cost[0] = 0.0
    assert told["a"] == ModelEstimate(quality=0.5, cost_usd=0.1, latency_s=None, score=None)
