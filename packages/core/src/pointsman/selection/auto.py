"""AutoRouter: the best router that the outcomes at hand bear out, and the single model where they bear out none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Self

from pointsman.data.dataset import RoutingDataset
from pointsman.data.notes import tell_notes
from pointsman.data.queries import Queries
from pointsman.errors import ConfigError
from pointsman.estimators.averages import training_data
from pointsman.estimators.base import Estimator
from pointsman.estimators.stacked import Stacked, StackedState
from pointsman.estimators.together import names_of
from pointsman.flow import Plan
from pointsman.models import ModelPool
from pointsman.policies.base import Policy
from pointsman.policies.equal_quality import EqualQuality
from pointsman.routers.base import Decisions, with_vector
from pointsman.routers.cascade_router import CascadeRouter
from pointsman.routers.estimated import EstimatedRouter, EstimatedState
from pointsman.routers.replayed import Replayed
from pointsman.selection.choosing.considering import considered
from pointsman.selection.choosing.findings import Findings
from pointsman.selection.choosing.pruning import dominated
from pointsman.selection.choosing.trying import tried
from pointsman.types import Answer, Context, Decision, Query

__all__ = ["AutoRouter"]


class AutoState(EstimatedState):
    """The fitted parts, the cascade that takes over if one does, and what led to them."""

    findings: Findings
    cascade: CascadeRouter | None


class AutoRouter(EstimatedRouter):
    """Route by a stack of estimators that is trusted as far as held-out queries bear it out, and no further.

    Models that others dominate are left out; several estimators are cross-validated and averaged; their differences from the
    best single model shrink to what they proved worth, down to nothing, which leaves that model the choice; at the
    quality-first setting a query unlike those learnt from stays with it, too. One configuration serves all data.

    Parameters:
        estimator: The stack; cloned by `fit`.
        policy: What chooses; by default the cheapest setting that is as good as the best single model on held-out queries. An
            operating point of 0 puts quality first.
        folds: Parts that take turns at being held out.
        random_state: Seed of the policy's draws, if it makes any.
        embedder: Name of the embedder that a plan asks for a query's vector when the query brings none.
        cascade: A cascade to hold beside it where the data have answers, on the same estimates; it takes over where held-out
            queries bear out that it is worth more. It asks several models for some queries, and none of its drafts is
            streamed. It goes with `EqualQuality`, since both are set by a price on cost.

    Raises:
        ConfigError: When the estimator is no `Stacked`, or a cascade comes with another policy.
    """

    estimator: Estimator = Stacked()
    policy: Policy = EqualQuality()
    cascade: CascadeRouter | None = None

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one of a small stack, at the default setting and within a budget."""
        from pointsman.policies.budget import MeanBudget

        small = Stacked.examples()[0]
        thrifty = cls(estimator=small, policy=MeanBudget(usd=0.001), folds=4, random_state=7)
        return cls(estimator=small), thrifty, cls(estimator=small, cascade=CascadeRouter())

    def __post_init__(self) -> None:
        """Validate the parameters, and that the estimator is a stack."""
        super().__post_init__()
        if not isinstance(self.estimator, Stacked):
            raise ConfigError(f"AutoRouter.estimator must be a Stacked, got a {type(self.estimator).__name__}.")
        if self.cascade is not None and not isinstance(self.policy, EqualQuality):
            raise ConfigError(f"AutoRouter.cascade goes with the policy EqualQuality, not with {self.policy!r}.")

    def fit(self, dataset: RoutingDataset) -> Self:
        """Leave out dominated models, fit the stack and the policy, keep what was found, and return self.

        Notes of the dataset are logged as warnings.
        """
        tell_notes(dataset, type(self).__name__)
        data = dataset.canonical()
        pruned = dominated(data)
        kept = training_data(data.only(tuple(name for name in data.models if name not in pruned)))
        estimator, policy = self.estimator.clone(), self.policy.clone()
        assert isinstance(estimator, Stacked)  # noqa: S101 - validated at construction
        held = estimator.fit_held(kept, folds=self.folds)
        if policy.needs_fit:
            policy = policy.fit(held.estimates(), kept)
        trust = held.trust()
        cascade, beside = None, None
        if self.cascade is not None and (kept.answers is not None or kept.responses is not None):
            cascade, beside = considered(self.cascade, estimator, held.estimates(), kept)
        found = Findings(
            queries=len(kept),
            incumbent=kept.models[held.incumbent],
            models=kept.models,
            pruned=pruned,
            shares={name: float(share) for name, share in zip(names_of(estimator.members), trust.shares, strict=True)},
            trust=trust.factor,
            slope=trust.slope,
            error=trust.error,
            familiarity=estimator.fitted(StackedState).familiarity is not None,
            policy=repr(self.policy),
            tried=tried(held, estimator.members, self.policy, kept),
            considered=beside,
            cascades=cascade is not None,
        )
        pool = kept.pool if kept.pool is not None else ModelPool(kept.models)
        state = AutoState(
            estimator=estimator, policy=policy, pool=pool.restrict(kept.models), findings=found, cascade=cascade
        )
        return self.with_state(state)

    def findings(self) -> Findings:
        """Return what was tried, what was chosen, and why; raise NotFittedError before `fit`."""
        return self.fitted(AutoState).findings

    @property
    def asks_once(self) -> bool:
        """Whether no cascade took over."""
        return self._cascade is None

    @property
    def _cascade(self) -> CascadeRouter | None:
        return self.fitted(AutoState).cascade

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Return the policy's choice, or whom the cascade asks first."""
        return super().decide(query, context) if self._cascade is None else self._cascade.decide(query, context)

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Call down the ranking, or ask on while it is worth it where a cascade took over."""
        query = yield from with_vector(query, self.embedder)
        if self._cascade is not None:
            return (yield from self._cascade.plan(query, context))
        return (yield from super().plan(query, context))

    def decide_many(self, queries: Queries | Sequence[Query], context: Context = Context()) -> Decisions:  # noqa: B008
        """Return the decisions of many queries in one pass; those of the cascade are its first steps."""
        return (super().decide_many if self._cascade is None else self._cascade.decide_many)(queries, context)

    def points(self, queries: Queries) -> tuple[float, ...]:
        """Return the prices on cost to sweep."""
        return (super().points if self._cascade is None else self._cascade.points)(queries)

    def sweep(
        self,
        queries: Queries | Sequence[Query],
        points: Sequence[float],
        context: Context = Context(),  # noqa: B008
    ) -> Iterator[Decisions]:
        """Yield the decisions at each operating point."""
        yield from (super().sweep if self._cascade is None else self._cascade.sweep)(queries, points, context)

    def replay(
        self,
        dataset: RoutingDataset,
        points: Sequence[float | None],
        context: Context = Context(),  # noqa: B008
    ) -> Iterator[Replayed]:
        """Yield, at each operating point, what driving every query's plan on recorded answers comes to."""
        if self._cascade is not None:
            yield from self._cascade.replay(dataset, points, context)
            return
        for point in points:
            yield Replayed.of(dataset, self.decide_many(dataset.queries, replace(context, operating_point=point)))
