"""TokenUsage: what a call costs and how long it takes, from the tokens it will use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.averages import training_data
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.charging import charges
from pointsman.estimators.pace import Pace
from pointsman.estimators.ridge import RidgeSolver
from pointsman.estimators.spending import Spending
from pointsman.estimators.tokens import InputTokens, OutputTokens, described
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical
from pointsman.models import ModelPool
from pointsman.types import Query

__all__ = ["TokenUsage"]

Matrix = NDArray[np.float64]


class TokenUsageState(State):
    """The estimator of quality, the token counts, the lines of latency, the prices, and what stands in where they lack."""

    estimator: Estimator
    features: Features
    models: tuple[str, ...]
    pool: ModelPool
    input_tokens: InputTokens
    output_tokens: OutputTokens
    pace: Pace | None
    spending: Spending


class TokenUsage(Estimator):
    """Take quality from another estimator; predict tokens, and from them cost by the models' prices and latency by their pace.

    Cost is the price of the expected tokens, so that a change of prices is a change of numbers in the pool; latency is the
    model's time to its first token plus its time per token. A model without a price in the dataset's pool, or whose tokens
    nobody recorded, gets what the other estimators predict, a regression of its recorded costs and latencies: unknown where
    nothing was recorded. `explain` says which of the two it was. Predicting token counts for cost follows CARROT
    (arXiv 2502.03261).

    Parameters:
        estimator: What predicts quality; cloned by `fit`.
        features: What tokens are predicted from, beside the text's length; cloned by `fit`.
    """

    tags = Tags(what=frozenset({"query", "model metadata"}), how=frozenset({"supervised"}))

    estimator: Estimator
    features: Features = Lexical()

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that wraps the averages."""
        from pointsman.estimators.constant import Constant

        return (cls(estimator=Constant(), features=Lexical(bits=10, components=8)),)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Fit the estimator, the token counts and the lines of latency, and return self."""
        data = training_data(dataset)
        texts = data.queries.texts
        features = self.features.clone()
        rows = features.fit_transform(data.queries)
        solver = RidgeSolver(described(rows, texts))
        unknown = np.full(data.quality.shape, np.nan)
        sent = unknown if data.input_tokens is None else data.input_tokens
        said = unknown if data.output_tokens is None else data.output_tokens
        return self.with_state(
            TokenUsageState(
                estimator=self.estimator.clone().fit(data),
                features=features,
                models=data.models,
                pool=ModelPool(data.models) if data.pool is None else data.pool.restrict(data.models),
                input_tokens=InputTokens.fit(solver, texts, sent),
                output_tokens=OutputTokens.fit(solver, said),
                pace=None if data.latency_s is None else Pace.fit(said, data.latency_s),
                spending=Spending.fit(rows, data),
            )
        )

    def predict(self, queries: Queries) -> Estimates:
        """Return the wrapped estimator's quality with the cost and latency of the expected tokens."""
        return self._charged(queries, self.fitted(TokenUsageState).estimator.predict(queries))

    def draw(self, queries: Queries) -> Estimates:
        """Return the wrapped estimator's quality and its draws, where it has any, with cost and latency as expected."""
        return self._charged(queries, self.fitted(TokenUsageState).estimator.draw(queries))

    def _charged(self, queries: Queries, found: Estimates) -> Estimates:
        state = self.fitted(TokenUsageState)
        rows = state.features.transform(queries)
        cost, latency = state.spending.predict(rows, queries)
        sent, said = _tokens(state, rows, queries)
        for j, spec in enumerate(state.pool.values()):
            if spec.price is not None:
                cost[:, j] = _known_first(charges(spec.price, sent[:, j], said[:, j]), cost[:, j])
        if latency is not None and state.pace is not None:
            latency = _known_first(state.pace.predict(said), latency)
        return replace(found, cost_usd=cost, latency_s=latency)

    def tokens(self, queries: Queries) -> tuple[Matrix, Matrix]:
        """Return the expected input and output tokens, each of shape (n, m); NaN for a model whose tokens nobody recorded."""
        state = self.fitted(TokenUsageState)
        return _tokens(state, state.features.transform(queries), queries)

    def explain(self, query: Query) -> dict[str, Any]:
        """Return each model's expected tokens and what its cost rests on, beside what the wrapped estimator tells."""
        state = self.fitted(TokenUsageState)
        sent, said = (counts[0].tolist() for counts in self.tokens(Queries.of(query)))
        recorded = np.isfinite(self.predict_one(query).cost_usd[0]).tolist()
        told = {}
        for j, (name, spec) in enumerate(state.pool.items()):
            rounded = {"input": _rounded(sent[j]), "output": _rounded(said[j])}
            lacking = [what for what, n in rounded.items() if n is None]
            reason = "no price" if spec.price is None else f"no {' and '.join(lacking)} tokens recorded"
            if spec.price is not None and not lacking:
                basis = "price of the tokens"
            else:
                basis = f"recorded costs ({reason})" if recorded[j] else f"unknown ({reason}, no costs recorded)"
            told[name] = {f"{what}_tokens": n for what, n in rounded.items()} | {"cost": basis}
        return state.estimator.explain(query) | {"usage": told}


def _tokens(state: TokenUsageState, rows: Matrix, queries: Queries) -> tuple[Matrix, Matrix]:
    known = described(rows, queries.texts)
    return state.input_tokens.predict(known, queries.texts), state.output_tokens.predict(known)


def _known_first(values: Matrix, instead: Matrix) -> Matrix:
    return np.where(np.isnan(values), instead, values)


def _rounded(value: float) -> int | None:
    return None if np.isnan(value) else round(value)
