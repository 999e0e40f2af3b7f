"""Regret to the oracle: what perfect choices would have added, and which part of that a router captured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import ConfigError
from pointsman.metrics.arrays import Floats, aligned, choices, matrix, number, same_shape, vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["RegretParts", "captured_headroom", "cumulative_regret", "regret", "regret_parts", "utility"]

# Means that differ by less are equal but for rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class RegretParts:
    """Mean regret to the oracle, split at the best single model; `total == headroom + shortfall`.

    Attributes:
        total: The oracle's mean utility minus the router's, >= 0.
        headroom: The oracle's minus the best single model's, >= 0: what routing could win at most.
        shortfall: The best single model's minus the router's: negative where routing helped.
    """

    total: float
    headroom: float
    shortfall: float


def utility(quality: ArrayLike, cost: ArrayLike, price: float) -> Floats:
    """Return u = q - λ c, what an answer is worth after its cost.

    Args:
        quality: (n, m) quality per query and model.
        cost: (n, m) cost per query and model.
        price: λ >= 0, quality given up for one unit of cost.

    Raises:
        DataError: Shapes differ, or a number is missing.

    >>> utility([[0.5, 1.0]], [[1, 4]], price=0.125).tolist()
    [[0.375, 0.5]]
    """
    table, costs = matrix("quality", quality), matrix("cost", cost)
    same_shape(quality=table, cost=costs)
    return table - number("price", price, low=0) * costs


def regret(picks: ArrayLike, utilities: ArrayLike) -> Floats:
    """Return each query's regret: max_m u_m(x) - u_g(x)(x). Its mean is R.

    Args:
        picks: (n,) index of the model chosen for each query.
        utilities: (n, m) utility per query and model; plain quality is the case λ = 0.

    Returns:
        (n,) regrets, >= 0; take an interval over them rather than their mean alone.

    Raises:
        DataError: Lengths differ, an index names no model, or a number is missing.

    >>> regret([0, 0], [[1.0, 0.5], [0.25, 1.0]]).tolist()
    [0.0, 0.75]
    """
    table, reached = _reached(picks, utilities)
    oracle: Floats = table.max(axis=1)
    return oracle - reached


def regret_parts(picks: ArrayLike, utilities: ArrayLike, best: int) -> RegretParts:
    """Return the mean regret, split into what no single model can reach and what the router lost to the best one.

    Args:
        picks: (n,) index of the model chosen for each query.
        utilities: (n, m) utility per query and model.
        best: Index of the best single model, chosen on training data.

    Raises:
        DataError: Lengths differ, an index names no model, or a number is missing.

    >>> regret_parts([0, 1], [[1.0, 0.5], [0.0, 0.5]], best=1)
    RegretParts(total=0.0, headroom=0.25, shortfall=-0.25)
    """
    table, reached = _reached(picks, utilities)
    single = table[:, choices("best", [best], table.shape[1])[0]]
    oracle = table.max(axis=1)
    return RegretParts(
        total=float((oracle - reached).mean()),
        headroom=float((oracle - single).mean()),
        shortfall=float((single - reached).mean()),
    )


def captured_headroom(quality: float, best: float, oracle: float) -> float | None:
    """Return the share of the way from the best single model to the oracle: (Q - Q_best) / (Q_oracle - Q_best).

    Returns:
        The share: negative where routing harms; above 1 only for routers that combine answers, which may surpass the
        best single answer. None if the oracle is no better than the best single model.

    Raises:
        ConfigError: A number is missing, or `oracle` is below `best`.

    >>> captured_headroom(0.75, best=0.5, oracle=1.0)
    0.5
    """
    headroom = number("oracle", oracle) - number("best", best)
    if headroom < -_ROUNDING:
        raise ConfigError(f"oracle: expected at least the best single model's {best:g}, got {oracle:g}")
    return None if headroom <= _ROUNDING else (number("quality", quality) - best) / headroom


def cumulative_regret(reward: ArrayLike, reference: ArrayLike) -> Floats:
    """Return the regret accumulated up to each round against a reference policy.

    Σ_{s <= t} (reference_s - reward_s). Compare an online router with the best fixed policy of its class as well as
    with the oracle: sublinear growth is possible only against the former.

    Args:
        reward: (t,) reward received in each round.
        reference: (t,) reward the reference would have received.

    Raises:
        DataError: Lengths differ, or a number is missing.

    >>> cumulative_regret([0, 1, 1], [1, 1, 1]).tolist()
    [1.0, 1.0, 1.0]
    """
    received, possible = vector("reward", reward), vector("reference", reference)
    aligned(reward=received, reference=possible)
    return np.cumsum(possible - received)


def _reached(picks: ArrayLike, utilities: ArrayLike) -> tuple[Floats, Floats]:
    table = matrix("utilities", utilities)
    chosen = choices("picks", picks, table.shape[1])
    aligned(picks=chosen, utilities=table)
    return table, table[np.arange(len(table)), chosen]
