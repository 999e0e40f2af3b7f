"""Honest components: small ones that pass every check; each saboteur is one of them with one thing broken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.confidence.base import Confidence
from pointsman.confidence.equivalence import Equivalence, KeyedEquivalence, share_of_last
from pointsman.data.dataset import RoutingDataset, column_means
from pointsman.data.queries import Queries
from pointsman.estimators.base import Estimates, Estimator
from pointsman.features.base import Features
from pointsman.flow import Plan
from pointsman.policies.base import Policy
from pointsman.policies.utility import Utility
from pointsman.routers.cascade import Cascade
from pointsman.routers.estimated import EstimatedRouter
from pointsman.types import Call, Context, Query, Response

__all__ = [
    "NOW",
    "HonestCascade",
    "HonestConfidence",
    "HonestEquivalence",
    "HonestEstimator",
    "HonestFeatures",
    "HonestPolicy",
    "HonestRouter",
    "TableState",
]

Matrix = NDArray[np.float64]
NOW = Context()


class LengthsState(State):
    """The mean length of the training texts."""

    mean: float


class HonestFeatures(Features):
    """The length of a text and its number of words, beside what is usual.

    Parameters:
        scale: A factor on all features.
    """

    breaks: ClassVar[tuple[str, ...]] = ()

    scale: Annotated[float, Gt(0)] = 0.5

    def fit(self, queries: Queries) -> Self:
        """Remember the mean length and return self."""
        return self.with_state(LengthsState(mean=float(np.mean([len(text) for text in queries.texts]))))

    def transform(self, queries: Queries) -> Matrix:
        """Return two numbers per text."""
        mean = self.fitted(LengthsState).mean
        rows = [[np.log1p(len(text) / mean), np.log1p(len(text.split()))] for text in queries.texts]
        return np.array(rows, dtype=np.float64).reshape(-1, 2) * self.scale


class TableState(State):
    """The fitted features, where long texts begin, and the average outcomes of short and of long ones, shape (2, m)."""

    features: Features
    models: tuple[str, ...]
    cut: float
    quality: Matrix
    cost_usd: Matrix


class HonestEstimator(Estimator):
    """What models scored and cost on average on short texts, and on long ones.

    Parameters:
        features: The map whose first column tells short from long; cloned by `fit`.
        prior: Pseudo-queries of each kind that score the overall mean.
    """

    breaks: ClassVar[tuple[str, ...]] = ()

    features: Features = HonestFeatures()
    prior: Annotated[float, Ge(0)] = 1.0

    def fit(self, dataset: RoutingDataset) -> Self:
        """Average the outcomes and return self."""
        data = dataset.canonical()
        features = self.features.clone().fit(data.queries)
        lengths = features.transform(data.queries)[:, 0]
        cut = float(np.median(lengths))
        return self.with_state(
            TableState(
                features=features,
                models=data.models,
                cut=cut,
                quality=self._averages(data.quality, lengths > cut),
                cost_usd=self._averages(data.cost_usd, lengths > cut),
            )
        )

    def _averages(self, values: Matrix, long: NDArray[np.bool_]) -> Matrix:
        """Return the means of each column over short and over long texts, shape (2, m), skipping what was not observed."""
        overall, halves = column_means(values), (values[~long], values[long])
        counts = np.stack([np.isfinite(half).sum(axis=0) for half in halves])
        totals = np.stack([np.nansum(half, axis=0) for half in halves])
        return (totals + self.prior * overall) / (counts + self.prior)

    def predict(self, queries: Queries) -> Estimates:
        """Return the averages for texts of that length."""
        state = self.fitted(TableState)
        kind = (state.features.transform(queries)[:, 0] > state.cut).astype(np.intp)
        return Estimates(models=state.models, quality=state.quality[kind], cost_usd=state.cost_usd[kind])


class HonestPolicy(Utility):
    """Quality, less what money and time are worth."""

    breaks: ClassVar[tuple[str, ...]] = ()

    cost_weight: float = 50.0
    latency_weight: float = 0.01


class HonestEquivalence(KeyedEquivalence):
    """Answers are the same when their first letters are.

    Parameters:
        letters: How many letters count.
    """

    breaks: ClassVar[tuple[str, ...]] = ()

    letters: Annotated[int, Ge(1)] = 1

    def key(self, answer: str) -> str | None:
        """Return the first letters."""
        return answer.strip().lower()[: self.letters] or None


class LevelState(State):
    """The mean quality of all outcomes."""

    level: float


class HonestConfidence(Confidence):
    """The mean of two shares: of two samples that say the same as the response, and of good outcomes overall.

    Parameters:
        equivalence: What says the same.
    """

    breaks: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[frozenset[str]] = frozenset({"text", "samples"})

    equivalence: Equivalence = HonestEquivalence(letters=9)

    def fit(self, dataset: RoutingDataset, order: Sequence[str] | None = None) -> Self:
        """Remember the share and return self."""
        known = dataset.canonical().quality
        return self.with_state(LevelState(level=float(known[np.isfinite(known)].mean())))

    def assess(self, query: Query, responses: Sequence[Response], context: Context = NOW) -> Plan[float | None]:
        """Sample twice and compare."""
        level = self.fitted(LevelState).level
        outcomes = yield (Call(model=responses[-1].model, purpose="sample"),) * 2
        drawn = [outcome.text for outcome in outcomes if isinstance(outcome, Response)]
        if not drawn:
            return None
        groups = yield from self.equivalence.groups(query, [*drawn, responses[-1].text])
        return (share_of_last(groups) + level) / 2


class HonestRouter(EstimatedRouter):
    """The honest estimator, then the honest policy."""

    breaks: ClassVar[tuple[str, ...]] = ()

    estimator: Estimator = HonestEstimator()
    policy: Policy = HonestPolicy()

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one with the defaults."""
        return (cls(),)


class HonestCascade(Cascade):
    """The small model, then the large one, by the honest confidence."""

    breaks: ClassVar[tuple[str, ...]] = ()

    order: tuple[str, ...] = ("small", "large")
    confidence: Confidence = HonestConfidence()
    folds: int = 2

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one with the defaults."""
        return (cls(),)
