"""Rows that belong together (repeats of one text, turns of one session) count as one observation in an interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import DataError
from pointsman.metrics.arrays import Floats, aligned, vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["cluster_sums", "mean_error"]


def cluster_sums(values: ArrayLike, groups: ArrayLike | None) -> tuple[Floats, Floats]:
    """Return the sum and the size of each group, in an order that the order of the rows does not change.

    Args:
        values: (n,) values.
        groups: (n,) labels; None makes every row its own group.

    Returns:
        (g,) sums and (g,) sizes, g >= 2.

    Raises:
        DataError: Fewer than two groups, lengths differ, or a number is missing.

    >>> [part.tolist() for part in cluster_sums([1.0, 2.0, 4.0], groups=["a", "b", "a"])]
    [[2.0, 5.0], [1.0, 2.0]]
    """
    x = vector("values", values)
    labels = np.arange(len(x)) if groups is None else np.asarray(groups)
    if labels.ndim != 1:
        raise DataError(f"groups: expected labels of shape (n,), got {labels.shape}")
    aligned(values=x, groups=labels)
    # Adding up sorted values makes each sum independent of the order of the rows, to the last bit.
    rising = np.argsort(x, kind="stable")
    _, block, sizes = np.unique(labels[rising], return_inverse=True, return_counts=True)
    if len(sizes) < 2:  # noqa: PLR2004 -- one group has no spread
        raise DataError("values: expected at least 2 independent rows or groups for an interval, got 1")
    sums = np.bincount(block, x[rising]).astype(np.float64)
    canonical = np.lexsort((sums, sizes))
    return sums[canonical], sizes[canonical].astype(np.float64)


def mean_error(values: ArrayLike, groups: ArrayLike | None = None) -> float:
    """Return the standard error of a mean, sqrt(G/(G-1) Σ_g (S_g - n_g x̄)²) / n over G groups; infinite for a single one.

    Args:
        values: (n,) values, n >= 1.
        groups: (n,) labels; None makes every row its own group.

    Raises:
        DataError: There are no values, lengths differ, or a number is missing.

    >>> mean_error([0.0, 1.0, 0.0, 1.0], groups=[0, 0, 1, 1]), mean_error([0.0, 1.0], groups=[0, 0])
    (0.0, inf)
    """
    x = vector("values", values)
    if len(np.unique(np.arange(len(x)) if groups is None else np.asarray(groups))) == 1:
        return math.inf
    sums, sizes = cluster_sums(x, groups)
    count, total = len(sums), float(sizes.sum())
    deviations = sums - sizes * float(sums.sum() / total)
    return math.sqrt(count / (count - 1) * float(np.square(deviations).sum())) / total
