"""label_noise: noise in training outcomes changes decisions as much as it should, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.estimators.constant import Constant
from pointsman.evaluation.protocols import label_noise
from pointsman.evaluation.protocols.label_noise import flip_outcomes, redraw_runs
from pointsman.routers.estimated import EstimatedRouter

Reorder = Callable[[RoutingDataset], RoutingDataset]


def run_often(data: RoutingDataset, runs: int = 5) -> RoutingDataset:
    """Return the data as means of repeated binary runs whose chance of success is pulled to a half."""
    p = 0.15 + 0.7 * data.quality
    hits = np.random.default_rng(3).binomial(runs, p) / runs
    return replace(
        data,
        quality=hits,
        runs=np.full(hits.shape, runs, dtype=np.int64),
        run_variance=hits * (1 - hits) * runs / (runs - 1),
    )


def test_no_noise_changes_nothing(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """A share of 0 flips no decision and loses no quality."""
    (none,) = label_noise(knowing, world, shares=(0.0,), repeats=2, draws=100).simulated
    assert none.flips is not None
    assert none.flips.estimate == 0
    assert none.quality_change is not None
    assert none.quality_change.estimate == 0


def test_turning_everything_round_turns_decisions_round(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """With every outcome turned round the router takes the models that fail, and pays for it in quality."""
    few, all_ = label_noise(knowing, world, shares=(1.0, 0.02), repeats=2, draws=100).simulated
    assert (few.share, all_.share) == (0.02, 1.0)
    assert few.flips is not None
    assert few.flips.high < 0.1
    assert all_.flips is not None
    assert all_.flips.low > 0.9
    assert all_.quality_change is not None
    assert all_.quality_change.high < -0.3


def test_a_constant_router_never_flips_under_little_noise(world: RoutingDataset) -> None:
    """Means over hundreds of queries are not moved by a few outcomes, nor by running the models again."""
    found = label_noise(EstimatedRouter(estimator=Constant()), run_often(world), shares=(0.02,), repeats=2, draws=100)
    assert [entry.runs for entry in found.reruns] == ["as recorded", "1"]
    for entry in (*found.simulated, *found.reruns):
        assert entry.flips is not None
        assert entry.flips.estimate == 0


def test_a_memory_flips_more_on_single_runs_than_on_means(world: RoutingDataset) -> None:
    """What repeating runs is worth shows: a router fitted cell by cell is steadier on means of five runs."""
    from pointsman.estimators.nearest import Nearest
    from pointsman.features.embedding import Embedding

    rng = np.random.default_rng(0)
    vectors = replace(world.queries, embeddings=rng.standard_normal((len(world), 4)))
    router = EstimatedRouter(estimator=Nearest(features=Embedding(), k=3))
    found = label_noise(router, run_often(replace(world, queries=vectors)), shares=(0.05,), repeats=3, draws=100)
    means, singles = found.reruns
    assert means.flips is not None
    assert singles.flips is not None
    assert 0 < means.flips.estimate < singles.flips.estimate
    assert found.repeated == 1


def test_turned_round_outcomes_are_as_many_as_said(world: RoutingDataset) -> None:
    """About the stated share of cells is 1 − q, the others are untouched, and unknown ones stay unknown."""
    quality = world.quality.copy()
    quality[0, 0] = np.nan
    found = flip_outcomes(replace(world, quality=quality), 0.3, (0, 1))
    changed = found.quality != quality
    assert changed[np.isfinite(quality)].mean() == pytest.approx(0.3, abs=0.04)
    assert np.array_equal(found.quality[changed & np.isfinite(quality)], 1 - quality[changed & np.isfinite(quality)])
    assert np.isnan(found.quality[0, 0])


def test_redrawn_runs_have_the_cells_mean_and_variance(world: RoutingDataset) -> None:
    """Means stay on average, single binary runs are 0 or 1, and cells that never varied stay what they are."""
    data = run_often(world)
    again, single = redraw_runs(data, None, (0,)), redraw_runs(data, 1, (0,))
    assert again.quality.mean() == pytest.approx(data.quality.mean(), abs=0.01)
    assert set(np.unique(single.quality)) == {0.0, 1.0}
    assert single.quality.mean() == pytest.approx(data.quality.mean(), abs=0.02)
    steady = data.run_variance == 0
    assert steady.any()
    assert np.array_equal(again.quality[steady], data.quality[steady])
    middle = np.array([redraw_runs(data, None, (seed,)).quality for seed in range(60)]).var(axis=0)
    assert middle[~steady].mean() == pytest.approx((data.run_variance[~steady] / 5).mean(), rel=0.05)
    with pytest.raises(DataError, match="no repeated runs"):
        redraw_runs(world, 1, (0,))


def test_order_does_not_matter_and_results_are_plain(
    world: RoutingDataset, knowing: EstimatedRouter, reordered: Reorder
) -> None:
    """Rows and models in another order give the same figures, and a table says what is missing."""
    found = label_noise(knowing, world, shares=(0.1,), repeats=2, draws=100)
    again = label_noise(knowing, reordered(world), shares=(0.1,), repeats=2, draws=100)
    assert json.dumps(found.to_dict()) == json.dumps(again.to_dict())
    assert "no cell was run several times" in str(found)
    assert "drawn again" in str(label_noise(knowing, run_often(world), shares=(0.1,), repeats=2, draws=100))


def test_wrong_input_is_named(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """Shares beyond 1 and single fits are refused."""
    with pytest.raises(ConfigError, match="shares"):
        label_noise(knowing, world, shares=(1.2,))
    with pytest.raises(ConfigError, match="repeats"):
        label_noise(knowing, world, repeats=1)
