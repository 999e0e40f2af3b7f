"""EstimatedRouter: an estimator, then a policy; most of the survey's pre-generation routers are this with other parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset
from pointsman.data.notes import tell_notes
from pointsman.data.queries import Queries
from pointsman.errors import NoEligibleModelError
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.choice import ranked
from pointsman.flow import Plan
from pointsman.models import ModelPool, estimate_tokens
from pointsman.policies.base import Choice, Policy
from pointsman.policies.utility import Utility
from pointsman.routers.base import Decisions, Router, uniform, with_vector
from pointsman.routers.expected import Expected, known_or_none
from pointsman.types import Answer, Constraints, Context, Decision, Query

__all__ = ["EstimatedRouter", "constrained"]

Mask = NDArray[np.bool_]


class EstimatedState(State):
    """The fitted parts and the pool they were fitted on."""

    estimator: Estimator
    policy: Policy
    pool: ModelPool


class EstimatedRouter(Router):
    """Predict every model's quality and cost, then let a policy choose.

    Parameters:
        estimator: What predicts; cloned by `fit`.
        policy: What chooses; cloned by `fit`, and fitted on out-of-fold estimates so that a budget or threshold set on them
            holds on new queries.
        folds: Folds of those estimates, at least 2.
        random_state: Seed of the policy's draws, if it makes any.
        embedder: Name of the embedder that a plan asks for a query's vector when the query brings none.
    """

    estimator: Estimator
    policy: Policy = Utility()
    folds: Annotated[int, Ge(2)] = 5
    random_state: int = 0
    embedder: str | None = None

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that weighs quality against cost, and one that spends a budget."""
        from pointsman.estimators.domain import Domain
        from pointsman.estimators.nearest import Nearest
        from pointsman.features.lexical import Lexical
        from pointsman.policies.budget import MeanBudget

        words = Lexical(bits=10, components=8)
        weighing = cls(estimator=Nearest(features=words, k=5), policy=Utility(cost_weight=50.0))
        table = Domain(features=words, prior=1.0)
        return weighing, cls(estimator=table, policy=MeanBudget(usd=0.001), folds=4, random_state=7)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Fit the estimator and the policy on a dataset and return self; notes of the dataset are logged as warnings."""
        tell_notes(dataset, type(self).__name__)
        data = dataset.canonical()
        policy, estimator = self.policy.clone(), self.estimator.clone()
        if policy.needs_fit:
            policy = policy.fit(estimator.fit_crossed(data, folds=self.folds), data)
        else:
            estimator = estimator.fit(data)
        pool = data.pool if data.pool is not None else ModelPool(data.models)
        return self.with_state(EstimatedState(estimator=estimator, policy=policy, pool=pool.restrict(data.models)))

    @property
    def models(self) -> ModelPool:
        """The models of the dataset it was fitted on."""
        return self.fitted(EstimatedState).pool

    @property
    def asks_once(self) -> bool:
        """Whether a plan whose calls all succeed ends with the answer of its first choice, as it does unless overridden."""
        return type(self).plan is EstimatedRouter.plan

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008
        """Return the policy's choice among the models that can serve the query."""
        state = self.fitted(EstimatedState)
        estimates = state.estimator.predict_one(query)
        excluded, degraded = self.exclusions(query, context)
        allowed, excluded, degraded = constrained(estimates, query.constraints, excluded, degraded)
        mask = None if not excluded else np.array([allowed])
        choice = state.policy.choose(
            estimates,
            allowed=mask,
            point=context.operating_point,
            uniforms=lambda: np.array([uniform(self.random_state, query.id)]),
        )
        return _decision(estimates, choice, excluded, degraded)

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Get the query's embedding, if one is needed and missing, then call down the ranking."""
        return (yield from super().plan((yield from with_vector(query, self.embedder)), context))

    def decide_many(self, queries: Queries | Sequence[Query], context: Context = Context()) -> Decisions:  # noqa: B008
        """Return the decisions of many queries in one pass; queries in columns carry no constraints of their own."""
        if not isinstance(queries, Queries):
            return super().decide_many(queries, context)
        allowed = self._allowed(queries, context)
        return self._choose(self.fitted(EstimatedState).estimator.predict(queries), queries, allowed, context)

    def points(self, queries: Queries) -> tuple[float, ...]:
        """Return the operating points that the policy would sweep."""
        state = self.fitted(EstimatedState)
        return state.policy.points(state.estimator.predict(queries))

    def sweep(
        self,
        queries: Queries | Sequence[Query],
        points: Sequence[float],
        context: Context = Context(),  # noqa: B008
    ) -> Iterator[Decisions]:
        """Yield the decisions at each operating point; queries in columns are estimated once."""
        if not isinstance(queries, Queries):
            yield from super().sweep(queries, points, context)
            return
        estimates = self.fitted(EstimatedState).estimator.predict(queries)
        allowed = self._allowed(queries, context)
        for point in points:
            yield self._choose(estimates, queries, allowed, replace(context, operating_point=point))

    def _allowed(self, queries: Queries, context: Context) -> Mask | None:
        """Return which models can serve which queries, shape (n, m); None where all can serve all."""
        names = self.models.names

        def open_to(query: Query) -> list[bool]:
            left_out, _ = self.exclusions(query, context)
            return [name not in left_out for name in names]

        windows = [spec.context_window for spec in self.models.values() if spec.context_window is not None]
        fits = min(windows, default=0)
        long = [i for i, text in enumerate(queries.texts) if windows and estimate_tokens(len(text)) > fits]
        if len(long) == len(queries):
            mask = np.empty((len(queries), len(names)), dtype=np.bool_)
        else:
            mask = np.tile(np.array(open_to(Query(text=""))), (len(queries), 1))
        for i in long:
            mask[i] = open_to(queries[i])
        return None if mask.all() else mask

    def _choose(self, estimates: Estimates, queries: Queries, allowed: Mask | None, context: Context) -> Decisions:
        state, names = self.fitted(EstimatedState), estimates.models
        choice = state.policy.choose(
            estimates,
            allowed=allowed,
            point=context.operating_point,
            uniforms=lambda: np.array([uniform(self.random_state, i) for i in queries.ids]),
        )
        return Decisions(models=names, model=choice.model, propensity=choice.propensity, scores=choice.scores)


def constrained(
    estimates: Estimates, limits: Constraints, excluded: dict[str, str], degraded: tuple[str, ...]
) -> tuple[list[bool], dict[str, str], tuple[str, ...]]:
    """Apply the limits on predicted cost, latency and quality; a quality nobody reaches is noted, the other limits hold."""
    names = estimates.models
    if limits.max_cost_usd is not None:
        excluded = excluded | _over("cost", "$", estimates.cost_usd[0], limits.max_cost_usd, names)
    if limits.max_latency_s is not None:
        seconds = np.full(len(names), np.nan) if estimates.latency_s is None else estimates.latency_s[0]
        excluded = excluded | _over("latency", "", seconds, limits.max_latency_s, names)
    if len(excluded) == len(names):
        raise NoEligibleModelError(excluded)
    if limits.min_quality is not None:
        quality = estimates.quality[0]
        low = {
            name: f"expected quality {q:.3f} is under the floor of {limits.min_quality:g}"
            for name, q in zip(names, quality.tolist(), strict=True)
            if not q >= limits.min_quality
        }
        if len(excluded | low) < len(names):
            excluded = low | excluded
        else:
            open_ = [name not in excluded for name in names]
            best = int(np.where(open_, quality, -np.inf).argmax())
            degraded = (*degraded, f"no model is expected to reach quality {limits.min_quality:g}; took the best")
            excluded = {name: "not the best expected quality" for name in names if name != names[best]} | excluded
    return [name not in excluded for name in names], excluded, degraded


def _over(what: str, unit: str, values: NDArray[np.float64], limit: float, names: tuple[str, ...]) -> dict[str, str]:
    """Return the models over a limit, or of unknown value, with the reason."""
    over = {}
    for name, value in zip(names, known_or_none(values), strict=True):
        if value is None:
            over[name] = f"its {what} is unknown"
        elif value > limit:
            over[name] = f"expected {what} {unit}{value:.3g} exceeds {unit}{limit:g}"
    return over


def _decision(estimates: Estimates, choice: Choice, excluded: dict[str, str], degraded: tuple[str, ...]) -> Decision:
    names, chosen, scores = estimates.models, int(choice.model[0]), choice.scores[0]
    order = [names[j] for j in ranked(scores, estimates.cost_usd[0]) if j != chosen]
    if excluded:
        order = [name for name in order if name not in excluded]
    latency = None if estimates.latency_s is None else estimates.latency_s[0]
    told = Expected(names, estimates.quality[0], estimates.cost_usd[0], latency, scores, unscored=excluded)
    mine = told[names[chosen]]
    cost = "unknown cost" if mine.cost_usd is None else f"${mine.cost_usd:.3g}"
    return Decision(
        model=names[chosen],
        ranking=(names[chosen], *order),
        propensity=float(choice.propensity[0]),
        estimates=told,
        reason=f"expected quality {mine.quality:.3f} at {cost}, best score of {len(order) + 1} eligible models",
        excluded=excluded,
        degraded=degraded,
    )
