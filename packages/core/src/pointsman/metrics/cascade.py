"""Cascade accounting: every stage that ran is paid for, so a cascade saves only if it escalates seldom enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import DataError
from pointsman.metrics.arrays import Floats, aligned, number, vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["break_even_escalation", "cascade_costs", "expected_cascade_cost"]


def cascade_costs(escalated: ArrayLike, weak: ArrayLike, verification: ArrayLike, strong: ArrayLike) -> Floats:
    """Return what each query cost: the weak call and its verification always, the strong call where it escalated.

    Args:
        escalated: (n,) 1 (or True) where the strong model was called, else 0.
        weak: (n,) cost of the weak model's answer.
        verification: (n,) cost of checking it.
        strong: (n,) cost of the strong model's answer.

    Returns:
        (n,) costs.

    Raises:
        DataError: Lengths differ, a number is missing or negative, or `escalated` is neither 0 nor 1.

    >>> cascade_costs([0, 1], weak=[1, 1], verification=[0.5, 0.5], strong=[10, 10]).tolist()
    [1.5, 11.5]
    """
    called = vector("escalated", escalated)
    if not np.isin(called, (0, 1)).all():
        raise DataError("escalated: expected only 0 and 1")
    parts = {"weak": weak, "verification": verification, "strong": strong}
    paid = {name: vector(name, values, low=0) for name, values in parts.items()}
    aligned(escalated=called, **paid)
    return paid["weak"] + paid["verification"] + called * paid["strong"]


def expected_cascade_cost(escalation: float, *, weak: float, verification: float, strong: float) -> float:
    """Return the mean cost of a two-stage cascade: E[C] = c_S + c_ver + p_esc c_L.

    Args:
        escalation: p_esc, the share of queries that reach the strong model, in [0, 1].
        weak: c_S, mean cost of the weak model's answer.
        verification: c_ver, mean cost of checking it.
        strong: c_L, mean cost of the strong model's answer over the queries that reach it.

    Raises:
        ConfigError: A number is missing, a cost is negative, or the share is outside [0, 1].

    >>> expected_cascade_cost(0.25, weak=1, verification=0.5, strong=10)
    4.0
    """
    share = number("escalation", escalation, low=0, high=1)
    first = number("weak", weak, low=0) + number("verification", verification, low=0)
    return first + share * number("strong", strong, low=0)


def break_even_escalation(*, weak: float, verification: float, strong: float) -> float | None:
    """Return the share of escalations below which a cascade is cheaper than always calling the strong model.

    p_esc < 1 - (c_S + c_ver) / c_L.

    Args:
        weak: c_S, mean cost of the weak model's answer.
        verification: c_ver, mean cost of checking it.
        strong: c_L, mean cost of the strong model's answer.

    Returns:
        The share, negative if the cascade can never be cheaper; None if the strong model costs nothing.

    Raises:
        ConfigError: A number is missing or negative.

    >>> break_even_escalation(weak=1, verification=1.5, strong=10)
    0.75
    """
    first = number("weak", weak, low=0) + number("verification", verification, low=0)
    return None if number("strong", strong, low=0) == 0 else 1 - first / strong
