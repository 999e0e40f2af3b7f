"""LLMRouterBench's figures (Li et al., 2601.07206): gains over random and best single, gap to the oracle, Pareto distance.

Its PerfGain and CostSave are in `pointsman.metrics.operating_point`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import DataError
from pointsman.metrics.arrays import Floats, aligned, choices, matrix, number, points, vector
from pointsman.metrics.curves import frontier

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["average_accuracy", "dataset_oracle", "gain_at_best", "gain_at_random", "gap_at_oracle", "pareto_dist"]


def average_accuracy(quality: ArrayLike, datasets: ArrayLike | None = None) -> float:
    """Return AvgAcc: the mean over data sets of the mean quality in each.

    Args:
        quality: (n,) quality of the answer to each query.
        datasets: (n,) the data set each query is from; None counts all queries as one.

    Raises:
        DataError: Lengths differ, or a number is missing.

    >>> average_accuracy([1, 1, 1, 0], ["a", "a", "a", "b"])
    0.5
    """
    values = vector("quality", quality)
    return float(_macro(values[:, None], datasets)[0])


def dataset_oracle(quality: ArrayLike, datasets: ArrayLike) -> float:
    """Return the AvgAcc of using in each data set the model that is best there, in hindsight.

    Args:
        quality: (n, m) quality per query and model.
        datasets: (n,) the data set each query is from.

    >>> dataset_oracle([[1, 0], [1, 0], [0, 1]], ["a", "a", "b"])
    1.0
    """
    return float(_means(matrix("quality", quality), datasets).max(axis=1).mean())


def gain_at_random(picks: ArrayLike, quality: ArrayLike, datasets: ArrayLike | None = None) -> float | None:
    """Return Gain@R, the relative gain in AvgAcc over picking a model uniformly at random.

    Args:
        picks: (n,) index of the model chosen for each query.
        quality: (n, m) quality per query and model.
        datasets: (n,) the data set each query is from; None counts all queries as one.

    Returns:
        Acc / Acc_random - 1; None if random picks score 0.

    >>> gain_at_random([0, 1], [[1, 0], [0, 1]])
    1.0
    """
    table = matrix("quality", quality)
    return _gain(_routed(picks, table, datasets), float(_macro(table, datasets).mean()))


def gain_at_best(picks: ArrayLike, quality: ArrayLike, best: int, datasets: ArrayLike | None = None) -> float | None:
    """Return Gain@B, the relative gain in AvgAcc over the best single model.

    Args:
        picks: (n,) index of the model chosen for each query.
        quality: (n, m) quality per query and model.
        best: Index of the best single model. Choose it on training data: the best of these very data is hindsight.
        datasets: (n,) the data set each query is from; None counts all queries as one.

    Returns:
        Acc / Acc_best - 1; None if the best single model scores 0.

    >>> gain_at_best([0, 1], [[1, 1], [0, 1]], best=0)
    1.0
    """
    table = matrix("quality", quality)
    single = choices("best", [best], table.shape[1])[0]
    return _gain(_routed(picks, table, datasets), float(_macro(table, datasets)[single]))


def gap_at_oracle(picks: ArrayLike, quality: ArrayLike, datasets: ArrayLike | None = None) -> float | None:
    """Return Gap@O, the share of the per-query oracle's AvgAcc that the router misses.

    Args:
        picks: (n,) index of the model chosen for each query.
        quality: (n, m) quality per query and model.
        datasets: (n,) the data set each query is from; None counts all queries as one.

    Returns:
        1 - Acc / Acc_oracle; None if even the oracle scores 0.

    >>> gap_at_oracle([0, 0], [[1, 0], [0, 1]])
    0.5
    """
    table = matrix("quality", quality)
    gain = _gain(_routed(picks, table, datasets), average_accuracy(table.max(axis=1), datasets))
    return None if gain is None else 0.0 - gain


def pareto_dist(settings: ArrayLike, others: ArrayLike) -> float:
    """Return ParetoDist: the mean distance of a method's settings to the Pareto frontier of all methods' settings.

    Each axis is rescaled so that all the points together span [0, 1], and a setting's distance is the Euclidean one to the
    nearest point of the joint frontier. The figure depends on which methods are compared: never set side by
    side two that were not computed together.

    Args:
        settings: (k, 2) points (cost, quality) of the method.
        others: (j, 2) points of every method compared with it.

    Returns:
        The mean distance, 0 if every setting is on the frontier.

    >>> pareto_dist([(1, 0.5), (2, 0.5)], [(2, 1.0)])
    0.5
    """
    own = points("settings", settings)
    every = np.concatenate([own, points("others", others)])
    span = np.ptp(every, axis=0)
    span[span == 0] = 1.0
    best = every[frontier(every)] / span
    return float(np.linalg.norm(own[:, None] / span - best[None], axis=2).min(axis=1).mean())


def _routed(picks: ArrayLike, table: Floats, datasets: ArrayLike | None) -> float:
    chosen = choices("picks", picks, table.shape[1])
    aligned(picks=chosen, quality=table)
    return average_accuracy(table[np.arange(len(table)), chosen], datasets)


def _macro(table: Floats, datasets: ArrayLike | None) -> Floats:
    return table.mean(axis=0) if datasets is None else np.asarray(_means(table, datasets).mean(axis=0))


def _means(table: Floats, datasets: ArrayLike) -> Floats:
    """Return the (d, m) mean of each column within each data set."""
    labels = np.asarray(datasets)
    if labels.ndim != 1:
        raise DataError(f"datasets: expected labels of shape (n,), got {labels.shape}")
    aligned(datasets=labels, quality=table)
    _, block, size = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(size), table.shape[1]))
    np.add.at(sums, block, table)
    return sums / size[:, None]


def _gain(score: float, reference: float) -> float | None:
    return None if number("reference", reference) == 0 else score / reference - 1
