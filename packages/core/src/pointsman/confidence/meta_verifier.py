"""MetaVerifier: what a score says about how much the last model of a cascade would gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.confidence.base import Confidence, Scored, by_cost, prefixes
from pointsman.confidence.held_out import held_out_scores
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["MetaVerifier"]

Vector = NDArray[np.float64]


class MetaState(State):
    """The fitted confidence, the edges of the observations (b - 1,), and the expected gain after each of them and overall."""

    confidence: Confidence
    edges: Vector
    models: tuple[str, ...]
    gain: Vector


class MetaVerifier(Confidence):
    """(1 − g) / 2, where g is the gain in quality that escalating is expected to bring, given another confidence's score.

    The one-step POMDP of AutoMix (NeurIPS 2024, arXiv 2310.12963). A query is *good* (the answer will do), *needy* (the last
    model would do better) or *hopeless* (neither would), which nobody sees; a score is an observation of it. The belief after
    an observation is the share of each state among calibration queries with such a score, and what counts is P(needy) less the
    chance that the last model does worse: so a low score need not mean that escalating helps, and the map from scores to gains
    may go up and down. Escalating pays where g exceeds λ times its cost, which is a threshold on this score.

    Parameters:
        confidence: Whose score is observed; cloned by `fit`.
        bins: Observations that are told apart: quantiles of the scores.
        prior: How many queries the mean gain is worth in each of them.
        folds: Parts that take turns at being held out, where the confidence learns.
    """

    tags: ClassVar[Tags] = Tags(
        when=frozenset({"post-generation"}), what=frozenset({"query", "response"}), how=frozenset({"supervised"})
    )

    confidence: Confidence
    bins: Annotated[int, Ge(2)] = 8
    prior: Annotated[float, Ge(0)] = 10.0
    folds: Annotated[int, Ge(2)] = 5

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that observes agreement among samples."""
        from pointsman.confidence.consistency import SelfConsistency

        return (cls(confidence=SelfConsistency(samples=3), bins=3, prior=2.0),)

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        """What the inner confidence needs."""
        return self.confidence.needs

    @property
    def asks(self) -> Mapping[str, Any]:  # type: ignore[override]
        """What the inner confidence asks for."""
        return self.confidence.asks

    def fit(self, dataset: RoutingDataset, order: Sequence[str] | None = None) -> Self:
        """Estimate the gain of the last model after each observation of each model before it; return self."""
        data = dataset.canonical()
        order = by_cost(data) if order is None else tuple(order)
        scored = held_out_scores(self.confidence, data, order, ran=prefixes(order)[:-1], folds=self.folds)
        last = data.quality[:, data.models.index(order[-1])]
        gains = [last - data.quality[:, data.models.index(name)] for name in order[:-1]]
        pairs = [(s.score[k], g[k]) for s, g in zip(scored, gains, strict=True) if (k := _known(s.score, g)).any()]
        if not pairs:
            raise DataError("MetaVerifier needs queries with a score and with qualities of two models; there are none.")
        score = np.concatenate([one for one, _ in pairs])
        edges = np.unique(np.quantile(score, np.linspace(0, 1, self.bins + 1)[1:-1]))
        overall = float(np.concatenate([gain for _, gain in pairs]).mean())
        table = [self._gains(s.score, g, edges, overall) for s, g in zip(scored, gains, strict=True)]
        clone = self.confidence.clone()
        return self.with_state(
            MetaState(
                confidence=clone.fit(data, order) if clone.learns else clone,
                edges=edges,
                models=order[:-1],
                gain=np.array([*table, np.full(len(edges) + 1, overall)]),
            )
        )

    def _gains(self, score: Vector, gain: Vector, edges: Vector, overall: float) -> Vector:
        """Return the mean gain after each observation, shrunk to the overall one."""
        known = _known(score, gain)
        seen = np.searchsorted(edges, score[known], side="right")
        count = np.bincount(seen, minlength=len(edges) + 1)
        total = np.bincount(seen, weights=gain[known], minlength=len(edges) + 1)
        shrunk = (total + self.prior * overall) / np.maximum(count + self.prior, 1e-9)
        return np.where(count + self.prior > 0, shrunk, overall)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Observe the last response's score."""
        score = yield from self.fitted(MetaState).confidence.assess(query, responses, context)
        return None if score is None else float(self._map(np.array([score]), responses[-1].model)[0])

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Return what the scores of all rows say."""
        found = self.fitted(MetaState).confidence.recorded(dataset, ran)
        return replace(found, score=self._map(found.score, ran[-1]))

    def _map(self, score: Vector, model: str) -> Vector:
        state = self.fitted(MetaState)
        row = state.models.index(model) if model in state.models else -1
        known = np.isfinite(score)
        seen = np.searchsorted(state.edges, np.where(known, score, 0.0), side="right")
        result: Vector = np.where(known, (1 - state.gain[row][seen]) / 2, np.nan)
        return result


def _known(score: Vector, gain: Vector) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(score) & np.isfinite(gain), dtype=np.bool_)
