"""Replaying: what a cascade's answers to many queries would have scored and cost, on recorded answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.equivalence import Equivalence, coded
from pointsman.errors import DataError, NoEligibleModelError
from pointsman.routers.replayed import Replayed
from pointsman.routers.stepping.honesty import Honesty
from pointsman.routers.stepping.walking import Walk

__all__ = ["replayed"]

Vector = NDArray[np.float64]


def replayed(
    walk: Walk,
    honesty: Honesty,
    dataset: RoutingDataset,
    names: tuple[str, ...],
    equivalence: Equivalence,
    allowed: NDArray[np.bool_],
) -> Replayed:
    """Return how the queries of a dataset end when the k models of these names answer as recorded.

    Where several models were asked and the text of one of them was not recorded, what would have come of it is unknown.

    Raises:
        DataError: When several models are asked and the dataset has no answers at all.
        NoEligibleModelError: When no model may serve a query.
    """
    if not allowed.any(axis=1).all():
        raise NoEligibleModelError(dict.fromkeys(names, "cannot serve one of the queries"))
    place = np.array([dataset.models.index(name) if name in dataset.models else -1 for name in names], dtype=np.intp)
    told = np.full(walk.quality.shape, None, dtype=object)
    if dataset.answers is not None:
        told[:, place >= 0] = dataset.answers[:, place[place >= 0]]
    quality, cost = (_columns(matrix, place) for matrix in (dataset.quality, dataset.cost_usd))
    ended, rows = walk.through(coded(told, equivalence), allowed), np.arange(len(dataset))
    calls = ended.asked.sum(axis=1)
    unread = (calls > 1) & (ended.asked & _absent(told)).any(axis=1)
    if unread.any() and dataset.answers is None:
        raise DataError("A cascade reads answers between its calls; the dataset has none.")
    paid = np.where(ended.asked, cost, 0.0).sum(axis=1)
    return Replayed(
        model=np.where(unread, -1, place[ended.model]),
        quality=np.where(unread, np.nan, quality[rows, ended.model]),
        cost_usd=np.where(unread, np.nan, paid),
        calls=calls,
        confidence=honesty.told(ended.confidence, walk.weight),
    )


def _absent(told: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.array([[text is None for text in row] for row in told.tolist()], dtype=np.bool_).reshape(told.shape)


def _columns(matrix: Vector, place: NDArray[np.intp]) -> Vector:
    found: Vector = np.where(place >= 0, matrix[:, place], np.nan)
    return found
