"""Risk control: the boldest of a row of settings whose loss is bounded on new data, by calibration losses alone."""

from __future__ import annotations

from math import ceil, e, log
from typing import TYPE_CHECKING

import numpy as np

from pointsman.errors import DataError
from pointsman.metrics.arrays import Floats, number

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "conformal_bounds",
    "rows_for_certainty",
    "rows_for_expectation",
    "settings_in_expectation",
    "settings_with_certainty",
    "tail_probabilities",
]


def settings_in_expectation(losses: ArrayLike, epsilon: float) -> int:
    """Return how many settings, from the safest on, keep the expected loss of a new query at most epsilon.

    Conformal risk control (ICLR 2024, arXiv 2208.02814): setting j passes while n/(n+1) R_j + 1/(n+1) <= epsilon, where R_j is
    the mean over queries of the largest loss among the settings up to j, so that losses need not grow from setting to setting.
    It holds on average over calibration sets; the queries must be exchangeable with the new one.

    Args:
        losses: (n, k) losses in [0, 1] of n queries at k settings, the safest first.
        epsilon: The bound, in (0, 1).

    Returns:
        The number of settings that pass, 0 if not even the safest does.

    >>> settings_in_expectation([[0, 0, 1]] * 1 + [[0, 0, 0]] * 98, 0.02)
    3
    >>> settings_in_expectation([[0, 0, 1]] * 2 + [[0, 0, 0]] * 97, 0.02)
    2
    """
    return _leading(conformal_bounds(losses) <= number("epsilon", epsilon, low=0, high=1) + 1e-12)


def conformal_bounds(losses: ArrayLike) -> Floats:
    """Return, for each setting, the bound on the expected loss that the losses (n, k) in [0, 1] prove, shape (k,)."""
    rows = np.maximum.accumulate(_table(losses), axis=1)
    bounds: Floats = (rows.sum(axis=0) + 1) / (len(rows) + 1)
    return bounds


def settings_with_certainty(losses: ArrayLike, epsilon: float, delta: float) -> int:
    """Return how many settings, from the safest on, have an expected loss of at most epsilon, all at once, but for delta.

    Learn then test (arXiv 2110.01052) with fixed-sequence testing: the settings are tested from the safest on, each at level
    delta, until the first that is not significant. The probability is over the draw of the calibration set; settings and
    their order must not depend on it.

    Args:
        losses: (n, k) losses in [0, 1] of n queries at k settings, the safest first.
        epsilon: The bound on each setting's expected loss, in (0, 1).
        delta: The probability with which any of them may break it, in (0, 1).

    >>> settings_with_certainty([[0, 0]] * 45, 0.05, 0.1), settings_with_certainty([[0, 0]] * 44, 0.05, 0.1)
    (2, 0)
    """
    return _leading(tail_probabilities(losses, epsilon) <= number("delta", delta, low=0, high=1))


def tail_probabilities(losses: ArrayLike, epsilon: float) -> Floats:
    """Return p-values of "the expected loss is above epsilon", shape (k,): of losses as low as these, or lower.

    Exact (binomial) where all losses of a setting are 0 or 1, which is taken for their nature: answers are right or wrong. The
    Hoeffding-Bentkus bound otherwise.
    """
    from scipy.stats import binom

    rows, bound = _table(losses), number("epsilon", epsilon, low=1e-9, high=0.999)
    n, mean = len(rows), rows.mean(axis=0)
    exact = binom.cdf(np.round(rows.sum(axis=0)), n, bound)
    bentkus = e * binom.cdf(np.ceil(np.round(rows.sum(axis=0), 9)), n, bound)
    low = np.minimum(mean, bound)
    hoeffding = np.exp(-n * _divergence(low, bound))
    binary = np.isin(rows, (0, 1)).all(axis=0)
    found: Floats = np.where(binary, exact, np.minimum(1, np.minimum(bentkus, hoeffding)))
    return found


def rows_for_expectation(epsilon: float) -> int:
    """Return the fewest queries with which losses of zero could prove an expected loss of at most epsilon: 1/epsilon - 1.

    >>> rows_for_expectation(0.02)
    49
    """
    return max(1, ceil(1 / number("epsilon", epsilon, low=1e-9, high=1) - 1 - 1e-9))


def rows_for_certainty(epsilon: float, delta: float) -> int:
    """Return the fewest queries with which losses of zero could prove it but for delta: log delta / log(1 - epsilon).

    >>> rows_for_certainty(0.05, 0.1)
    45
    """
    return ceil(
        log(number("delta", delta, low=1e-12, high=1)) / log(1 - number("epsilon", epsilon, low=1e-9, high=0.999))
    )


def _divergence(low: Floats, high: float) -> Floats:
    """Return the Kullback-Leibler divergence of two coins, low <= high."""
    inside = np.clip(low, 1e-12, 1 - 1e-12)
    result: Floats = inside * np.log(inside / high) + (1 - inside) * np.log((1 - inside) / (1 - high))
    return result


def _leading(passed: np.ndarray) -> int:
    return len(passed) if passed.all() else int(np.argmin(passed))


def _table(losses: ArrayLike) -> Floats:
    rows: Floats = np.asarray(losses, dtype=np.float64)
    if rows.ndim != 2 or not rows.size:  # noqa: PLR2004 - queries and settings
        raise DataError(f"losses: expected a table of queries × settings, got shape {rows.shape}")
    if not ((rows >= 0) & (rows <= 1)).all():
        raise DataError("losses: expected numbers in [0, 1], none missing")
    return rows
