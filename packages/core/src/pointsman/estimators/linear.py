"""Linear: quality as a linear function of the query's features, regularised where models differ."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import training_data
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.contrasts import centred, split_quality
from pointsman.estimators.logistic import contrast_logistic
from pointsman.estimators.ridge import PENALTIES, Penalties, RidgeSolver
from pointsman.estimators.spending import Spending
from pointsman.estimators.words import telling_words
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical
from pointsman.types import Query

__all__ = ["Linear"]

Matrix = NDArray[np.float64]


class LinearState(State):
    """Weights (d, m) and intercepts (m,) of quality (of its logit, for the logistic loss), and the penalties in force."""

    features: Features
    models: tuple[str, ...]
    weights: Matrix
    bias: Matrix
    penalties: tuple[float, ...]
    offset: Estimator | None
    spending: Spending


class Linear(Estimator):
    """Predict quality by regularised linear regression on the query's features.

    Which model is better depends on differences between models only; how hard the query is cancels. So quality is split into a
    level (the query's mean over models) and contrasts (each model's deviation from it), and each part gets the penalty that
    its own leave-one-out error asks for.

    Parameters:
        features: The map to regress on; cloned by `fit`.
        loss: "ridge" for squared error, "logistic" for cross-entropy with quality as a soft label.
        target: "contrasts" regularises level and contrasts apart; "levels" regresses each model's quality on its own (ridge
            only).
        penalties: Ridge penalties to choose from; the logistic loss uses the chosen ones scaled by its curvature.
        offset: An estimator whose contrasts are taken as given, so that only the rest is regressed; cloned by `fit`.
    """

    tags = Tags(how=frozenset({"supervised"}))

    features: Features = Lexical()
    loss: Literal["ridge", "logistic"] = "ridge"
    target: Literal["contrasts", "levels"] = "contrasts"
    penalties: Penalties = PENALTIES
    offset: Estimator | None = None

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one for each loss and target, one of them on top of a table of domains."""
        from pointsman.estimators.domain import Domain

        words = Lexical(bits=10, components=8)
        table = Domain(features=words, prior=1.0)
        squared, levels = cls(features=words, offset=table), cls(features=words, target="levels")
        return squared, levels, cls(features=words, loss="logistic")

    def fit(self, dataset: RoutingDataset) -> Self:
        """Choose the penalties, solve for the weights, and return self."""
        data = training_data(dataset)
        return self.fit_on(data, None if self.offset is None else self.offset.clone().fit(data))

    def fit_on(self, data: RoutingDataset, offset: Estimator | None) -> Self:
        """Fit on data in canonical order and an offset that is fitted on them already, and return self."""
        features = self.features.clone()
        rows = features.fit_transform(data.queries)
        weights, bias, penalties = self._quality(rows, data, offset)
        return self.with_state(
            LinearState(
                features=features,
                models=data.models,
                weights=weights,
                bias=bias,
                penalties=penalties,
                offset=offset,
                spending=Spending.fit(rows, data),
            )
        )

    def _quality(
        self, rows: Matrix, data: RoutingDataset, offset: Estimator | None
    ) -> tuple[Matrix, Matrix, tuple[float, ...]]:
        """Return weights (d, m), intercepts (m,) and the penalties chosen."""
        seen = np.isfinite(data.quality)
        given = np.zeros_like(data.quality) if offset is None else centred(offset.predict(data.queries).quality)
        level, contrasts = split_quality(data)
        contrast = np.where(seen, contrasts - given, 0.0)
        solver = RidgeSolver(rows)
        if self.target == "levels":
            fitted = solver.fit(np.where(seen, data.quality - given, 0.0), self.penalties, observed=seen)
            return fitted.weights, fitted.bias, (fitted.penalty,)
        shared = solver.fit(level, self.penalties)
        own = solver.fit(contrast, self.penalties, observed=seen)
        if self.loss == "ridge":
            return own.weights + shared.weights, own.bias + shared.bias, (shared.penalty, own.penalty)
        mean = data.mean_quality
        curvature = float(np.mean(mean * (1 - mean))) + 1e-3
        chosen = (shared.penalty * curvature * len(mean), own.penalty * curvature)
        weights, bias = contrast_logistic(rows, data.quality, level_penalty=chosen[0], contrast_penalty=chosen[1])
        return weights, bias, chosen

    def predict(self, queries: Queries) -> Estimates:
        """Return the linear predictions for n queries; quality is not clipped, so that differences stay exact."""
        offset = self.fitted(LinearState).offset
        given = None if offset is None else offset.predict_quality(queries)
        state, rows = self.fitted(LinearState), self.rows(queries)
        cost, latency = state.spending.predict(rows, queries)
        quality = self.quality_on(rows, given)
        return Estimates(models=state.models, quality=quality, cost_usd=cost, latency_s=latency)

    def predict_quality(self, queries: Queries) -> Matrix:
        """Return the expected quality alone, shape (n, m)."""
        offset = self.fitted(LinearState).offset
        return self.quality_on(self.rows(queries), None if offset is None else offset.predict_quality(queries))

    def rows(self, queries: Queries) -> Matrix:
        """Return the features of n queries, shape (n, d)."""
        return self.fitted(LinearState).features.transform(queries)

    def quality_on(self, rows: Matrix, given: Matrix | None) -> Matrix:
        """Return the quality (n, m) of queries with features (n, d) of which the offset's quality (n, m) is known already."""
        state = self.fitted(LinearState)
        quality = rows @ state.weights + state.bias
        if self.loss == "logistic":
            quality = 1 / (1 + np.exp(-quality))
        return quality if given is None else quality + centred(given)

    @property
    def own_offset(self) -> Estimator | None:
        """The fitted offset, whose contrasts are not in the `basis`."""
        return self.fitted(LinearState).offset

    def basis(self, queries: Queries) -> Matrix:
        """Return the features, or the quality for the logistic loss; without what the offset says."""
        rows = self.rows(queries)
        return rows if self.loss == "ridge" else self.quality_on(rows, None)

    def coefficients(self) -> tuple[Matrix, Matrix] | None:
        """Return weights and intercepts; None for the logistic loss."""
        state = self.fitted(LinearState)
        return (state.weights, state.bias) if self.loss == "ridge" else None

    def explain(self, query: Query) -> dict[str, Any]:
        """Return the words that most favour the best model over the second best, and those that do least; positive favours."""
        state = self.fitted(LinearState)
        first, second = (*np.argsort(-self.predict_one(query).quality[0], kind="stable")[:2].tolist(), None)[:2]
        told: dict[str, Any] = {} if state.offset is None else state.offset.explain(query)
        if second is None:
            return told
        direction, names = state.weights[:, first] - state.weights[:, second], state.models
        return told | telling_words(state.features, query, direction, first=names[first], second=names[second])
