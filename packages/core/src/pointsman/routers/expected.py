"""Expected: what a router expected of every model, told model by model to whoever looks."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from pointsman.types import ModelEstimate

__all__ = ["Expected", "known_or_none"]

Column = NDArray[np.float64]


class Expected(Mapping[str, ModelEstimate]):
    """Each of m models' estimate by its name: made when it is looked up, since most decisions are looked at in one place.

    A linear estimate of quality may leave the scale by a little, and is brought back to [0, 1]; the score keeps what was
    compared.

    Parameters:
        models: The m names.
        quality, cost_usd: Shape (m,); NaN is unknown.
        latency_s, score: Shape (m,), or None where there are none.
        unscored: Models whose score counted for nothing, and is not told.

    >>> told = Expected(("a", "b"), np.array([0.5, 1.2]), np.array([0.001, np.nan]))
    >>> told["b"]
    ModelEstimate(quality=1.0, cost_usd=None, latency_s=None, score=None)
    """

    __slots__ = ("_columns", "_models", "_unscored")

    def __init__(
        self,
        models: tuple[str, ...],
        quality: Column,
        cost_usd: Column,
        latency_s: Column | None = None,
        score: Column | None = None,
        *,
        unscored: Container[str] = (),
    ) -> None:
        self._models, self._unscored = models, unscored
        self._columns = [
            None if column is None else column.tolist() for column in (quality, cost_usd, latency_s, score)
        ]

    def __getitem__(self, name: str) -> ModelEstimate:
        if name not in self._models:
            raise KeyError(name)
        at = self._models.index(name)
        quality, cost, latency, score = (None if column is None else _known(column[at]) for column in self._columns)
        return ModelEstimate(
            quality=None if quality is None else min(max(quality, 0.0), 1.0),
            cost_usd=cost,
            latency_s=latency,
            score=None if name in self._unscored else score,
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def __repr__(self) -> str:
        return repr(dict(self))


def known_or_none(values: Column) -> list[float | None]:
    """Return numbers as plain floats; NaN becomes None."""
    return list(map(_known, values.tolist()))


def _known(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 - NaN is not itself
