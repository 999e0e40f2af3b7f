"""Collapse: does a router still choose, or does it send everything to one model, most often the dearest?

Report these at each budget, not once: a router may choose well when money is short and collapse when it is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import DataError
from pointsman.metrics.arrays import Floats, aligned, choices, count, matrix, vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["choice_entropy", "choice_shares", "dearest_share", "needless_strong_rate"]


def choice_shares(picks: ArrayLike, models: int) -> Floats:
    """Return the share of queries that each model got.

    Args:
        picks: (n,) index of the model chosen for each query.
        models: How many models could be chosen.

    Returns:
        (models,) shares that sum to 1.

    Raises:
        DataError: An index names no model.

    >>> choice_shares([0, 0, 2, 0], models=3).tolist()
    [0.75, 0.0, 0.25]
    """
    chosen = choices("picks", picks, count("models", models, low=1))
    return np.bincount(chosen, minlength=models) / len(chosen)


def choice_entropy(picks: ArrayLike, models: int) -> float:
    """Return the entropy in bits of the choices made: -Σ_m s_m log2 s_m over the shares s.

    0 where one model got every query, log2(models) where all got as many.

    Args:
        picks: (n,) index of the model chosen for each query.
        models: How many models could be chosen.

    >>> choice_entropy([0, 1, 0, 1], models=4)
    1.0
    """
    shares = choice_shares(picks, models)
    used = shares[shares > 0]
    return float(-(used * np.log2(used)).sum()) + 0.0


def dearest_share(picks: ArrayLike, model_cost: ArrayLike) -> float | None:
    """Return the share of queries sent to the dearest model, or to any of several equally dear ones.

    Args:
        picks: (n,) index of the model chosen for each query.
        model_cost: (m,) what each model costs on average.

    Returns:
        The share; None if all models cost the same.

    Raises:
        DataError: An index names no model, or a cost is missing.

    >>> dearest_share([0, 1, 1, 1], model_cost=[1, 8])
    0.75
    """
    cost = vector("model_cost", model_cost)
    dearest = cost == cost.max()
    return None if dearest.all() else float(choice_shares(picks, len(cost))[dearest].sum())


def needless_strong_rate(picks: ArrayLike, quality: ArrayLike, model_cost: ArrayLike) -> float | None:
    """Return how often the dearest model was called although a cheaper one was as good.

    P(chose the dearest | some cheaper model's quality >= the dearest's).

    Args:
        picks: (n,) index of the model chosen for each query.
        quality: (n, m) quality per query and model.
        model_cost: (m,) what each model costs on average.

    Returns:
        The rate; None if a cheaper model was never as good, or all models cost the same.

    Raises:
        DataError: Shapes differ, an index names no model, or a number is missing.

    >>> needless_strong_rate([1, 1, 0], quality=[[1, 1], [0, 1], [1, 0]], model_cost=[1, 8])
    0.5
    """
    table, cost = matrix("quality", quality), vector("model_cost", model_cost)
    if table.shape[1] != len(cost):
        raise DataError(f"model_cost: expected one cost for each of {table.shape[1]} models, got {len(cost)}")
    chosen = choices("picks", picks, len(cost))
    aligned(picks=chosen, quality=table)
    dearest = cost == cost.max()
    if dearest.all():
        return None
    needless = table[:, ~dearest].max(axis=1) >= table[:, dearest].max(axis=1)
    return float(dearest[chosen][needless].mean()) if needless.any() else None
