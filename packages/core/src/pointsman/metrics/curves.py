"""Quality-cost curves: the hull of a router's settings, and the mean height of the curve over a stated interval.

There are at least three figures called AIQ. RouterBench's paper (Hu et al., 2403.12031) divides the area under the
non-decreasing hull by the width of a common cost interval; its code divides by the largest cost among the routers
compared and starts at each router's own cheapest point, so that a figure depends on its company; and taking the hull on
the data that are scored flatters every router. Here the interval is always an argument, `aiq` is the paper's form
on it, and `frontier_score` is the form that chooses settings on other data than it scores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import ConfigError
from pointsman.metrics.arrays import Floats, Indices, aligned, number, points, vector
from pointsman.metrics.points import model_points

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["aiq", "area", "frontier", "frontier_score", "hull", "zero_router"]


def frontier(settings: ArrayLike) -> Indices:
    """Return the indices of the settings that beat every cheaper one: the Pareto frontier, in order of cost.

    Args:
        settings: (k, 2) points (cost, quality). Of equal costs only the best quality can stay, of equal points
            the first.

    >>> frontier([(3, 0.5), (1, 0.2), (2, 0.6)]).tolist()
    [1, 2]
    """
    cost, quality = points("settings", settings).T
    order = np.lexsort((-quality, cost))
    best_before = np.maximum.accumulate(np.r_[-np.inf, quality[order]])[:-1]
    beats_cheaper: Indices = order[quality[order] > best_before]
    return beats_cheaper


def hull(settings: ArrayLike) -> Indices:
    """Return the indices of the settings on the non-decreasing upper concave hull, in order of cost.

    A point below the line between two others is worth less than mixing those two at random, so it goes; so does a
    point on that line.

    Args:
        settings: (k, 2) points (cost, quality).

    Returns:
        (h,) indices, 1 <= h <= k; cost and quality both strictly rise along them.

    Raises:
        DataError: No points, a wrong shape, or a missing number.

    >>> hull([(1, 0.2), (2, 0.3), (3, 0.6), (4, 0.5)]).tolist()
    [0, 2]
    """
    at = points("settings", settings)
    kept: list[int] = []
    for index in frontier(at):
        while len(kept) > 1 and not _above_chord(at[kept[-2]], at[kept[-1]], at[index]):
            kept.pop()
        kept.append(int(index))
    return np.array(kept, dtype=np.intp)


def area(cost: ArrayLike, quality: ArrayLike, low: float, high: float) -> float | None:
    """Return the mean height over [low, high] of the line through the points, flat outside its ends.

    1/(high - low) ∫ Q(c) dc, integrated exactly. The points are joined in order of cost; at equal costs the line
    steps up, so that their order in the input does not matter.

    Flat on the left credits a router with its cheapest setting's quality at costs it cannot run at: let a setting
    at `low`, such as the cheapest single model, be among the points.

    Args:
        cost: (k,) costs.
        quality: (k,) qualities.
        low: Where the interval begins.
        high: Where it ends.

    Returns:
        The mean height; None if low == high, where there is nothing to average over.

    Raises:
        DataError: Lengths differ, or a number is missing.
        ConfigError: low > high.

    >>> area([0, 1], [0.0, 1.0], low=0, high=2)
    0.75
    """
    x, y = vector("cost", cost), vector("quality", quality)
    aligned(cost=x, quality=y)
    low, high = number("low", low), number("high", high)
    if low > high:
        raise ConfigError(f"low and high: expected low <= high, got {low:g} and {high:g}")
    if low == high:
        return None
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    inside = (x >= low) & (x <= high)
    ends = np.interp([low, high], x, y)
    knots, heights = np.r_[low, x[inside], high], np.r_[ends[0], y[inside], ends[1]]
    return float(np.diff(knots) @ (heights[1:] + heights[:-1]) / 2 / (high - low))


def aiq(cost: ArrayLike, quality: ArrayLike, low: float, high: float) -> float | None:
    """Return AIQ in the form of RouterBench's paper, on an explicit interval.

    1/(high - low) ∫ R(c) dc with R the non-decreasing concave hull of the points. The hull is chosen on the very
    points that are scored; `frontier_score` is not flattered that way.

    Args:
        cost: (k,) mean cost of each setting.
        quality: (k,) mean quality of each setting.
        low: Where the interval begins, such as the cheapest model's mean cost.
        high: Where it ends, such as the best single model's mean cost.

    Returns:
        The mean height of the hull; None if low == high.

    Raises:
        ConfigError: As for `area`.

    >>> aiq([0, 1, 2], [0.0, 0.1, 1.0], low=0, high=2)
    0.5
    """
    x, y = vector("cost", cost), vector("quality", quality)
    aligned(cost=x, quality=y)
    kept = hull(np.column_stack([x, y]))
    return area(x[kept], y[kept], low, high)


def zero_router(cost: ArrayLike, quality: ArrayLike) -> Floats:
    """Return the curve of the Zero router: the best that mixing single models at random can do.

    It knows nothing about the query, so a router that does not beat its area has learnt nothing (RouterBench,
    Hu et al., 2403.12031).

    Args:
        cost: (n, m) cost per query and model.
        quality: (n, m) quality per query and model.

    Returns:
        (h, 2) points (cost, quality) on the hull of the single models, in order of cost.

    >>> zero_router([[1, 2, 3]], [[0.2, 0.1, 0.6]]).tolist()
    [[1.0, 0.2], [3.0, 0.6]]
    """
    singles = model_points(cost, quality)
    return singles[hull(singles)]


def frontier_score(on_val: ArrayLike, on_test: ArrayLike, low: float, high: float) -> float | None:
    """Return the mean height of the test curve through the settings that the validation data would keep.

    The settings on the hull of their validation points are kept; their test points, joined in order of cost,
    are the curve; its mean height over [low, high] is the score. A setting that only looks good on the test data is
    of no use here, and one that only looked good on validation costs height.

    Args:
        on_val: (k, 2) validation points (cost, quality), one a setting.
        on_test: (k, 2) test points of the same settings, in the same order.
        low: Where the interval begins: the mean test cost of the cheapest model.
        high: Where it ends: the mean test cost of the best single model.

    Returns:
        The score, in units of quality; None if low == high.

    Raises:
        DataError: The two arrays do not describe as many settings, or a number is missing.
        ConfigError: low > high.

    >>> frontier_score([(0, 0.2), (1, 0.3), (2, 0.9)], [(0, 0.1), (1, 0.9), (2, 0.5)], low=0, high=2)
    0.3
    """
    val, test = points("on_val", on_val), points("on_test", on_test)
    aligned(on_val=val, on_test=test)
    kept = test[hull(val)]
    return area(kept[:, 0], kept[:, 1], low, high)


def _above_chord(left: Floats, middle: Floats, right: Floats) -> bool:
    """Return whether `middle` lies strictly above the line from `left` to `right`."""
    return bool((middle[1] - left[1]) * (right[0] - left[0]) > (right[1] - left[1]) * (middle[0] - left[0]))
