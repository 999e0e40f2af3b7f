"""BestOf: choose a model and how many of its samples vote on the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Len

from pointsman.components import State
from pointsman.confidence.equivalence import Equivalence, KeyedEquivalence
from pointsman.confidence.matches import NormalisedMatch
from pointsman.confidence.reading import said
from pointsman.data.dataset import RoutingDataset
from pointsman.data.notes import tell_notes
from pointsman.data.votes import arm_of, with_votes
from pointsman.errors import AllModelsFailedError, NoEligibleModelError
from pointsman.flow import Plan
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.types import Answer, Call, CallError, Constraints, Context, Decision, Query, Response, Session

__all__ = ["BestOf"]


class BestOfState(State):
    """The router over arms, and the pool of the models behind them."""

    router: Router
    pool: ModelPool


class BestOf(Router):
    """Let a router choose among arms, each a model with a number of samples; the samples of the chosen arm vote.

    Several answers of a small model may be worth more than one of a large one, and cost less (BEST-Route, ICML 2025, arXiv
    2506.22716, which picks the best of them by a reward model; here the largest camp wins, which takes none). All samples of an
    arm are asked for at once, and all are paid. The inner router learns from recorded samples; its decision is told in terms
    of the models that are called.

    Parameters:
        router: The router over arms; cloned by `fit`.
        counts: How many samples may vote; 1 is a plain call.
        equivalence: Which answers say the same.
        temperature: What votes are sampled at.
    """

    router: Router
    counts: Annotated[tuple[Annotated[int, Ge(1)], ...], Len(1)] = (1, 3, 5)
    equivalence: KeyedEquivalence = NormalisedMatch()
    temperature: Annotated[float, Ge(0)] = 0.7

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that chooses by domain between single calls and votes of three."""
        from pointsman.estimators.domain import Domain
        from pointsman.features.lexical import Lexical
        from pointsman.policies.utility import Utility
        from pointsman.routers.estimated import EstimatedRouter

        table = Domain(features=Lexical(bits=10, components=4), prior=1.0)
        return (cls(router=EstimatedRouter(estimator=table, policy=Utility(cost_weight=100.0)), counts=(1, 3)),)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Fit the router on arms made of recorded samples, as far as there are any, and return self."""
        tell_notes(dataset, type(self).__name__)
        data = dataset.canonical()
        keys = None
        if data.samples is not None:
            keys = [None if text is None else self.equivalence.key(text) for text in data.samples.ravel().tolist()]
        router = self.router.clone()
        arms = with_votes(data, self.counts, keys)
        known = [name for name, mean in zip(arms.models, arms.mean_quality.tolist(), strict=True) if not np.isnan(mean)]
        arms = arms.only(known) if known else arms  # an arm without samples on record cannot be learnt
        pool = (data.pool or ModelPool(data.models)).restrict(data.models)
        return self.with_state(BestOfState(router=router.fit(arms) if hasattr(router, "fit") else router, pool=pool))

    @property
    def models(self) -> ModelPool:
        """The models behind the arms."""
        return self.fitted(BestOfState).pool

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Return the model of the chosen arm; `ranking` has every model once, in the order of its best arm."""
        excluded, degraded = self.exclusions(query, context)
        try:
            inner = self._inner(query, context, excluded)
        except NoEligibleModelError as error:
            raise NoEligibleModelError(_by_model(error.reasons) | excluded) from None
        ranking = tuple(dict.fromkeys(arm_of(name)[0] for name in inner.ranking))
        others = {name: why for name, why in _by_model(inner.excluded).items() if name not in ranking}
        model, count = arm_of(inner.model)
        estimates = {
            arm_of(name)[0]: inner.estimates[name] for name in reversed(inner.ranking) if name in inner.estimates
        }
        return replace(
            inner,
            model=model,
            ranking=ranking,
            estimates=estimates,
            final=inner.final and count == 1,
            reason=f"{inner.reason}; {count} samples vote" if count > 1 else inner.reason,
            excluded=others | excluded,
            degraded=(*degraded, *inner.degraded),
        )

    def _inner(self, query: Query, context: Context, excluded: Mapping[str, str]) -> Decision:
        """Return the inner router's decision among the arms of the models that are not left out."""
        router = self.fitted(BestOfState).router
        deny = frozenset(name for name in router.models if arm_of(name)[0] in excluded)
        limits: Constraints = replace(query.constraints, allow=None, deny=deny)
        free = replace(context, unavailable={}, session=Session())
        return router.decide(replace(query, constraints=limits), free)

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Ask for all samples of the chosen arm at once and let them vote; when all fail, those of the next arm."""
        decision = self.decide(query, context)
        arms = self._inner(query, context, decision.excluded).ranking
        errors: list[CallError] = []
        failed: set[str] = set()
        for model, count in map(arm_of, arms):
            if model in failed:
                continue
            outcomes = yield self._calls(model, count, decision)
            answers = [outcome for outcome in outcomes if isinstance(outcome, Response)]
            mine = [outcome for outcome in outcomes if isinstance(outcome, CallError)]
            errors += mine
            if answers:
                return (yield from self._voted(query, answers, errors))
            if fatal := [error for error in mine if error.emitted or not error.retryable]:
                raise fatal[0]
            failed.add(model)
        raise AllModelsFailedError(errors)

    def _calls(self, model: str, count: int, decision: Decision) -> tuple[Call, ...]:
        if count == 1:
            return (Call(model=model, decision=decision, stream=True),)
        params = {"temperature": self.temperature}
        return (Call(model=model, decision=decision, params=params, purpose="sample"),) * count

    def _voted(self, query: Query, answers: Sequence[Response], errors: Sequence[CallError]) -> Plan[Answer]:
        after = "".join(f"; after {error}" for error in errors)
        if len(answers) == 1:
            return Answer.of(answers[0], reason=f"the only answer{after}")
        groups = yield from _groups(self.equivalence, query, answers)
        camps = [
            [j for j, g in enumerate(groups) if g == group] if group is not None else [i]
            for i, group in enumerate(groups)
        ]
        camp = max(camps, key=len)
        share = len(camp) / len(answers)
        first = Answer.of(
            answers[camp[0]], reason=f"{share:.0%} of {len(answers)} samples agree{after}", confidence=share
        )
        return replace(first, model=None, support=tuple(answers[i].step for i in camp))


def _groups(equivalence: Equivalence, query: Query, answers: Sequence[Response]) -> Plan[tuple[int | None, ...]]:
    return (yield from equivalence.groups(query, [said(answer) for answer in answers]))


def _by_model(reasons: Mapping[str, str]) -> dict[str, str]:
    """Return reasons of arms as those of their models."""
    return {arm_of(name)[0]: why for name, why in reasons.items()}
