"""Calibrated: another confidence's scores as probabilities of being right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.confidence.agreement import Agreement
from pointsman.confidence.base import Confidence, Scored, by_cost
from pointsman.confidence.calibration import CurveState, Method, fit_curve
from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.held_out import held_out_scores
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["Calibrated"]

Vector = NDArray[np.float64]


class CalibratedState(State):
    """The fitted confidence, the map of all models together, each model's own, and how far to believe that."""

    confidence: Confidence
    pooled: CurveState
    models: tuple[str, ...]
    own: tuple[CurveState, ...]
    trust: Vector


class Calibrated(Confidence):
    """The probability that the last response is right, given another confidence's score of it.

    Every model has a map of its own, mixed with that of all models together by n / (n + prior), where n is how often its score
    is known; a model never seen has the common one. All maps are non-decreasing, so a model's responses keep their order.
    Where a confidence learns too, the maps are fitted on its scores of queries that it had not seen.

    Parameters:
        confidence: What is calibrated; cloned by `fit`.
        method: "isotonic", "platt", "temperature" or "beta"; the last three need fewer rows.
        prior: How many rows the common map, and within each map the mean, are worth.
        folds: Parts that take turns at being held out, where the confidence learns.
    """

    tags: ClassVar[Tags] = Tags(
        when=frozenset({"post-generation"}), what=frozenset({"query", "response"}), how=frozenset({"supervised"})
    )

    confidence: Confidence
    method: Method = "isotonic"
    prior: Annotated[float, Ge(0)] = 20.0
    folds: Annotated[int, Ge(2)] = 5

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one with knots and one with parameters."""
        return cls(confidence=SelfConsistency(samples=3)), cls(confidence=Agreement(), method="beta", prior=5.0)

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """What the inner confidence needs."""
        return self.confidence.needs

    @property
    def asks(self) -> Mapping[str, Any]:  # type: ignore[override]
        """What the inner confidence asks for."""
        return self.confidence.asks

    def fit(self, dataset: RoutingDataset, order: Sequence[str] | None = None) -> Self:
        """Fit the confidence, and the maps on its held-out scores; return self.

        Raises:
            DataError: When no response has both a score and a quality.
        """
        data = dataset.canonical()
        order = by_cost(data) if order is None else tuple(order)
        scored = held_out_scores(self.confidence, data, order, folds=self.folds)
        pairs = []
        for name, found in zip(order, scored, strict=True):
            quality = data.quality[:, data.models.index(name)]
            known = np.isfinite(found.score) & np.isfinite(quality)
            pairs.append((found.score[known], quality[known]))
        score, quality = (np.concatenate(column) for column in zip(*pairs, strict=True))
        if not len(score):
            raise DataError(f"No response has a score by {type(self.confidence).__name__} and a known quality.")
        seen = [(name, *pair) for name, pair in zip(order, pairs, strict=True) if len(pair[0])]
        counts = np.array([len(own) for _, own, _ in seen], dtype=np.float64)
        state = CalibratedState(
            confidence=self._trained(data, order),
            pooled=fit_curve(score, quality, self.method, prior=self.prior),
            models=tuple(name for name, _, _ in seen),
            own=tuple(fit_curve(own, right, self.method, prior=self.prior) for _, own, right in seen),
            trust=counts / np.maximum(counts + self.prior, 1e-9),
        )
        return self.with_state(state)

    def _trained(self, data: RoutingDataset, order: Sequence[str]) -> Confidence:
        clone = self.confidence.clone()
        return clone.fit(data, order) if clone.learns else clone

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Return the probability that the last response is right."""
        state = self.fitted(CalibratedState)
        score = yield from state.confidence.assess(query, responses, context)
        return None if score is None else float(self._map(np.array([score]), responses[-1].model)[0])

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Return the probabilities of all rows."""
        found = self.fitted(CalibratedState).confidence.recorded(dataset, ran)
        return replace(found, score=self._map(found.score, ran[-1]))

    def _map(self, score: Vector, model: str) -> Vector:
        state = self.fitted(CalibratedState)
        common = state.pooled(score)
        if model not in state.models:
            return common
        at = state.models.index(model)
        trust = state.trust[at]
        mixed: Vector = trust * state.own[at](score) + (1 - trust) * common
        return mixed
