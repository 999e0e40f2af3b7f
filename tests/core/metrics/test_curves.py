"""Hulls, areas, AIQ, the Zero router, and the score whose settings are chosen on validation data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from pointsman.errors import ConfigError, DataError
from pointsman.metrics import aiq, area, frontier, frontier_score, hull, zero_router

Floats = NDArray[np.float64]


def protocol_hull(points: Sequence[Sequence[float]]) -> list[int]:
    """The protocol's hull, restated point by point."""
    kept, best = [], -np.inf
    for i in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1])):
        if points[i][1] <= best:
            continue
        best = points[i][1]
        while len(kept) > 1:
            (ax, ay), (bx, by), (cx, cy) = points[kept[-2]], points[kept[-1]], points[i]
            if (by - ay) * (cx - ax) > (cy - ay) * (bx - ax):
                break
            kept.pop()
        kept.append(i)
    return kept


def grid_score(on_val: Floats, on_test: Floats, low: float, high: float) -> float:
    """The protocol's AIQ: the mean of the interpolated test curve on a grid of 2,001 costs."""
    curve = on_test[protocol_hull(on_val)]
    curve = curve[np.argsort(curve[:, 0], kind="stable")]
    grid = np.linspace(low, high, 2001)
    height = np.interp(grid, curve[:, 0], curve[:, 1])
    return ((height[1:] + height[:-1]) / 2).mean()


def sweep(rng: np.random.Generator, settings: int = 160, queries: int = 500) -> tuple[Floats, Floats]:
    """Validation and test points of a plausible sweep: quality rises with cost, with noise between the parts."""
    cost = np.sort(rng.gamma(2, 1, settings))
    true = np.c_[cost, 0.4 + 0.4 * (1 - np.exp(-cost))]
    noise = rng.normal(0, 0.5 / np.sqrt(queries), (2, settings, 2))
    return true + noise[0], true + noise[1]


@pytest.mark.parametrize("seed", range(20))
def test_hull_is_the_protocols_on_continuous_points(seed: int) -> None:
    """On random points the hull keeps exactly the settings that the protocol keeps, in its order."""
    points = np.random.default_rng(seed).normal(size=(60, 2))
    assert hull(points).tolist() == protocol_hull(points)


@pytest.mark.parametrize("seed", range(20))
def test_hull_is_the_protocols_on_a_lattice(seed: int) -> None:
    """So it does where costs tie, qualities tie, points repeat and three lie on a line."""
    points = np.random.default_rng(seed).integers(0, 6, size=(40, 2)).astype(float)
    assert hull(points).tolist() == protocol_hull(points)


def test_hull_drops_what_mixing_two_others_would_beat() -> None:
    """A point below or on the chord of its neighbours is not on the hull, a falling one is not on the frontier."""
    points = [(0, 0.0), (1, 0.4), (2, 0.5), (3, 0.9), (4, 0.8)]
    assert frontier(points).tolist() == [0, 1, 2, 3]
    assert hull(points).tolist() == [0, 1, 3]
    assert hull([(0, 0), (1, 1), (2, 2)]).tolist() == [0, 2]


def test_a_single_point_is_its_own_hull() -> None:
    """One setting is a curve: flat."""
    assert hull([(2, 0.7)]).tolist() == [0]
    assert area([2], [0.7], 0, 9) == pytest.approx(0.7)


@pytest.mark.parametrize("seed", range(30))
def test_frontier_score_is_the_protocols_aiq(seed: int) -> None:
    """On random sweeps the exact integral agrees with the protocol's grid to 1e-4."""
    rng = np.random.default_rng(seed)
    on_val, on_test = sweep(rng)
    low, high = np.sort(rng.uniform(0, 5, 2))
    assert frontier_score(on_val, on_test, low, high) == pytest.approx(grid_score(on_val, on_test, low, high), abs=1e-4)


def test_choosing_the_hull_on_the_scored_data_flatters() -> None:
    """Averaged over sweeps, settings chosen on the test data score higher than settings chosen on validation."""
    gaps = []
    for seed in range(30):
        on_val, on_test = sweep(np.random.default_rng(seed))
        gaps.append(aiq(*on_test.T, 0, 5) - frontier_score(on_val, on_test, 0, 5))
    assert np.mean(gaps) > 0.002


def test_area_is_exact_where_a_grid_is_not() -> None:
    """A spike narrower than any grid step still counts for its own area."""
    cost, quality = [0, 0.5 - 1e-6, 0.5, 0.5 + 1e-6, 1], [0, 0, 1, 0, 0]
    assert area(cost, quality, 0, 1) == pytest.approx(1e-6, rel=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, 0.2), (1, 3, 0.5), (3, 7, 0.8), (0, 4, 0.5), (1.5, 2.5, 0.5), (2, 3, 0.65)],
)
def test_area_over_any_interval(low: float, high: float, expected: float) -> None:
    """Left and right of its ends the line from (1, .2) to (3, .8) is flat; between, it is itself."""
    assert area([3, 1], [0.8, 0.2], low, high) == pytest.approx(expected)


@pytest.mark.parametrize(("low", "high", "expected"), [(0, 1, 0.1), (1, 2, 0.9), (0, 2, 0.5), (0.5, 1.5, 0.5)])
def test_equal_costs_step_up_whatever_their_order(low: float, high: float, expected: float) -> None:
    """At a vertical step the line is at its foot on the left and at its head on the right, in any input order."""
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        cost, quality = np.array([1, 1, 1])[order], np.array([0.1, 0.4, 0.9])[order]
        assert area(cost, quality, low, high) == pytest.approx(expected)


def test_an_empty_interval_has_no_mean_height() -> None:
    """Where the cheapest model is also the best there is nothing to average over: None, not 0 or NaN."""
    assert area([1, 2], [0.1, 0.2], 1, 1) is None
    assert frontier_score([(1, 0.1)], [(1, 0.1)], 2, 2) is None
    assert aiq([1], [0.5], 3, 3) is None


def test_zero_router_is_the_hull_of_the_single_models() -> None:
    """It keeps the models worth mixing, as points in order of cost."""
    rng = np.random.default_rng(0)
    cost, quality = rng.gamma(2, 1, (200, 9)) * np.arange(1, 10), rng.random((200, 9))
    singles = np.c_[cost.mean(0), quality.mean(0)]
    assert zero_router(cost, quality) == pytest.approx(singles[protocol_hull(singles)])


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (DataError, lambda: hull([]), r"settings: expected a non-empty array of shape \(k, 2\)"),
        (DataError, lambda: hull([(1, 2, 3)]), r"settings: expected points of shape \(k, 2\), got \(1, 3\)"),
        (DataError, lambda: hull([(1, np.nan)]), r"settings: expected finite numbers, got nan at index \(0, 1\)"),
        (DataError, lambda: area([1, 2], [1], 0, 1), "cost has 2, quality has 1"),
        (DataError, lambda: area([1, None], [1, 1], 0, 1), "cost: expected finite numbers"),
        (ConfigError, lambda: area([1], [1], 2, 1), "expected low <= high, got 2 and 1"),
        (ConfigError, lambda: area([1], [1], 0, np.inf), "high: expected a finite number"),
        (DataError, lambda: frontier_score([(0, 1)], [(0, 1), (1, 1)], 0, 1), "on_val has 1, on_test has 2"),
        (DataError, lambda: zero_router([[1, 2]], [[1], [2]]), r"cost has \(1, 2\), quality has \(2, 1\)"),
        (DataError, lambda: area(["dear"], [1], 0, 1), "cost: expected numbers"),
    ],
)
def test_bad_input_is_refused_by_name(error: type[Exception], call: Callable[[], object], message: str) -> None:
    """The message names the argument and what was wrong with it."""
    with pytest.raises(error, match=message):
        call()
