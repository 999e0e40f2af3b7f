"""Trying: what each way to choose would have done on queries it was not made for, under one policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.choice import first_choice
from pointsman.estimators.heldout import HeldOut
from pointsman.estimators.together import names_of
from pointsman.evaluation.baselines import always
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.paired import compare
from pointsman.evaluation.resampling import Resampling
from pointsman.policies.base import Policy
from pointsman.policies.utility import Utility
from pointsman.selection.choosing.findings import Tried

__all__ = ["tried"]

Picks = NDArray[np.intp]

_DRAWS = 500


def tried(held: HeldOut, members: Sequence[Estimator], policy: Policy, data: RoutingDataset) -> tuple[Tried, ...]:
    """Return how the stack, each member alone and the cheapest model do beside the best one; data are in canonical order.

    A policy that is fitted is fitted on the other folds, so that its setting is none that was chosen for these queries.
    """
    resampling = Resampling(group=data.group_of, draws=_DRAWS, random_state=0)
    incumbent = always(data.models[held.incumbent], data)
    rows = []
    for name, picks in _ways(held, members, policy, data):
        mine = Outcomes.of(data, picks)
        found = compare((mine.quality, mine.cost_usd), (incumbent.quality, incumbent.cost_usd), resampling, level=0.95)
        change, cost = found.difference, found.relative_cost
        rows.append(
            Tried(
                name=name,
                difference=None if change is None else change.estimate,
                low=None if change is None else change.low,
                high=None if change is None else change.high,
                relative_cost=None if cost is None else cost.estimate,
            )
        )
    return tuple(rows)


def _ways(
    held: HeldOut, members: Sequence[Estimator], policy: Policy, data: RoutingDataset
) -> Iterator[tuple[str, Picks]]:
    stack = held.estimates()
    yield "as set", _crossed(policy, stack, held.fold, data)
    yield "quality first", first_choice(Utility().scores(stack), stack.cost_usd)
    for i, name in enumerate(names_of(members)):
        alone = held.alone(i)
        yield f"{name} alone, quality first", first_choice(alone.quality, alone.cost_usd)
    yield "always the cheapest", np.full(len(data), data.models.index(data.cheapest), dtype=np.intp)


def _crossed(policy: Policy, estimates: Estimates, fold: Picks, data: RoutingDataset) -> Picks:
    """Return the choice for each query, by a policy fitted on the other folds; what a policy cannot do there is no choice."""
    picks = np.full(len(data), -1, dtype=np.intp)
    for i in np.unique(fold):
        mine, others = np.flatnonzero(fold == i), np.flatnonzero(fold != i)
        try:
            fitted = policy.clone().fit(estimates.take(others), data.take(others)) if len(others) else policy
            picks[mine] = fitted.choose(estimates.take(mine), uniforms=partial(_uniforms, len(mine))).model
        except ConfigError:
            continue
    return picks


def _uniforms(n: int) -> NDArray[np.float64]:
    return np.random.default_rng(0).random(n)
