"""Estimators: queries in, expected quality, cost and latency of every model out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import Component
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.errors import ConfigError, choices
from pointsman.estimators.draws import Contrast, best_shares, contrast, expected_best
from pointsman.types import Query

__all__ = ["Estimates", "Estimator"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimates:
    """What is expected of m models on n queries; NaN is unknown.

    Parameters:
        models: The m names, sorted.
        quality: Expected quality on the scale of the outcomes, shape (n, m); only differences within a row need to be right.
        cost_usd: Expected US dollars of one call, shape (n, m).
        latency_s: Expected seconds of one call, shape (n, m), or None.
        draws: Draws of quality from its posterior, shape (s, n, m), or None.
        cautious: Returns quality by what still holds for queries unlike those learnt from, shape (n, m); None where that is no
            other. It is a function since few decisions ask for it.
    """

    models: tuple[str, ...]
    quality: Matrix
    cost_usd: Matrix
    latency_s: Matrix | None = None
    draws: Matrix | None = None
    cautious: Callable[[], Matrix] | None = None

    def __len__(self) -> int:
        return len(self.quality)

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> Self:
        """Return the estimates of these rows."""
        rows, cautious = np.asarray(rows, dtype=np.intp), self.cautious
        return replace(
            self,
            quality=self.quality[rows],
            cost_usd=self.cost_usd[rows],
            latency_s=None if self.latency_s is None else self.latency_s[rows],
            draws=None if self.draws is None else self.draws[:, rows],
            cautious=None if cautious is None else lambda: cautious()[rows],
        )

    def best(self) -> list[str]:
        """Return the model of highest expected quality for each query; ties go to the cheapest."""
        from pointsman.estimators.choice import first_choice

        return [self.models[i] for i in first_choice(self.quality, self.cost_usd)]

    def contrast(self, model: str) -> Contrast:
        """Return how sure the draws are that each model is better than this one; ConfigError without draws.

        >>> draws = np.array([[[0.2, 0.5]], [[0.6, 0.5]], [[0.8, 0.5]], [[0.8, 0.9]]])
        >>> found = Estimates(models=("a", "b"), quality=draws.mean(axis=0), cost_usd=np.ones((1, 2)), draws=draws)
        >>> found.contrast("b").better
        array([[0.5, 0.5]])
        """
        if model not in self.models:
            raise ConfigError(f"There is no model {model!r} to compare with; there are {choices(self.models)}.")
        return contrast(self._drawn(), self.models.index(model))

    def best_shares(self) -> Matrix:
        """Return each model's probability of being the best, shape (n, m), rows adding up to 1; ConfigError without draws."""
        return best_shares(self._drawn())

    def expected_best(self) -> NDArray[np.float64]:
        """Return the expected quality of the best model, were it known, shape (n,); ConfigError without draws."""
        return expected_best(self._drawn())

    def _drawn(self) -> Matrix:
        if self.draws is None or not len(self.draws):
            raise ConfigError("These estimates hold no draws, so how sure a difference is cannot be told.")
        return self.draws


class Estimator(Component):
    """Learns from outcomes and predicts, for any query, every model's quality, cost and latency."""

    @abstractmethod
    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn from a dataset, whose row and model order must not matter, and return self."""

    @abstractmethod
    def predict(self, queries: Queries) -> Estimates:
        """Return estimates for n queries; raise NotFittedError before `fit`."""

    def predict_quality(self, queries: Queries) -> Matrix:
        """Return the expected quality alone, shape (n, m); override where it can do without the costs."""
        return self.predict(queries).quality

    def basis(self, queries: Queries) -> Matrix:
        """Return what the expected quality of n queries is linear in, shape (n, c); by default the quality itself."""
        return self.predict_quality(queries)

    def coefficients(self) -> tuple[Matrix, Matrix] | None:
        """Return the weights (c, m) and intercepts (m,) that make quality of the `basis`; None where it is quality itself."""
        return None

    def predict_one(self, query: Query) -> Estimates:
        """Return the estimates for a single query, n = 1."""
        return self.predict(Queries.of(query))

    def draw(self, queries: Queries) -> Estimates:
        """Return the estimates, with draws of quality where the estimator knows how sure it is."""
        return self.predict(queries)

    def fit_crossed(self, dataset: RoutingDataset, *, folds: int | None = None) -> Estimates:
        """Fit, and return the estimates of the dataset's rows, in canonical order, by clones that had not seen them.

        Override it where both can share work; `folds` (5) parts take turns at being held out.
        """
        from pointsman.estimators.crossfit import out_of_fold

        found = out_of_fold(self, dataset.canonical(), k=folds or 5)
        self.fit(dataset)
        return found

    def explain(self, query: Query) -> dict[str, Any]:
        """Return, as plain data, what the estimates of a query rest on; {} where there is nothing to add."""
        return {}
