"""Replaying: what a cascade's answers to many queries would have scored and cost, on recorded answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.equivalence import Equivalence, coded
from pointsman.errors import DataError, NoEligibleModelError
from pointsman.routers.replayed import Replayed
from pointsman.routers.stepping.honesty import Honesty
from pointsman.routers.stepping.reader import Reader
from pointsman.routers.stepping.said import Said, told_in
from pointsman.routers.stepping.walking import Walk

__all__ = ["Record", "replayed"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record:
    """What k models said to n queries on record, read once for all operating points.

    Parameters:
        dataset: The outcomes.
        names: The models.
        place: The models' columns in the dataset, -1 where it lacks one, shape (k,).
        said: What they answered.
        absent: Whose answer to what is not on record, shape (n, k).
    """

    dataset: RoutingDataset
    names: tuple[str, ...]
    place: NDArray[np.intp]
    said: Said
    absent: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        dataset: RoutingDataset,
        names: tuple[str, ...],
        equivalence: Equivalence,
        quality: Vector,
        reader: Reader | None,
    ) -> Self:
        """Read what the models of these names said, given what the queries let expect of them, shape (n, k)."""
        place = np.array(
            [dataset.models.index(name) if name in dataset.models else -1 for name in names], dtype=np.intp
        )
        told = np.full(quality.shape, None, dtype=object)
        told[:, place >= 0] = told_in(dataset)[:, place[place >= 0]]
        worth = quality if reader is None else reader.recorded(dataset, quality)
        absent = np.array([[text is None for text in row] for row in told.tolist()], dtype=np.bool_)
        return cls(
            dataset=dataset,
            names=names,
            place=place,
            said=Said(codes=coded(told, equivalence), worth=worth),
            absent=absent.reshape(told.shape),
        )


def replayed(walk: Walk, honesty: Honesty, record: Record, allowed: NDArray[np.bool_]) -> Replayed:
    """Return how the queries of a record end when the k models answer as recorded.

    Where several models were asked and the text of one of them was not recorded, what would have come of it is unknown.

    Raises:
        DataError: When several models are asked and the dataset has no answers at all.
        NoEligibleModelError: When no model may serve a query.
    """
    dataset, place = record.dataset, record.place
    if not allowed.any(axis=1).all():
        raise NoEligibleModelError(dict.fromkeys(record.names, "cannot serve one of the queries"))
    quality, cost = (_columns(matrix, place) for matrix in (dataset.quality, dataset.cost_usd))
    ended, rows = walk.through(record.said, allowed), np.arange(len(dataset))
    calls = ended.asked.sum(axis=1)
    unread = (calls > 1) & (ended.asked & record.absent).any(axis=1)
    if unread.any() and dataset.answers is None and dataset.responses is None:
        raise DataError("A cascade reads answers between its calls; the dataset has none.")
    paid = np.where(ended.asked, cost, 0.0).sum(axis=1)
    return Replayed(
        model=np.where(unread, -1, place[ended.model]),
        quality=np.where(unread, np.nan, quality[rows, ended.model]),
        cost_usd=np.where(unread, np.nan, paid),
        calls=calls,
        confidence=honesty.told(ended.confidence, walk.weight),
    )


def _columns(matrix: Vector, place: NDArray[np.intp]) -> Vector:
    found: Vector = np.where(place >= 0, matrix[:, place], np.nan)
    return found
