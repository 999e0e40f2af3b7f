"""From outcome matrices to (cost, quality) points: one point a model, or one a setting of a router."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import DataError
from pointsman.metrics.arrays import Floats, aligned, choices, matrix, same_shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

__all__ = ["choice_points", "model_points"]


def model_points(cost: ArrayLike, quality: ArrayLike) -> Floats:
    """Return each model's mean cost and mean quality.

    Args:
        cost: (n, m) dollars (or any unit) per query and model.
        quality: (n, m) quality per query and model.

    Returns:
        (m, 2) points (cost, quality), in the order of the models.

    Raises:
        DataError: Shapes differ, or a value is missing.

    >>> model_points([[1, 5], [3, 5]], [[0, 1], [1, 1]]).tolist()
    [[2.0, 0.5], [5.0, 1.0]]
    """
    costs, qualities = _outcomes(cost, quality)
    return np.column_stack([costs.mean(axis=0), qualities.mean(axis=0)])


def choice_points(picks: Iterable[ArrayLike], cost: ArrayLike, quality: ArrayLike) -> Floats:
    """Return the mean cost and mean quality that each setting of a router reaches.

    Args:
        picks: For each setting, the (n,) indices of the models chosen.
        cost: (n, m) cost per query and model.
        quality: (n, m) quality per query and model.

    Returns:
        (k, 2) points (cost, quality), in the order of the settings.

    Raises:
        DataError: There is no setting, shapes differ, or an index names no model.

    >>> choice_points([[0, 0], [0, 1]], cost=[[1, 5], [3, 5]], quality=[[0, 1], [0, 1]]).tolist()
    [[2.0, 0.0], [3.0, 0.5]]
    """
    costs, qualities = _outcomes(cost, quality)
    rows = np.arange(len(costs))
    reached = []
    for pick in picks:
        chosen = choices("picks", pick, costs.shape[1])
        aligned(picks=chosen, cost=costs)
        reached.append((costs[rows, chosen].mean(), qualities[rows, chosen].mean()))
    if not reached:
        raise DataError("picks: expected the choices of at least one setting, got none")
    return np.array(reached)


def _outcomes(cost: ArrayLike, quality: ArrayLike) -> tuple[Floats, Floats]:
    costs, qualities = matrix("cost", cost), matrix("quality", quality)
    same_shape(cost=costs, quality=qualities)
    return costs, qualities
