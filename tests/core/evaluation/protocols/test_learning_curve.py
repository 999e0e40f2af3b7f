"""learning_curve: a gain by the number of queries that a router and its rivals learn from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.evaluation.protocols import learning_curve
from pointsman.routers.estimated import EstimatedRouter

Reorder = Callable[[RoutingDataset], RoutingDataset]


def test_an_easy_rule_pays_from_the_start(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """Where a vector says everything, every size shows a gain, and the default sizes double from 50 to all."""
    found = learning_curve(knowing, world, repeats=3)
    assert [point.queries for point in found.points] == [50, 100, 200, 400, 480]
    assert found.pays_from == 50
    assert found.points[-1].aiq_gain is not None
    assert found.points[-1].aiq_gain.estimate > 0.1
    assert found.points[-1].difference is not None
    assert found.points[-1].difference.low > 0


def test_what_cannot_be_learnt_never_pays(world: RoutingDataset, remembering: EstimatedRouter) -> None:
    """A memory of other texts is the best single model at every size: no difference, no gain."""
    found = learning_curve(remembering, world, sizes=(100, 400), repeats=2)
    assert found.pays_from is None
    assert all(difference == 0 for point in found.points for difference in point.differences)
    assert "at no size" in str(found)


def test_whole_groups_are_taken(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """A subset never tears a group apart; it has a few queries less instead."""
    grouped = replace(world.take(np.arange(595)), groups=np.arange(595) // 7)
    found = learning_curve(knowing, grouped, sizes=(100,), repeats=2)
    assert found.points[0].queries == 98
    with pytest.raises(DataError, match="tearing"):
        learning_curve(knowing, replace(world, groups=np.arange(len(world)) // 60), sizes=(20,), repeats=2)


def test_order_does_not_matter_and_results_are_plain(
    world: RoutingDataset, knowing: EstimatedRouter, reordered: Reorder
) -> None:
    """Rows and models in another order give the same figures; a seed gives others."""
    found = learning_curve(knowing, world, sizes=(60,), repeats=2)
    again = learning_curve(knowing, reordered(world), sizes=(60,), repeats=2)
    assert json.dumps(found.to_dict()) == json.dumps(again.to_dict())
    assert found.to_dict() != learning_curve(knowing, world, sizes=(60,), repeats=2, random_state=5).to_dict()


def test_wrong_input_is_named(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """One repeat has no spread, and a handful of queries no parts."""
    with pytest.raises(ConfigError, match="repeats"):
        learning_curve(knowing, world, repeats=1)
    with pytest.raises(ConfigError, match="sizes"):
        learning_curve(knowing, world, sizes=(3,))
