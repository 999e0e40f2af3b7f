"""Factor: quality as a product of a few numbers about the query and a few about the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.data.splits import folds
from pointsman.errors import ConfigError, choices
from pointsman.estimators.averages import training_data
from pointsman.estimators.axes import Axes
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.contrasts import split_quality
from pointsman.estimators.ridge import PENALTIES, Penalties, RidgeSolver
from pointsman.estimators.spending import Spending
from pointsman.estimators.weight_errors import WeightErrors
from pointsman.estimators.words import telling_words
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical
from pointsman.types import Query

__all__ = ["Factor"]

Matrix = NDArray[np.float64]
_FOLDS = 5
_TIE = 1e-9  # relative: what rounding makes of equal errors


class FactorState(State):
    """Query weights (d, k), model vectors (m, k), the features' center (d,), each model's mean, and the shared level's line.

    `errors` says how far off weights and means may be.
    """

    features: Features
    models: tuple[str, ...]
    weights: Matrix
    vectors: Matrix
    center: Matrix
    means: Matrix
    level_weights: Matrix
    level_bias: Matrix
    errors: WeightErrors
    spending: Spending


class Factor(Estimator):
    """Predict quality by a matrix factorisation: mean of the model + model vector · (A · features of the query).

    EmbedLLM (ICLR 2025, arXiv 2410.02223) and RouteLLM's factorisation (ICLR 2025, arXiv 2406.18665) learn such vectors by
    gradient descent; multidimensional item response theory is the same with a logit. Here what is factorised are contrasts,
    each model's quality less the query's level, and the least-squares problem is solved directly, as a reduced-rank ridge
    regression: the factors are the principal axes along which contrasts are predictable, each with a penalty of its own.

    Parameters:
        features: The map to regress on; cloned by `fit`.
        factors: How many factors; fewer where there are fewer models. None takes the number of least cross-validated error,
            which may be 0.
        penalties: Ridge penalties to choose from.
        draws: Draws of quality that `draw` returns, at least 2.
    """

    tags = Tags(how=frozenset({"supervised"}))

    features: Features = Lexical()
    factors: Annotated[int, Ge(1)] | None = None
    penalties: Penalties = PENALTIES
    draws: Annotated[int, Ge(2)] = 200

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that chooses the number of factors, and one of two factors."""
        words = Lexical(bits=10, components=8)
        return cls(features=words), cls(features=words, factors=2, draws=8)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Find the factors, their number unless it is given, and return self."""
        data = training_data(dataset)
        features = self.features.clone()
        rows = features.fit_transform(data.queries)
        level, contrasts = split_quality(data)
        solver = RidgeSolver(rows)
        shared = solver.fit(level, self.penalties)
        every = Axes.fit(solver, contrasts, self.penalties)
        found = every.first(_best_count(every, rows, contrasts, data) if self.factors is None else self.factors)
        return self.with_state(
            FactorState(
                features=features,
                models=data.models,
                weights=found.weights,
                vectors=found.axes,
                center=found.center,
                means=found.means,
                level_weights=shared.weights,
                level_bias=shared.bias,
                errors=WeightErrors.fit(solver, found, contrasts),
                spending=Spending.fit(rows, data),
            )
        )

    def predict(self, queries: Queries) -> Estimates:
        """Return the products for n queries; quality is not clipped, so that differences stay exact."""
        state = self.fitted(FactorState)
        rows = state.features.transform(queries)
        level = rows @ state.level_weights + state.level_bias
        quality = level + state.means + ((rows - state.center) @ state.weights) @ state.vectors.T
        cost, latency = state.spending.predict(rows, queries)
        return Estimates(models=state.models, quality=quality, cost_usd=cost, latency_s=latency)

    def draw(self, queries: Queries) -> Estimates:
        """Return the estimates with draws of quality, shape (s, n, m), from the posterior of weights and means.

        Axes and penalties count as known, and so does each query's level: it is the differences that are drawn.
        """
        state, found = self.fitted(FactorState), self.predict(queries)
        centred = state.features.transform(queries) - state.center
        return replace(found, draws=found.quality + state.errors.draws(centred, state.vectors, self.draws))

    def places(self, queries: Queries) -> Matrix:
        """Return where n queries lie on the factors, shape (n, k); 0 is the average training query."""
        state = self.fitted(FactorState)
        places: Matrix = (state.features.transform(queries) - state.center) @ state.weights
        return places

    def vector(self, model: str) -> NDArray[np.float64]:
        """Return a model's vector, shape (k,): how much its quality rises along each factor; ConfigError for an unknown one."""
        state = self.fitted(FactorState)
        if model not in state.models:
            raise ConfigError(f"There is no model {model!r}; there are {choices(state.models)}.")
        vector: NDArray[np.float64] = state.vectors[state.models.index(model)]
        return vector

    def explain(self, query: Query) -> dict[str, Any]:
        """Return what each factor adds to the best model over the second best, and by which words; positive favours it."""
        state = self.fitted(FactorState)
        order = np.argsort(-self.predict_one(query).quality[0], kind="stable").tolist()
        if len(order) < len(("first", "second")):
            return {}
        first, second = order[:2]
        gap, names = state.vectors[first] - state.vectors[second], state.models
        told = {"on average": float(state.means[first] - state.means[second])}
        for k, effect in enumerate((self.places(Queries.of(query))[0] * gap).tolist()):
            told[f"factor {k + 1}"] = effect
        words = telling_words(state.features, query, state.weights @ gap, first=names[first], second=names[second])
        return {f"factors for {names[first]} over {names[second]}": told} | words


def _best_count(every: Axes, rows: Matrix, contrasts: Matrix, data: RoutingDataset) -> int:
    """Return how many axes, found under the same penalties, predict left-out queries best; the fewest among equals."""
    parts = min(_FOLDS, len(np.unique(data.group_of)))
    if parts < 2:  # noqa: PLR2004 - one group cannot be left out of itself
        return 0
    errors = np.zeros(contrasts.shape[1] + 1)
    for train, held in folds(data, parts):
        found = Axes.given(RidgeSolver(rows[train]), contrasts[train], every.shared, every.own)
        errors += found.errors(rows[held], contrasts[held])
    return int(np.argmax(errors <= errors.min() * (1 + _TIE) + _TIE))
