"""AutoRouter: the best router that the outcomes at hand bear out, and the single model where they bear out none."""

from __future__ import annotations

from typing import Self

from pointsman.data.dataset import RoutingDataset
from pointsman.data.notes import tell_notes
from pointsman.errors import ConfigError
from pointsman.estimators.averages import training_data
from pointsman.estimators.base import Estimator
from pointsman.estimators.stacked import Stacked, StackedState
from pointsman.estimators.together import names_of
from pointsman.models import ModelPool
from pointsman.policies.base import Policy
from pointsman.policies.equal_quality import EqualQuality
from pointsman.routers.estimated import EstimatedRouter, EstimatedState
from pointsman.selection.choosing.findings import Findings
from pointsman.selection.choosing.pruning import dominated
from pointsman.selection.choosing.trying import tried

__all__ = ["AutoRouter"]


class AutoState(EstimatedState):
    """The fitted parts, and what led to them."""

    findings: Findings


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
    """

    estimator: Estimator = Stacked()
    policy: Policy = EqualQuality()

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one of a small stack, at the default setting and within a budget."""
        from pointsman.policies.budget import MeanBudget

        small = Stacked.examples()[0]
        return cls(estimator=small), cls(estimator=small, policy=MeanBudget(usd=0.001), folds=4, random_state=7)

    def __post_init__(self) -> None:
        """Validate the parameters, and that the estimator is a stack."""
        super().__post_init__()
        if not isinstance(self.estimator, Stacked):
            raise ConfigError(f"AutoRouter.estimator must be a Stacked, got a {type(self.estimator).__name__}.")

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
        )
        pool = kept.pool if kept.pool is not None else ModelPool(kept.models)
        state = AutoState(estimator=estimator, policy=policy, pool=pool.restrict(kept.models), findings=found)
        return self.with_state(state)

    def findings(self) -> Findings:
        """Return what was tried, what was chosen, and why; raise NotFittedError before `fit`."""
        return self.fitted(AutoState).findings
