"""Curated: the few models that are worth asking: the best, one that saves, and whose votes settle most for their price."""

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
    """Return up to `size` columns, ascending.

    The best single model comes first. The second is the one that lies highest above the line of mixtures between the cheapest
    and the best one: what saves most without a look at the query or at answers. Each other one adds most, for its price, to how
    sure the vote is of its winner on average; the price is its own and the mean of those already chosen, since it is asked
    beside them. A redundant model changes no vote, a weak one few. Ties go to the cheapest. Where a price is unknown none
    counts. At most 4,000 queries, evenly spread, are read.

    Args:
        said: Expected quality by estimators that had not seen the queries, shape (n, m).
        quality: The real one, shape (n, m); queries with an unknown cell do not count.
        price: Mean cost of a call, shape (m,).
        codes: Who said what, shape (n, m).
        right: Which answers are right, shape (n, m).
        size: How many columns to return.
    """
    known = np.flatnonzero(np.isfinite(quality).all(axis=1))
    known = known[:: max(1, ceil(len(known) / _ROWS))]
    said, quality, codes, right = said[known], quality[known], codes[known], right[known]
    paid = price if np.isfinite(price).all() and price.max() > 0 else np.ones(said.shape[1])
    mean = quality.mean(axis=0) if len(quality) else np.zeros(said.shape[1])
    chosen = [min(range(said.shape[1]), key=lambda j: (-mean[j], paid[j], j))]
    while len(chosen) < min(size, said.shape[1]):
        left = [j for j in range(said.shape[1]) if j not in chosen]
        if len(chosen) == 1 and paid.min() < paid[chosen[0]]:
            worth = _above(mean, paid, chosen[0])
        else:
            now, beside = settled(said[:, chosen], codes[:, chosen], right[:, chosen]), paid[chosen].mean()
            sets = {j: [*chosen, j] for j in left}
            sure = {j: settled(said[:, each], codes[:, each], right[:, each]) for j, each in sets.items()}
            worth = {j: (sure[j] - now) / (paid[j] + beside) for j in left}
        most = max(worth[j] for j in left)
        chosen.append(min((j for j in left if worth[j] >= most - TIE), key=lambda j: (paid[j], j)))
    return sorted(chosen)


def _above(mean: Matrix, paid: Matrix, best: int) -> dict[int, float]:
    """Return how far each model lies above the line from the cheapest one to the best."""
    cheapest = min(range(len(paid)), key=lambda j: (paid[j], -mean[j], j))
    rise = (mean[best] - mean[cheapest]) / (paid[best] - paid[cheapest])
    return dict(enumerate((mean - mean[cheapest] - rise * (paid - paid[cheapest])).tolist()))
