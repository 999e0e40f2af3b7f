"""Curated: the few models that are worth asking, chosen greedily by how sure their votes are."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from pointsman.estimators.answer_posterior import settled
from pointsman.estimators.choice import TIE

__all__ = ["curated"]

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]

_ROWS = 4_000


def curated(
    said: Matrix, quality: Matrix, price: Matrix, codes: Codes, right: NDArray[np.bool_], size: int
) -> list[int]:
    """Return up to `size` columns, ascending: the best single model, then each time the one that settles most.

    A set of models settles as much as the posterior of the likeliest answer, on average, once all of them have answered: a
    redundant model changes nothing, a weak one little. Ties go to the cheapest. At most 4,000 queries, evenly spread, are read.

    Args:
        said: Expected quality by estimators that had not seen the queries, shape (n, m).
        quality: The real one, shape (n, m); queries with an unknown cell do not count.
        price: Mean cost of a call, shape (m,); NaN is dearest.
        codes: Who said what, shape (n, m).
        right: Which answers are right, shape (n, m).
        size: How many columns to return.
    """
    known = np.flatnonzero(np.isfinite(quality).all(axis=1))
    known = known[:: max(1, ceil(len(known) / _ROWS))]
    said, quality, codes, right = said[known], quality[known], codes[known], right[known]
    dear = np.where(np.isnan(price), np.inf, price)
    mean = quality.mean(axis=0) if len(quality) else np.zeros(said.shape[1])
    chosen = [min(range(said.shape[1]), key=lambda j: (-mean[j], dear[j], j))]
    while len(chosen) < min(size, said.shape[1]):
        left = [j for j in range(said.shape[1]) if j not in chosen]
        sure = {j: settled(said[:, [*chosen, j]], codes[:, [*chosen, j]], right[:, [*chosen, j]]) for j in left}
        most = max(sure.values())
        chosen.append(min((j for j in left if sure[j] >= most - TIE), key=lambda j: (dear[j], j)))
    return sorted(chosen)
