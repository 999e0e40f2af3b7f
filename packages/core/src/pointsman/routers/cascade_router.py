"""CascadeRouter: ask, read, and ask on only while another answer is worth its price; routing and cascading as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.confidence.base import Confidence
from pointsman.data.dataset import RoutingDataset
from pointsman.data.equivalence import Equivalence
from pointsman.data.notes import tell_notes
from pointsman.data.queries import Queries
from pointsman.errors import ConfigError, UnknownCostError
from pointsman.estimators.answer_posterior import AnswerPosterior
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.stacked import Stacked
from pointsman.flow import Plan
from pointsman.models import ModelPool
from pointsman.routers.base import Decisions, Router, with_vector
from pointsman.routers.replayed import Replayed
from pointsman.routers.stepping.honesty import Honesty
from pointsman.routers.stepping.learning import Aim, Lesson, timed
from pointsman.routers.stepping.lookahead import Lookahead
from pointsman.routers.stepping.reader import READINGS, Reader
from pointsman.routers.stepping.replaying import Record, replayed
from pointsman.routers.stepping.running import Running
from pointsman.routers.stepping.walking import Walk
from pointsman.types import Answer, Context, Decision, Query

__all__ = ["CascadeRouter"]


class CascadeRouterState(State):
    """What was learnt: the estimator, the curated models, their columns in its estimates, and how to go through them."""

    estimator: Estimator
    pool: ModelPool
    columns: tuple[int, ...]
    posterior: AnswerPosterior
    lookahead: Lookahead
    honesty: Honesty
    cost_weight: float
    notes: tuple[str, ...]
    reader: Reader | None = None


class CascadeRouter(Router):
    """Choose, at each step, between the answer likeliest to be right and any model not yet asked, by what it is worth.

    Cascade routing (Dekoninck et al., 2025) with a learnt posterior over answers. What the query lets expect of each model and
    who said what so far make the probability of every answer (`AnswerPosterior`); asking another model is worth what the answer
    in hand gains by it, all later choices included, less λ·cost (`Lookahead`). With a `confidence`, what an answer's text shows
    takes the place of what its query promised (`Reader`). Only a few models are ever asked, chosen on the training data. The
    first call is streamed if its answer would end the plan whatever it is, else no call is.

    The operating point is λ, in quality per US dollar. By default it is the highest at which the answers on held-out estimates
    were as good as the best single model's by the rule of `EqualQuality`: surely no more than half a point below. Where none is
    that sure, it goes by the mean.

    Parameters:
        estimator: What predicts quality and cost from the query; cloned by `fit`.
        size: Models that may be asked, at least 1.
        equivalence: When two answers are the same: "exact", "normalised" (case, white space, final punctuation), "numeric" (the
            last number) or "option" (the letter that is named as the answer).
        confidence: What reads each answer by itself, fitted for each model that may be asked, such as `LearnedConfidence`; it
            may take no calls. None only compares answers.
        cost_weight: λ; None for the fitted one.
        budget_usd: What a query may cost on average, all its calls included: λ is then the lowest that keeps to it on the
            training queries. It does not go with `cost_weight`.
        latency_weight: μ, in quality per second, at least 0: what waiting is worth. With it, several models may be asked at
            once, which takes as long as the slowest. A model of unknown latency counts as the slowest of the others.
        folds: Folds of the held-out estimates, at least 2.
        embedder: Name of the embedder that a plan asks for a query's vector when the query brings none.
    """

    tags = Tags(when=frozenset({"multi-stage"}), what=frozenset({"query", "response"}), how=frozenset({"supervised"}))

    estimator: Estimator = Stacked()
    size: Annotated[int, Ge(1), Le(6)] = 3
    equivalence: Equivalence = "normalised"
    confidence: Confidence | None = None
    cost_weight: Annotated[float, Ge(0)] | None = None
    budget_usd: Annotated[float, Gt(0)] | None = None
    latency_weight: Annotated[float, Ge(0)] = 0.0
    folds: Annotated[int, Ge(2)] = 5
    embedder: str | None = None

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that learns its price on cost, one that is given it, one with a budget, and one that reads texts."""
        from pointsman.confidence.learned import LearnedConfidence
        from pointsman.estimators.domain import Domain
        from pointsman.estimators.nearest import Nearest
        from pointsman.features.lexical import Lexical

        words = Lexical(bits=10, components=8)
        near = Nearest(features=words, k=5)
        reading = LearnedConfidence(features=words, wording=None)
        return (
            cls(estimator=Domain(features=words, prior=1.0)),
            cls(estimator=near, cost_weight=20.0, folds=3),
            cls(estimator=near, budget_usd=0.002, folds=2, latency_weight=0.1),
            cls(estimator=near, confidence=reading, folds=2),
        )

    def __post_init__(self) -> None:
        """Validate the parameters, and that one thing only sets λ."""
        super().__post_init__()
        if self.cost_weight is not None and self.budget_usd is not None:
            raise ConfigError("CascadeRouter takes a cost_weight or a budget_usd, not both.")

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn the estimator, whom to ask and what answers are worth, and return self.

        Without recorded answers no agreement can be learnt: every answer counts as different, and decisions say so.
        """
        tell_notes(dataset, type(self).__name__)
        data, estimator = dataset.canonical(), self.estimator.clone()
        return self.learn(data, estimator.fit_crossed(data, folds=self.folds), estimator)

    def learn(self, data: RoutingDataset, held: Estimates, estimator: Estimator) -> Self:
        """Learn from data in canonical order, estimates of its rows by parts that had not seen them, and a fitted estimator."""
        aim = Aim(budget_usd=self.budget_usd, haste=self.latency_weight)
        lesson = Lesson.of(data, held, self.equivalence, self.size, self.confidence, self.folds, aim)
        pool = data.pool if data.pool is not None else ModelPool(data.models)
        return self.with_state(
            CascadeRouterState(
                estimator=estimator,
                pool=pool.restrict(tuple(data.models[j] for j in lesson.columns)),
                columns=lesson.columns,
                posterior=lesson.posterior,
                lookahead=lesson.lookahead,
                honesty=lesson.honesty,
                cost_weight=lesson.cost_weight,
                reader=lesson.reader,
                notes=()
                if data.answers is not None or data.responses is not None
                else ("learnt without answers, so agreement counts for nothing",),
            )
        )

    @property
    def models(self) -> ModelPool:
        """The models that may be asked."""
        return self.fitted(CascadeRouterState).pool

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Return whom to ask first; the plan decides on after each answer."""
        return self._running(query, context).first()

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Ask on while it is worth it, and answer with what is likeliest right; a failed call never costs an answer in hand."""
        query = yield from with_vector(query, self.embedder)
        return (yield from self._running(query, context).plan())

    def points(self, queries: Queries) -> tuple[float, ...]:
        """Return the cost weights that were learnt for; () where costs are unknown."""
        grid: list[float] = self.fitted(CascadeRouterState).lookahead.grid.tolist()
        return tuple(grid) if len(grid) > 1 else ()

    def decide_many(self, queries: Queries | Sequence[Query], context: Context = Context()) -> Decisions:  # noqa: B008
        """Return the first steps of many queries in one pass; queries in columns carry no constraints of their own."""
        if not isinstance(queries, Queries):
            return super().decide_many(queries, context)
        allowed = self._allowed(queries, context)
        walk = self._walk(self.fitted(CascadeRouterState).estimator.predict(queries), allowed, context)
        scores = walk.scores(0, walk.stand(0, walk.unasked()))
        chosen = walk.lead(walk.step(scores, 0, allowed))
        alone = scores[:, : len(self.models)]
        return Decisions(models=self.models.names, model=chosen, propensity=np.ones(len(queries)), scores=alone)

    def replay(
        self,
        dataset: RoutingDataset,
        points: Sequence[float | None],
        context: Context = Context(),  # noqa: B008
    ) -> Iterator[Replayed]:
        """Yield, at each operating point, how all queries end on recorded answers: what driving their plans would give."""
        found = self.fitted(CascadeRouterState).estimator.predict(dataset.queries)
        yield from self.replay_estimated(dataset, found, points, context)

    def replay_estimated(
        self,
        dataset: RoutingDataset,
        found: Estimates,
        points: Sequence[float | None] | NDArray[np.float64],
        context: Context = Context(),  # noqa: B008
    ) -> Iterator[Replayed]:
        """Yield what `replay` does, by given estimates of the dataset's queries."""
        state, allowed = self.fitted(CascadeRouterState), self._allowed(dataset.queries, context)
        quality = found.quality[:, list(state.columns)]
        record = Record.of(dataset, self.models.names, self.equivalence, quality, state.reader)
        for point in points:
            walk = self._walk(found, allowed, replace(context, operating_point=point))
            yield replayed(walk, state.honesty, record, allowed)

    def _allowed(self, queries: Queries, context: Context) -> NDArray[np.bool_]:
        names = self.models.names
        left_out = [self.exclusions(queries[i], context)[0] for i in range(len(queries))]
        return np.array([[name not in out for name in names] for out in left_out], dtype=np.bool_).reshape(
            -1, len(names)
        )

    def _walk(self, found: Estimates, allowed: NDArray[np.bool_], context: Context) -> Walk:
        state = self.fitted(CascadeRouterState)
        columns, point = list(state.columns), context.operating_point
        weight = point if point is not None else self.cost_weight if self.cost_weight is not None else state.cost_weight
        spending = found.cost_usd[:, columns]
        unknown = np.argwhere(np.isnan(spending) & allowed)[:, 1].tolist() if weight else []
        if unknown:
            names = {self.models.names[j] for j in unknown}
            raise UnknownCostError(names, "a cascade with a cost weight")
        return Walk(
            posterior=state.posterior,
            lookahead=state.lookahead,
            quality=found.quality[:, columns],
            spending=spending,
            weight=weight,
            waiting=timed(found, columns) if self.latency_weight else None,
            readings=() if state.reader is None else READINGS,
        )

    def _running(self, query: Query, context: Context) -> Running:
        excluded, degraded = self.exclusions(query, context)
        allowed = np.array([[name not in excluded for name in self.models]])
        walk = self._walk(self.fitted(CascadeRouterState).estimator.predict_one(query), allowed, context)
        notes = (*self.fitted(CascadeRouterState).notes, *degraded)
        return Running(
            names=self.models.names,
            walk=walk,
            honesty=self.fitted(CascadeRouterState).honesty,
            excluded=excluded,
            degraded=notes,
            equivalence=self.equivalence,
            query=query,
            context=context,
            reader=self.fitted(CascadeRouterState).reader,
        )
