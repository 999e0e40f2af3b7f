"""Said: what models answered, as codes that can be compared, and what reading each answer lets expect of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset

__all__ = ["Said", "told_in"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """What k models answered to n queries.

    Parameters:
        codes: The first column that gave the same answer, -1 for none, shape (n, k).
        worth: Expected quality of each answer once it is read, shape (n, k); where answers are only compared, what the query
            lets expect of the model.
    """

    codes: NDArray[np.intp]
    worth: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp]) -> Self:
        """Return what was answered to some of the queries."""
        return type(self)(codes=self.codes[rows], worth=self.worth[rows])


def told_in(dataset: RoutingDataset) -> NDArray[np.object_]:
    """Return the final answers on record, shape (n, m); where none was read out all that the model wrote; else None."""
    told = np.full(dataset.quality.shape, None, dtype=object)
    for kept in (dataset.responses, dataset.answers):
        if kept is not None:
            told = np.where(kept == None, told, kept)  # noqa: E711 - elementwise on objects
    return told
