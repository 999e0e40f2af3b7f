"""diagnose: collapse and calibration of routers whose faults are known."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Self

import numpy as np
import pytest

from pointsman.components import State
from pointsman.data import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.errors import DataError
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.constant import Constant
from pointsman.evaluation.protocols import diagnose
from pointsman.evaluation.protocols.calibration import calibration
from pointsman.evaluation.protocols.diagnostics import estimates_of
from pointsman.evaluation.resampling import Resampling
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.fallback import FallbackRouter
from pointsman.routers.rules import RulesRouter

Reorder = Callable[[RoutingDataset], RoutingDataset]


class ToldState(State):
    """The models' names."""

    models: tuple[str, ...]


class Told(Estimator):
    """Reads the true chances of success from the vectors, stretches and shifts them, and draws around that."""

    stretch: float = 1.0
    shift: float = 0.0
    spread: float | None = None

    def fit(self, dataset: RoutingDataset) -> Self:
        """Take the names."""
        return self.with_state(ToldState(models=tuple(sorted(dataset.models))))

    def predict(self, queries: Queries) -> Estimates:
        """Read."""
        assert queries.embeddings is not None
        quality = 0.5 + self.stretch * (queries.embeddings - 0.5) + self.shift
        draws = None
        if self.spread is not None:
            noise = np.random.default_rng(0).normal(0, self.spread, (200, 1, quality.shape[1]))
            draws = quality + noise
        cost = np.tile([0.001, 0.01], (len(queries), 1))
        return Estimates(models=self.fitted(ToldState).models, quality=quality, cost_usd=cost, draws=draws)


@pytest.fixture(scope="module")
def chances() -> RoutingDataset:
    """4000 queries with a known chance of success of each of two models."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0.2, 0.8, (4000, 2))
    hits = (rng.random(p.shape) < p).astype(float)
    return RoutingDataset.from_arrays(
        [f"query {i}" for i in range(len(p))],
        {"a": hits[:, 0], "b": hits[:, 1]},
        {"a": np.full(len(p), 0.001), "b": np.full(len(p), 0.01)},
        embeddings=p,
    )


def told(chances: RoutingDataset, **params: float) -> EstimatedRouter:
    """Return a router on stretched chances."""
    return EstimatedRouter(estimator=Told(**params)).fit(chances)


def test_who_knows_the_outcomes_has_no_error() -> None:
    """Expectations that are the outcomes themselves have no error, bias or score, and their bins hold every pair."""
    outcomes = np.random.default_rng(0).integers(0, 2, (200, 1)).astype(float)
    resampling = Resampling(group=np.arange(200), draws=100, random_state=0)
    for low, values in ((0.0, outcomes), (-1.0, 2 * outcomes - 1)):
        found = calibration(values, values, low=low, resampling=resampling, level=0.95)
        assert found is not None
        assert (found.error, found.slope, found.pairs) == (0, 1, 200)
        assert found.brier == (0 if low == 0 else None)
        assert sum(held.count for held in found.bins) == 200
    assert calibration(outcomes[:9], outcomes[:9], low=0, resampling=resampling, level=0.95) is None


def test_the_truth_is_calibrated(chances: RoutingDataset) -> None:
    """Who says the true chances has no bias and a slope of 1, over all, for the chosen model and for differences."""
    found = diagnose(told(chances), chances, draws=1000, level=0.999)
    for part in (found.expected, found.chosen, found.contrasts):
        assert part is not None
        assert part.bias is not None
        assert not part.bias.excludes(0)
        assert part.slope == pytest.approx(1, abs=0.15)
        assert part.error < 0.06
    assert found.coverage is None


def test_overconfidence_shows_in_the_slope_and_where_it_chose(chances: RoutingDataset) -> None:
    """Chances stretched by 1.6 have a slope of 1/1.6; the chosen model is expected too well, all models are not."""
    found = diagnose(told(chances, stretch=1.6), chances, draws=200)
    assert found.expected is not None
    assert found.chosen is not None
    assert found.contrasts is not None
    assert found.expected.slope == pytest.approx(1 / 1.6, abs=0.08)
    assert found.contrasts.slope == pytest.approx(1 / 1.6, abs=0.08)
    assert found.expected.bias is not None
    assert not found.expected.bias.excludes(0)
    assert found.chosen.bias is not None
    assert found.chosen.bias.low > 0
    assert found.expected.error > 0.05


def test_draws_that_are_right_cover_and_draws_that_are_off_do_not(chances: RoutingDataset) -> None:
    """Intervals around the truth hold the bins' means as often as they say; intervals a tenth too high do not."""
    right = diagnose(told(chances, spread=0.005), chances, draws=100).coverage
    wrong = diagnose(told(chances, spread=0.005, shift=0.15), chances, draws=100).coverage
    assert right is not None
    assert right.estimate >= 0.85
    assert wrong is not None
    assert wrong.high < 0.85


def test_a_constant_router_has_collapsed(chances: RoutingDataset) -> None:
    """Its choices have no entropy; those of the truth have nearly one bit, and cost weights bring them down to none."""
    flat = diagnose(EstimatedRouter(estimator=Constant()).fit(chances), chances, draws=100)
    assert flat.entropy == 0
    assert flat.most_entropy == 1
    assert flat.contrasts is not None
    assert flat.contrasts.slope is None
    found = diagnose(told(chances), chances, draws=100)
    assert found.entropy == pytest.approx(1, abs=0.01)
    assert found.points[0].entropy == pytest.approx(1, abs=0.01)
    assert found.points[-1].entropy == 0
    assert found.points[-1].dearest_share == 0
    assert [point.point for point in found.points] == sorted(point.point for point in found.points)


def test_other_routers_are_asked_query_by_query(chances: RoutingDataset) -> None:
    """A router around another gives the same expectations by its decisions; one without any has no calibration."""
    inner = told(chances)
    some = chances.take(np.arange(60))
    direct, asked = estimates_of(inner, some.queries), estimates_of(_wrapped(inner), some.queries)
    assert direct is not None
    assert asked is not None
    assert asked.quality == pytest.approx(direct.quality)
    rules = diagnose(RulesRouter(pool=chances.pool, default="a"), some, draws=100)
    assert rules.expected is None
    assert rules.shares == {"a": 1.0, "b": 0.0}


def _wrapped(inner: EstimatedRouter) -> FallbackRouter:
    return FallbackRouter(routers=(inner,))


def test_order_does_not_matter_and_results_are_plain(chances: RoutingDataset, reordered: Reorder) -> None:
    """Rows and models in another order give the same figures, as JSON and as text."""
    router, some = told(chances, spread=0.01), chances.take(np.arange(500))
    found = diagnose(router, some, train=chances, draws=100)
    again = diagnose(router, reordered(some), train=chances, draws=100)
    assert json.dumps(found.to_dict()) == json.dumps(again.to_dict())
    shown = str(found)
    for part in ("entropy", "operating point", "difference to the best single", "Intervals at 95 % cover"):
        assert part in shown
    with pytest.raises(DataError, match="no rows"):
        diagnose(router, chances.take([]))


def test_a_policy_with_a_weight_is_judged_as_it_is_set(chances: RoutingDataset) -> None:
    """The shares are those of the router's own setting."""
    dear = EstimatedRouter(estimator=Told(), policy=Utility(cost_weight=1e6)).fit(chances)
    assert diagnose(dear, chances, draws=100).shares == {"a": 1.0, "b": 0.0}
