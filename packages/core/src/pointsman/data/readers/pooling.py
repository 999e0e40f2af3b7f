"""Several rows of one cell become one: means of what was measured, and the variance between runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["pooled_mean", "pooled_variance"]

Numbers = NDArray[np.float64]
Cells = NDArray[np.intp]


def pooled_mean(cells: Cells, values: Numbers, weights: Numbers, size: int) -> Numbers:
    """Return the weighted mean of the known values in each cell, shape (size,); NaN in cells with none.

    A cell of one row gets exactly its value, and the order of rows does not matter to the last bit.

    >>> pooled_mean(np.array([0, 2, 0]), np.array([0.5, 1.0, 1.0]), np.ones(3), 3)
    array([0.75,  nan, 1.  ])
    """
    means = np.full(size, np.nan)
    order, starts, lengths = _runs_of_cells(cells, values, weights)
    if not len(order):
        return means
    values, weights = values[order], weights[order]
    least = values[starts]
    above = np.add.reduceat(weights * (values - np.repeat(least, lengths)), starts) / np.add.reduceat(weights, starts)
    means[cells[order[starts]]] = np.minimum(least + above, values[starts + lengths - 1])
    return means


def pooled_variance(cells: Cells, values: Numbers, runs: Numbers, variances: Numbers, size: int) -> Numbers:
    """Return the unbiased variance of all runs behind each cell, shape (size,); NaN where it is unknown or of one run.

    A row stands for `runs` runs of mean `values` and variance `variances`.

    >>> pooled_variance(np.array([0, 0]), np.array([0.0, 1.0]), np.ones(2), np.full(2, np.nan), 1)
    array([0.5])
    """
    result = np.full(size, np.nan)
    order, starts, lengths = _runs_of_cells(cells, values, runs, variances)
    if not len(order):
        return result
    means = pooled_mean(cells, values, runs, size)[cells[order]]
    values, runs, variances = values[order], runs[order], variances[order]
    within = np.where(runs > 1, (runs - 1) * variances, 0.0)
    squares = np.add.reduceat(within + runs * (values - means) ** 2, starts)
    total = np.add.reduceat(runs, starts)
    pooled = np.divide(squares, total - 1, out=np.full(len(starts), np.nan), where=total > 1)
    alone = np.where(total > 1, variances[starts], np.nan)
    result[cells[order[starts]]] = np.where(lengths == 1, alone, pooled)
    return result


def _runs_of_cells(cells: Cells, values: Numbers, *ties: Numbers) -> tuple[Cells, Cells, Cells]:
    """Return the rows with known values sorted by cell, then value; where each cell starts; and its number of rows."""
    rows = np.flatnonzero(~np.isnan(values))
    if np.bincount(cells[rows]).max(initial=0) <= 1:  # the usual case: nothing to pool, so nothing to sort
        return rows, np.arange(len(rows)), np.ones(len(rows), dtype=np.intp)
    order = rows[np.lexsort((*(tie[rows] for tie in reversed(ties)), values[rows], cells[rows]))]
    starts = np.flatnonzero(np.diff(cells[order], prepend=-1))
    return order, starts, np.diff(starts, append=len(order))
