"""The operating points that policies name, and routers sweep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointsman.estimators.constant import Constant
from pointsman.estimators.domain import Domain
from pointsman.features.lexical import Lexical
from pointsman.policies.base import Policy
from pointsman.policies.budget import MeanBudget
from pointsman.policies.cap import Capped
from pointsman.policies.floor import NearBest, QualityFloor
from pointsman.policies.threshold import Threshold
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter
from pointsman.testing.toys import toy, toy_pool
from pointsman.types import Context

POLICIES: tuple[tuple[Policy, int], ...] = (
    (Utility(), 161),
    (NearBest(), 101),
    (QualityFloor(), 101),
    (MeanBudget(usd=1.0), 65),
    (Capped(max_cost_usd=1.0), 161),
)


def fitted(policy: Policy) -> EstimatedRouter:
    """A router that knows the toy data's domains."""
    return EstimatedRouter(estimator=Domain(features=Lexical(components=8), prior=0.0), policy=policy).fit(toy())


@pytest.mark.parametrize(("policy", "count"), POLICIES)
def test_points_span_what_a_policy_can_do(policy: Policy, count: int) -> None:
    """At one end of the points every query goes to its cheapest model, at the other to its best."""
    router, queries = fitted(policy), toy().queries
    points = router.points(queries)
    assert len(points) == count
    assert list(points) == sorted(points)
    estimates = router.state_.estimator.predict(queries)  # type: ignore[union-attr]
    ends = [decisions.model for decisions in router.sweep(queries, (points[0], points[-1]))]
    best = estimates.quality.max(axis=1)
    means = sorted((estimates.cost_usd[np.arange(len(end)), end].mean(), i) for i, end in enumerate(ends))
    cheap, dear = ends[means[0][1]], ends[means[1][1]]
    assert np.array_equal(estimates.quality[np.arange(len(dear)), dear], best)
    assert np.array_equal(cheap, estimates.cost_usd.argmin(axis=1))


def test_thresholds_end_with_never_the_strong_model() -> None:
    """The lowest threshold calls the strong model whatever it gains, the last one never."""
    router, queries = fitted(Threshold()), toy().queries
    points = router.points(queries)
    first, last = router.sweep(queries, (points[0], points[-1]))
    assert (set(first.names), set(last.names)) == ({"large"}, {"small"})


def test_there_may_be_nothing_to_sweep() -> None:
    """Without costs there is no cost weight to try, without a policy no operating point, without queries no threshold."""
    data = toy()
    unknown = replace(data, cost_usd=np.full_like(data.cost_usd, np.nan))
    assert EstimatedRouter(estimator=Constant()).fit(unknown).points(data.queries) == ()
    assert RulesRouter(pool=toy_pool(), default="small").points(data.queries) == ()
    assert fitted(Threshold()).points(data.queries.take([])) == ()


@pytest.mark.parametrize("many", [True, False])
def test_a_sweep_decides_as_decide_many_does(many: bool) -> None:  # noqa: FBT001 - pytest passes it
    """Sweeping gives at each point the decisions of that context, for queries in columns and one by one."""
    router = fitted(Utility())
    queries = toy().queries if many else list(toy().queries)
    points = (0.0, 50.0, 1e5)
    for point, found in zip(points, router.sweep(queries, points), strict=True):
        assert found.names == router.decide_many(queries, Context(operating_point=point)).names
