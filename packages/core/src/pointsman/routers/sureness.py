"""Sureness: how often a router would choose each model if one draw of what it knows were the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pointsman.data.queries import Queries
from pointsman.routers.base import Router
from pointsman.routers.estimated import EstimatedState, constrained
from pointsman.types import Context, Query

__all__ = ["choice_shares"]


def choice_shares(router: Router, query: Query, context: Context = Context()) -> dict[str, float] | None:  # noqa: B008
    """Return each model's share of the posterior draws under which the router's policy would choose it; they add up to 1.

    Models that cannot serve the query have 0. None where the router is not an estimator and a policy, or its estimates hold
    no draws: then nothing says how sure it is.

    Raises:
        NoEligibleModelError: If no model can serve the query.
    """
    state = router.state_
    if not isinstance(state, EstimatedState):
        return None
    estimates = state.estimator.draw(Queries.of(query))
    if estimates.draws is None or not len(estimates.draws):
        return None
    excluded, degraded = router.exclusions(query, context)
    allowed, _, _ = constrained(estimates, query.constraints, excluded, degraded)
    n = len(estimates.draws)
    drawn = replace(
        estimates,
        quality=estimates.draws[:, 0, :],
        cost_usd=np.repeat(estimates.cost_usd, n, axis=0),
        latency_s=None if estimates.latency_s is None else np.repeat(estimates.latency_s, n, axis=0),
        draws=None,
    )
    choice = state.policy.choose(
        drawn,
        allowed=None if all(allowed) else np.tile(np.array(allowed), (n, 1)),
        point=context.operating_point,
        uniforms=lambda: (np.arange(n) + 0.5) / n,
    )
    counts = np.bincount(choice.model, minlength=len(estimates.models)) / n
    return dict(zip(estimates.models, counts.tolist(), strict=True))
