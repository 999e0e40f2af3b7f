"""The arrays that metrics accept: float64, finite, of the stated shape, or refused with a message that names them.

A missing outcome is NaN in a data set, and no metric here has a meaning for it: whoever holds the data decides
whether to drop the query or to fill it, never a formula.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pointsman.errors import ConfigError, DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "Floats",
    "Indices",
    "aligned",
    "choices",
    "count",
    "fraction",
    "matrix",
    "number",
    "point",
    "points",
    "same_shape",
    "vector",
]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def vector(name: str, values: ArrayLike, *, low: float = -math.inf, high: float = math.inf) -> Floats:
    """Return `values` as a non-empty (n,) array of finite numbers in [low, high]."""
    return _bounded(name, _floats(name, values, "(n,)", 1), low, high)


def matrix(name: str, values: ArrayLike, *, low: float = -math.inf, high: float = math.inf) -> Floats:
    """Return `values` as a non-empty (n, m) array of finite numbers in [low, high]: queries by models."""
    return _bounded(name, _floats(name, values, "(n, m)", 2), low, high)


def points(name: str, values: ArrayLike) -> Floats:
    """Return `values` as a non-empty (k, 2) array of finite (cost, quality) points."""
    array = _floats(name, values, "(k, 2)", 2)
    if array.shape[1] != 2:  # noqa: PLR2004 -- a point has a cost and a quality
        raise DataError(f"{name}: expected points of shape (k, 2), got {array.shape}")
    return array


def point(name: str, values: ArrayLike) -> Floats:
    """Return `values` as one finite (cost, quality) point."""
    array = vector(name, values)
    if array.shape != (2,):
        raise DataError(f"{name}: expected one point (cost, quality), got shape {array.shape}")
    return array


def choices(name: str, values: ArrayLike, models: int) -> Indices:
    """Return `values` as a non-empty (n,) array of model indices in [0, models)."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise DataError(f"{name}: expected a non-empty array of shape (n,), got {array.shape}")
    if array.dtype.kind not in "iu":
        raise DataError(f"{name}: expected integer model indices, got {array.dtype}")
    wrong = (array < 0) | (array >= models)
    if wrong.any():
        raise DataError(f"{name}: expected model indices from 0 to {models - 1}, got {array[wrong][0]}")
    return array.astype(np.intp)


def count(name: str, value: int, *, low: int, high: int | None = None) -> int:
    """Return `value` as an integer of at least `low`, and of at most `high` if that is given."""
    wanted = f"an integer of at least {low}" if high is None else f"an integer from {low} to {high}"
    try:
        whole = operator.index(value)
    except TypeError as error:
        raise ConfigError(f"{name}: expected {wanted}, got {value!r}") from error
    if whole < low or (high is not None and whole > high):
        raise ConfigError(f"{name}: expected {wanted}, got {whole}")
    return whole


def number(name: str, value: float, *, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a finite float in [low, high]."""
    if not (math.isfinite(value) and low <= value <= high):
        raise ConfigError(f"{name}: expected a finite number in [{low:g}, {high:g}], got {float(value)!r}")
    return float(value)


def fraction(name: str, value: float) -> float:
    """Return `value` as a float strictly between 0 and 1, such as a confidence level."""
    if not 0 < value < 1:
        raise ConfigError(f"{name}: expected a number strictly between 0 and 1, got {value!r}")
    return float(value)


def aligned(**arrays: NDArray[Any]) -> None:
    """Raise unless all arrays have as many rows."""
    if len({len(array) for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} has {len(array)}" for name, array in arrays.items())
        raise DataError(f"expected as many rows in each array, but {lengths}")


def same_shape(**arrays: NDArray[Any]) -> None:
    """Raise unless all arrays have the same shape."""
    if len({array.shape for array in arrays.values()}) > 1:
        shapes = ", ".join(f"{name} has {array.shape}" for name, array in arrays.items())
        raise DataError(f"expected arrays of the same shape, but {shapes}")


def _floats(name: str, values: ArrayLike, shape: str, dimensions: int) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: expected numbers of shape {shape}: {error}") from error
    if array.ndim != dimensions or array.size == 0:
        raise DataError(f"{name}: expected a non-empty array of shape {shape}, got {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise DataError(f"{name}: expected finite numbers, got {array[where]} at index {where}")
    return array


def _bounded(name: str, array: Floats, low: float, high: float) -> Floats:
    outside = (array < low) | (array > high)
    if outside.any():
        raise DataError(f"{name}: expected numbers in [{low:g}, {high:g}], got {array[outside][0]:g}")
    return array
