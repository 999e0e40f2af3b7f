"""Deferral curves: their area over relative cost, and the cost at which a router is as good as the best single model.

Names as in UniRoute (Jitkrittum et al., 2502.08773). R2-Router's release scales each curve by its own cheapest and
dearest setting, so that a curve sets its own ruler; here the ruler is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import ConfigError
from pointsman.metrics.arrays import Floats, aligned, number, vector
from pointsman.metrics.curves import area
from pointsman.metrics.operating_point import cheapest_setting
from pointsman.metrics.pgr import call_share_curve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["audc", "deferral_curve", "nauc", "qnc"]


def audc(cost: ArrayLike, quality: ArrayLike, dearest: float) -> float:
    """Return the area under the deferral curve, cost counted in units of the dearest model's.

    (1/C_dearest) ∫ Q(c) dc from the curve's own cheapest setting to C_dearest: costs at which no setting runs earn
    nothing, and right of the last setting the curve is flat.

    Args:
        cost: (k,) mean cost of each setting, >= 0.
        quality: (k,) mean quality of each setting.
        dearest: Mean cost of the dearest single model, > 0.

    Returns:
        The area; 0 if even the cheapest setting costs as much as the dearest model.

    Raises:
        DataError: Lengths differ, or a cost is missing or negative.
        ConfigError: `dearest` is not positive.

    >>> audc([0, 1], [0.5, 1.0], dearest=2)
    0.875
    """
    x = vector("cost", cost, low=0)
    if number("dearest", dearest, low=0) == 0:
        raise ConfigError("dearest: expected a positive cost, got 0: nothing can be measured in units of it")
    cheapest = float(x.min())
    end = max(cheapest, dearest)
    height = area(x, quality, cheapest, end) or 0.0  # None where the interval is empty
    return height * (end - cheapest) / dearest


def nauc(cost: ArrayLike, quality: ArrayLike, low: float, high: float) -> float | None:
    """Return the area under the deferral curve with cost rescaled so that [low, high] becomes [0, 1].

    ∫ Q(low + x (high - low)) dx over x in [0, 1]: the curve itself, not its hull; see `aiq` for that.

    Args:
        cost: (k,) mean cost of each setting.
        quality: (k,) mean quality of each setting.
        low: Mean cost of the cheapest single model.
        high: Mean cost of the dearest single model.

    Returns:
        The area; None if low == high.

    Raises:
        ConfigError: As for `area`.

    >>> nauc([1, 3], [0.5, 1.0], low=1, high=3)
    0.75
    """
    return area(cost, quality, low, high)


def qnc(cost: ArrayLike, quality: ArrayLike, best_cost: float, best_quality: float) -> float | None:
    """Return the quality-neutral cost: the relative cost of being as good as the best single model.

    min {C(θ) : Q(θ) >= Q_best} / C_best over the settings as they are, without mixing two of them.

    Args:
        cost: (k,) mean cost of each setting.
        quality: (k,) mean quality of each setting.
        best_cost: Mean cost of the best single model.
        best_quality: Its mean quality.

    Returns:
        The ratio, below 1 where routing saves; None if no setting is that good (report "not reached", do not drop
        it), or if the best model costs nothing.

    Raises:
        DataError: Lengths differ, or a number is missing.

    >>> qnc([1, 2, 3], [0.5, 0.8, 0.9], best_cost=4, best_quality=0.8)
    0.5
    """
    x, y = vector("cost", cost), vector("quality", quality)
    aligned(cost=x, quality=y)
    reference = number("best_cost", best_cost, low=0)
    chosen = cheapest_setting(np.column_stack([x, y]), best_quality)
    return None if chosen is None or reference == 0 else float(x[chosen] / reference)


def deferral_curve(confidence: ArrayLike, weak: ArrayLike, strong: ArrayLike) -> Floats:
    """Return the quality reached at every share of queries deferred, the least confident first.

    Args:
        confidence: (n,) confidence in the weak model's answer; only its order matters, ties are mixed at random.
        weak: (n,) the weak model's quality.
        strong: (n,) the strong model's quality.

    Returns:
        (b + 1, 2) points (share deferred, quality), as `call_share_curve`.

    Raises:
        DataError: Lengths differ, an array is empty, or a number is missing.

    >>> deferral_curve([0.9, 0.2], weak=[1, 0], strong=[1, 1]).tolist()
    [[0.0, 0.5], [0.5, 1.0], [1.0, 1.0]]
    """
    return call_share_curve(-vector("confidence", confidence), weak, strong)
