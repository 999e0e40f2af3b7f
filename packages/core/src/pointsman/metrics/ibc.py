"""Incremental benefit per cost of escalating from a small model (AutoMix, Aggarwal et al., 2310.12963)."""

from __future__ import annotations

from pointsman.metrics.arrays import number

__all__ = ["ibc", "ibc_lift"]


def ibc(quality: float, cost: float, small_quality: float, small_cost: float) -> float | None:
    """Return the quality gained over the small model per unit of extra cost: (P - P_S) / (C - C_S).

    Args:
        quality: P, mean quality of the cascade (or of the large model, for the baseline).
        cost: C, its mean cost, the small model's call and the verification included.
        small_quality: P_S, mean quality of the small model alone.
        small_cost: C_S, its mean cost.

    Returns:
        The slope; None if the costs are equal.

    Raises:
        ConfigError: A number is missing.

    >>> ibc(0.75, 9.0, small_quality=0.5, small_cost=1.0)
    0.03125
    """
    extra = number("cost", cost) - number("small_cost", small_cost)
    gained = number("quality", quality) - number("small_quality", small_quality)
    return None if extra == 0 else gained / extra


def ibc_lift(
    quality: float,
    cost: float,
    *,
    small_quality: float,
    small_cost: float,
    large_quality: float,
    large_cost: float,
) -> float | None:
    """Return by how much the cascade's slope beats that of always calling the large model: (IBC - base) / base.

    base = (P_L - P_S) / (C_L - C_S). Above 0, the cascade buys more quality for its money than mixing the two models at
    random does.

    Args:
        quality: Mean quality of the cascade.
        cost: Its mean cost, the small model's call and the verification included.
        small_quality: Mean quality of the small model alone.
        small_cost: Its mean cost.
        large_quality: Mean quality of the large model alone.
        large_cost: Its mean cost.

    Returns:
        The lift (1.0 = twice the slope); None if a slope is undefined or the large model is no better.

    Raises:
        ConfigError: A number is missing.

    >>> ibc_lift(0.75, 5.0, small_quality=0.5, small_cost=1.0, large_quality=1.0, large_cost=17.0)
    1.0
    """
    slope = ibc(quality, cost, small_quality, small_cost)
    base = ibc(large_quality, large_cost, small_quality, small_cost)
    return None if slope is None or base is None or base <= 0 else (slope - base) / base
