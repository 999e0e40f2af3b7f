"""Blend: the weighted average of estimators, each linear in something of its own, as a single table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.queries import Queries
from pointsman.estimators.base import Estimator
from pointsman.estimators.contrasts import centred, row_means
from pointsman.estimators.linear import Linear

__all__ = ["Blend"]

Matrix = NDArray[np.float64]


class Blend(NamedTuple):
    """Fitted estimators, and what their bases, side by side, are multiplied by to give m contrasts and, last, the level.

    `table` is of shape (sum of the bases' widths, m + 1), `constant` of shape (m + 1,).
    """

    parts: tuple[Estimator, ...]
    table: Matrix
    constant: Matrix

    @classmethod
    def of(
        cls,
        members: Sequence[Estimator],
        offsets: Mapping[int, int | None],
        *,
        shares: Matrix,
        level: float,
        means: Matrix,
    ) -> Self:
        """Average members, contrasts by their shares (k,), levels equally and times a slope, beyond the models' means (m,).

        `offsets` tells which members are others' offsets.
        """
        weights: dict[Estimator, Matrix] = defaultdict(lambda: np.zeros(2))
        for i, (member, share) in enumerate(zip(members, shares.tolist(), strict=True)):
            weights[member] += share, level / len(members)
            at = offsets[i]
            if (offset := members[at] if at is not None else _offset(member)) is not None:
                weights[offset] += share, 0.0
        tables = []
        constant = -_stretched(means[None], np.array([shares.sum(), level]))[0]
        for part, weight in weights.items():
            table, intercept = part.coefficients() or (np.eye(len(means)), np.zeros(len(means)))
            tables.append(_stretched(table, weight))
            constant += _stretched(intercept[None], weight)[0]
        return cls(parts=tuple(weights), table=np.vstack(tables), constant=constant)

    def __call__(self, queries: Queries) -> tuple[Matrix, Matrix]:
        """Return the contrasts (n, m) and the levels (n,) of n queries."""
        found = np.concatenate([part.basis(queries) for part in self.parts], axis=1) @ self.table
        found += self.constant
        return found[:, :-1], found[:, -1]


def _offset(member: Estimator) -> Estimator | None:
    return member.own_offset if isinstance(member, Linear) else None


def _stretched(table: Matrix, weight: Matrix) -> Matrix:
    """Return the contrasts of a table's rows times one weight, and beside them the rows' means times the other."""
    return np.column_stack([weight[0] * centred(table), weight[1] * row_means(table)])
