"""RoutedCascade: a router chooses where to begin, and doubtful answers go up from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Gt, MinLen
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.confidence.base import Confidence, Scored, prefixes
from pointsman.confidence.held_out import held_out_scores
from pointsman.confidence.learned import LearnedConfidence
from pointsman.data.dataset import RoutingDataset
from pointsman.data.notes import tell_notes
from pointsman.data.queries import Queries
from pointsman.data.splits import folds as split
from pointsman.errors import ConfigError, DataError, choices
from pointsman.estimators.base import Estimates
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.routers.cascading import Cascading, Course
from pointsman.routers.ladder import Ladder
from pointsman.routers.thresholds import Goal, search
from pointsman.types import Query

__all__ = ["RoutedCascade"]

Vector = NDArray[np.float64]
_POINTS = 33


class RoutedState(State):
    """The fitted router and confidence, the pool with its averages, and the thresholds of all models but the last."""

    start: Router
    confidence: Confidence
    pool: ModelPool
    estimates: Vector
    thresholds: Vector
    points: Vector


class RoutedCascade(Cascading):
    """Let a router choose the first model from the query, then go up the order while an answer is not sure enough.

    With clusters as the router and a learnt confidence it is CRE-Router (arXiv 2606.27457): the query says where to begin, the
    response whether to go on. Thresholds are set on held-out scores after held-out choices, as `Cascade` sets its own. The
    operating point is one threshold for all models.

    Parameters:
        order: The models, from the cheapest to the dearest.
        start: The router that chooses among them; cloned by `fit`, which fits it on these models.
        confidence: What scores an answer; cloned by `fit`.
        keep: Share of the mean quality of the best of these models to keep.
        budget_usd: Mean dollars per query to spend at most, instead of `keep`.
        folds: Parts that take turns at being held out.
    """

    order: Annotated[tuple[str, ...], MinLen(2)]
    start: Router
    confidence: Confidence = LearnedConfidence()
    keep: Annotated[float, Gt(0)] = 1.0
    budget_usd: Annotated[float, Gt(0)] | None = None
    folds: Annotated[int, Ge(2)] = 5

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that begins by clusters of questions."""
        from pointsman.confidence.consistency import SelfConsistency
        from pointsman.estimators.clusters import Clusters
        from pointsman.features.lexical import Lexical
        from pointsman.policies.utility import Utility
        from pointsman.routers.estimated import EstimatedRouter

        clusters = Clusters(features=Lexical(bits=10, components=4), clusters=4)
        start = EstimatedRouter(estimator=clusters, policy=Utility(cost_weight=100.0))
        sampled = SelfConsistency(samples=2)
        return (cls(order=("small", "medium", "large"), start=start, confidence=sampled, folds=2),)

    def __post_init__(self) -> None:
        """Validate the parameters, and that the order repeats no model."""
        super().__post_init__()
        if repeated := {name for name in self.order if self.order.count(name) > 1}:
            raise ConfigError(f"RoutedCascade.order repeats {choices(repeated)}.")

    def fit(self, dataset: RoutingDataset) -> Self:
        """Fit router and confidence, set the thresholds, and return self.

        Raises:
            DataError: When models are missing, or no answer has a score.
        """
        tell_notes(dataset, type(self).__name__)
        if unknown := set(self.order) - set(dataset.models):
            raise DataError(f"The dataset has no model {choices(unknown)}; it has {choices(dataset.models)}.")
        data = dataset.canonical().only(self.order)
        goal = Goal(quality=self.keep * float(np.nanmax(data.mean_quality)))
        if self.budget_usd is not None:
            goal = Goal(usd=self.budget_usd)
        ladder = self._ladder_from(data, self._held_out_starts(data))
        score = ladder.score[np.isfinite(ladder.score)]
        if not len(score) and (ladder.start is None or (ladder.start < ladder.rungs - 1).any()):
            raise DataError(
                f"No answer has a score by {type(self.confidence).__name__}, so thresholds cannot be learnt."
            )
        inner = np.quantile(score, np.linspace(0, 1, _POINTS)) if len(score) else np.zeros(0)
        confidence = self.confidence.clone()
        return self.with_state(
            RoutedState(
                start=_fitted(self.start, data),
                confidence=confidence.fit(data, self.order) if confidence.learns else confidence,
                pool=(data.pool or ModelPool(data.models)).restrict(self.order),
                estimates=np.array([data.mean_quality, data.mean_cost_usd]),
                thresholds=np.array(search(ladder, goal).thresholds),
                points=np.unique(np.r_[0.0, inner, 1.5]),
            )
        )

    def _held_out_starts(self, data: RoutingDataset) -> NDArray[np.intp]:
        """Return the rung that each query begins on, by a router that had not seen it."""
        begin = np.zeros(len(data), dtype=np.intp)
        for train, held in split(data, self.folds):
            names = _fitted(self.start, data.take(train)).decide_many(data.queries.take(held)).names
            begin[held] = [self.order.index(name) for name in names]
        return begin

    def _ladder_from(self, data: RoutingDataset, begin: NDArray[np.intp]) -> Ladder:
        """Return the rungs that each query meets, scored as if those below had not run."""
        n, below = len(data), len(self.order) - 1
        score, usd, calls = np.full((n, below), np.nan), np.zeros((n, below)), np.zeros((n, below))
        for first in np.unique(begin).tolist():
            lists = prefixes(self.order[first:])[:-1]
            found = held_out_scores(self.confidence, data, self.order, ran=lists, folds=self.folds)
            rows = begin == first
            for rung, scored in enumerate(found, start=first):
                score[rows, rung], usd[rows, rung] = scored.score[rows], scored.cost_usd[rows]
                calls[rows, rung] = scored.calls[rows]
        parts = [Scored(score=score[:, i], cost_usd=usd[:, i], calls=calls[:, i]) for i in range(below)]
        plain = Ladder.of(data, self.order, parts)
        return Ladder(
            score=plain.score,
            quality=plain.quality,
            cost_usd=plain.cost_usd,
            check_usd=plain.check_usd,
            checks=plain.checks,
            kept=plain.kept,
            start=begin,
        )

    @property
    def models(self) -> ModelPool:
        """The models of the order."""
        return self.fitted(RoutedState).pool

    @property
    def judge(self) -> Confidence:
        """The fitted confidence."""
        return self.fitted(RoutedState).confidence

    def course(self, point: float | None = None) -> Course:
        """Return the order with the thresholds learnt, or with one threshold for all."""
        limits: Sequence[float] = self.fitted(RoutedState).thresholds.tolist()
        if point is not None:
            limits = (point,) * (len(self.order) - 1)
        return Course(rungs=self.order, thresholds=dict(zip(self.order, limits, strict=False)), note="routed cascade")

    def points(self, queries: Queries) -> tuple[float, ...]:
        """Return thresholds between accepting everything and nothing."""
        del queries
        return tuple(self.fitted(RoutedState).points.tolist())

    def expected(self) -> Estimates:
        """Return the models' averages."""
        at = [self.order.index(name) for name in sorted(self.order)]
        quality, cost = self.fitted(RoutedState).estimates[:, None, at]
        return Estimates(models=tuple(sorted(self.order)), quality=quality, cost_usd=cost)

    def worth(self, query: Query, course: Course) -> Mapping[str, str]:
        """Return the rungs below the one that the router chooses."""
        bare = Query(text=query.text, id=query.id, domain=query.domain, embedding=query.embedding)
        first = self.fitted(RoutedState).start.decide(bare).model
        below = self.order[: self.order.index(first)]
        return dict.fromkeys(below, f"the router begins with {first}")


def _fitted(router: Router, data: RoutingDataset) -> Router:
    clone = router.clone()
    return clone.fit(data) if hasattr(clone, "fit") else clone
