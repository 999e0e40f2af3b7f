"""Outcomes: what a router's answers scored and cost, query by query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset

__all__ = ["Outcomes", "known_mean"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """The answers to n queries; NaN is what nobody observed, and it is never filled in.

    Parameters:
        models: The names that `model` counts.
        model: Whose answer was given, shape (n,); -1 where it was not a single model's, or nobody knows whose.
        quality: Its score, shape (n,).
        cost_usd: US dollars of all calls that the query took, shape (n,).
        propensity: How likely the router was to decide as it did, shape (n,).
        calls: Model calls that the query took, shape (n,).
    """

    models: tuple[str, ...]
    model: NDArray[np.intp]
    quality: Vector
    cost_usd: Vector
    propensity: Vector
    calls: NDArray[np.intp]

    @classmethod
    def of(cls, dataset: RoutingDataset, model: NDArray[np.intp], propensity: Vector | None = None) -> Outcomes:
        """Read off what one call per query returned: columns of the dataset, shape (n,), -1 for a model it does not have."""
        rows, known = np.arange(len(dataset)), model >= 0
        return cls(
            models=dataset.models,
            model=model,
            quality=np.where(known, dataset.quality[rows, model], np.nan),
            cost_usd=np.where(known, dataset.cost_usd[rows, model], np.nan),
            propensity=np.ones(len(dataset)) if propensity is None else propensity,
            calls=np.ones(len(dataset), dtype=np.intp),
        )

    def __len__(self) -> int:
        return len(self.quality)

    @property
    def unobserved(self) -> int:
        """How many answers have no known score."""
        return int(np.isnan(self.quality).sum())

    @property
    def unpriced(self) -> int:
        """How many queries have no known cost."""
        return int(np.isnan(self.cost_usd).sum())

    @property
    def shares(self) -> dict[str, float]:
        """The share of all queries that each model answered."""
        counts = np.bincount(self.model[self.model >= 0], minlength=len(self.models)) / max(len(self), 1)
        return dict(zip(self.models, counts.tolist(), strict=True))


def known_mean(values: Vector) -> float | None:
    """Return the mean of what is known; None where nothing is.

    >>> known_mean(np.array([1.0, np.nan, 0.0]))
    0.5
    """
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
