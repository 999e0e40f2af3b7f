"""Which setting of a sweep to run, and what it then gains: chosen on one part of the data, measured on another.

PerfGain and CostSave are LLMRouterBench's figures (Li et al., 2601.07206), which picks the setting after seeing its
score. Here the choice takes validation points and the measure takes test points; give the same points twice to get the
published form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.metrics.arrays import Floats, aligned, number, point, points

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["cheapest_setting", "cost_save", "peak_setting", "perf_gain"]


def peak_setting(settings: ArrayLike) -> int:
    """Return the index of the setting with the highest quality; ties go to the cheapest, then to the first.

    Args:
        settings: (k, 2) points (cost, quality).

    >>> peak_setting([(3, 0.8), (2, 0.8), (1, 0.5)])
    1
    """
    cost, quality = points("settings", settings).T
    return int(np.lexsort((cost, -quality))[0])


def cheapest_setting(settings: ArrayLike, target: float) -> int | None:
    """Return the index of the cheapest setting whose quality is at least `target`, or None if none reaches it.

    Ties go to the better quality, then to the first.

    >>> cheapest_setting([(3, 0.9), (2, 0.8), (1, 0.5)], target=0.7)
    1
    >>> cheapest_setting([(3, 0.9)], target=0.95) is None
    True
    """
    at, target = points("settings", settings), number("target", target)
    enough = np.flatnonzero(at[:, 1] >= target)
    if enough.size == 0:
        return None
    return int(enough[np.lexsort((-at[enough, 1], at[enough, 0]))[0]])


def perf_gain(on_val: ArrayLike, on_test: ArrayLike, best: ArrayLike) -> float | None:
    """Return the relative quality gain over the best single model at the setting best on validation.

    Q(θ*) / Q_best - 1 on test, with θ* = argmax Q on validation.

    Args:
        on_val: (k, 2) validation points (cost, quality) of the settings.
        on_test: (k, 2) test points of the same settings.
        best: (2,) test point of the best single model, itself chosen on training data.

    Returns:
        The gain (.05 = 5 % better); None if the best model's quality is 0.

    Raises:
        DataError: The settings differ in number, or a number is missing.

    >>> perf_gain([(1, 0.5), (2, 0.9)], [(1, 0.8), (2, 0.75)], best=(3, 0.5))
    0.5
    """
    test, single = _test_points(on_val, on_test, best)
    if single[1] == 0:
        return None
    return float(test[peak_setting(on_val), 1] / single[1] - 1)


def cost_save(on_val: ArrayLike, on_test: ArrayLike, best_on_val: ArrayLike, best: ArrayLike) -> float | None:
    """Return the share of the best single model's cost that is saved at its quality.

    1 - C(θ*) / C_best on test, with θ* the cheapest setting whose validation quality reaches the best single model's.
    The quality reached on test may slip below it: report it beside this figure.

    Args:
        on_val: (k, 2) validation points (cost, quality) of the settings.
        on_test: (k, 2) test points of the same settings.
        best_on_val: (2,) validation point of the best single model.
        best: (2,) test point of the best single model.

    Returns:
        The saving (negative if dearer); None if no setting reaches the quality, or the best model costs nothing.

    Raises:
        DataError: The settings differ in number, or a number is missing.

    >>> cost_save([(1, 0.5), (2, 0.9)], [(1, 0.5), (2, 0.8)], best_on_val=(4, 0.8), best=(4, 0.8))
    0.5
    """
    test, single = _test_points(on_val, on_test, best)
    chosen = cheapest_setting(on_val, float(point("best_on_val", best_on_val)[1]))
    if chosen is None or single[0] == 0:
        return None
    return float(1 - test[chosen, 0] / single[0])


def _test_points(on_val: ArrayLike, on_test: ArrayLike, best: ArrayLike) -> tuple[Floats, Floats]:
    test = points("on_test", on_test)
    aligned(on_val=points("on_val", on_val), on_test=test)
    return test, point("best", best)
