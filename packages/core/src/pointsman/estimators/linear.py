"""Linear: quality as a linear function of the query's features, regularised where models differ."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import numpy as np
from annotated_types import Gt, Len
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import Targets
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.logistic import contrast_logistic
from pointsman.estimators.ridge import Ridge, ridge
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical
from pointsman.types import Query

__all__ = ["Linear"]

Matrix = NDArray[np.float64]
_FLOOR_USD = 1e-9  # a free call still has a logarithm


class LinearState(State):
    """Weights (d, t) and intercepts (t,) of quality and of log cost; per-model smearing factors; means of what has no cost."""

    features: Features
    models: tuple[str, ...]
    weights: Matrix
    bias: Matrix
    smearing: Matrix
    latency: Matrix | None
    penalties: tuple[float, ...]
    offset: Estimator | None


class Linear(Estimator):
    """Predict quality and log cost by regularised linear regression on the query's features.

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
    penalties: Annotated[tuple[Annotated[float, Gt(0)], ...], Len(1)] = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
    offset: Estimator | None = None

    def fit(self, dataset: RoutingDataset) -> Self:
        """Choose the penalties, solve for the weights, and return self."""
        targets = Targets.of(dataset)
        data = targets.data
        features = self.features.clone().fit(data.queries)
        rows = features.transform(data.queries)
        offset = None if self.offset is None else self.offset.clone().fit(data)
        weights, bias, penalties = self._quality(rows, data, offset)
        cost, smearing = _log_cost(rows, data.cost_usd, self.penalties)
        m = len(targets.models)
        return self.with_state(
            LinearState(
                features=features,
                models=targets.models,
                weights=np.hstack([weights, cost.weights]),
                bias=np.concatenate([bias, cost.bias]),
                smearing=smearing,
                latency=targets.means[2 * m :] if data.latency_s is not None else None,
                penalties=(*penalties, cost.penalty),
                offset=offset,
            )
        )

    def _quality(self, rows: Matrix, data: RoutingDataset, offset: Estimator | None) -> tuple[Matrix, Matrix, tuple[float, ...]]:
        """Return weights (d, m), intercepts (m,) and the penalties chosen."""
        seen = np.isfinite(data.quality)
        given = np.zeros_like(data.quality) if offset is None else _contrasts(offset.predict(data.queries).quality)
        deviation = np.where(seen, data.quality - data.mean_quality, np.nan)
        level = _row_means(deviation)
        contrast = np.where(seen, data.quality - level - given, 0.0)
        if self.target == "levels":
            fitted = ridge(rows, np.where(seen, data.quality - given, 0.0), self.penalties, observed=seen)
            return fitted.weights, fitted.bias, (fitted.penalty,)
        shared = ridge(rows, level, self.penalties)
        own = ridge(rows, contrast, self.penalties, observed=seen)
        if self.loss == "ridge":
            return own.weights + shared.weights, own.bias + shared.bias, (shared.penalty, own.penalty)
        mean = data.mean_quality
        curvature = float(np.mean(mean * (1 - mean))) + 1e-3
        chosen = (shared.penalty * curvature * len(mean), own.penalty * curvature)
        weights, bias = contrast_logistic(rows, data.quality, level_penalty=chosen[0], contrast_penalty=chosen[1])
        return weights, bias, chosen

    def predict(self, queries: Queries) -> Estimates:
        """Return the linear predictions for n queries; quality is not clipped, so that differences stay exact."""
        state = self.fitted(LinearState)
        m = len(state.models)
        found = state.features.transform(queries) @ state.weights + state.bias
        quality = found[:, :m]
        if self.loss == "logistic":
            quality = 1 / (1 + np.exp(-quality))
        if state.offset is not None:
            quality = quality + _contrasts(state.offset.predict(queries).quality)
        return Estimates(
            models=state.models,
            quality=quality,
            cost_usd=np.exp(np.clip(found[:, m:], -50, 50)) * state.smearing,
            latency_s=None if state.latency is None else np.tile(state.latency, (len(queries), 1)),
        )

    def explain(self, query: Query) -> dict[str, Any]:
        """Return the penalties in force and, where there is one, what the offset rests on."""
        state = self.fitted(LinearState)
        return {"penalties": state.penalties} | ({} if state.offset is None else state.offset.explain(query))


def _contrasts(quality: Matrix) -> Matrix:
    contrasts: Matrix = quality - quality.mean(axis=1, keepdims=True)
    return contrasts


def _row_means(deviation: Matrix) -> Matrix:
    seen = np.isfinite(deviation)
    total = np.where(seen, deviation, 0.0).sum(axis=1, keepdims=True)
    return total / np.maximum(seen.sum(axis=1, keepdims=True), 1)


def _log_cost(rows: Matrix, cost_usd: Matrix, penalties: tuple[float, ...]) -> tuple[Ridge, Matrix]:
    """Regress log cost; the smearing factors (m,) undo the bias of the exponential, and are NaN where no cost is known."""
    seen = np.isfinite(cost_usd)
    logs = np.where(seen, np.log(np.where(seen, cost_usd, 0.0) + _FLOOR_USD), 0.0)
    fitted = ridge(rows, logs, penalties, observed=seen)
    residual = np.where(seen, logs - (rows @ fitted.weights + fitted.bias), 0.0)
    count = seen.sum(axis=0)
    predicted = np.where(seen, np.exp(logs - residual), 0.0).sum(axis=0)
    actual = np.where(seen, cost_usd, 0.0).sum(axis=0)
    return fitted, np.divide(actual, predicted, out=np.full(len(count), np.nan), where=(count > 0) & (predicted > 0))
