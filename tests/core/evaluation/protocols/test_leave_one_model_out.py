"""leave_one_model_out: what a model is worth to a router, and how many probe queries tell it."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.estimators.clusters import Clusters
from pointsman.evaluation.protocols import leave_one_model_out
from pointsman.evaluation.protocols.leave_one_model_out import hide_model
from pointsman.features.embedding import Embedding
from pointsman.routers.estimated import EstimatedRouter

Reorder = Callable[[RoutingDataset], RoutingDataset]


def test_a_model_is_worth_what_the_others_cannot_do(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """The only one to answer hard queries is worth much, a dearer twin of another nothing."""
    found = {entry.model: entry for entry in leave_one_model_out(knowing, world, probes=(50,), draws=200).models}
    cheap, dear, middle = found["cheap"], found["dear"], found["middle"]
    assert cheap.aiq_loss is not None
    assert cheap.aiq_loss.low > 0.01  # its twin does as well, at three times the cost
    assert dear.aiq_loss is not None
    assert dear.aiq_loss.low > 0.1
    assert dear.quality_loss is not None
    assert dear.quality_loss.low > 0.3
    assert middle.aiq_loss is not None
    assert abs(middle.aiq_loss.estimate) < 0.01


def test_probing_every_row_is_having_every_row(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """With as many probes as training rows nothing is missing: the ratio is 1 and no answer differs."""
    found = leave_one_model_out(knowing, world, probes=(10_000,), draws=100)
    for entry in found.models:
        (probed,) = entry.probed
        assert probed.aiq == found.aiq
        assert probed.ratio is not None
        assert (probed.ratio.low, probed.ratio.estimate, probed.ratio.high) == (1, 1, 1)
        assert probed.quality_change is not None
        assert probed.quality_change.estimate == 0


@pytest.mark.parametrize("estimator", ["knowing", "clusters"])
def test_a_few_probes_bring_nearly_all(world: RoutingDataset, knowing: EstimatedRouter, estimator: str) -> None:
    """Two kinds of query take few probes, for a linear model and for UniRoute's row of cluster errors alike."""
    clusters = EstimatedRouter(estimator=Clusters(features=Embedding(), clusters=2, nearest=1, prior=1.0))
    router = knowing if estimator == "knowing" else clusters
    found = leave_one_model_out(router, world, models=("dear",), probes=(40,), draws=100)
    ratio = found.models[0].probed[0].ratio
    assert ratio is not None
    assert ratio.estimate > 0.97
    assert found.models[0].aiq_without is not None
    assert found.aiq is not None
    assert found.models[0].aiq_without / found.aiq < 0.9


def test_hiding_a_model_hides_nothing_else(world: RoutingDataset) -> None:
    """Its cells are unknown but where they are shown; the others and the original stay."""
    shown = np.arange(len(world)) < 20
    column = world.models.index("dear")
    found = hide_model(world, "dear", shown)
    assert np.isfinite(found.quality[:20, column]).all()
    assert np.isnan(found.quality[20:, column]).all()
    assert np.isnan(found.cost_usd[20:, column]).all()
    assert np.array_equal(np.delete(found.quality, column, axis=1), np.delete(world.quality, column, axis=1))
    assert np.isfinite(world.quality).all()


def test_order_does_not_matter_and_results_are_plain(
    world: RoutingDataset, knowing: EstimatedRouter, reordered: Reorder
) -> None:
    """Rows and models in another order give the same figures, as JSON and as a table."""
    found = leave_one_model_out(knowing, world, probes=(20, 5), models=("dear", "cheap"), draws=100)
    again = leave_one_model_out(knowing, reordered(world), probes=(5, 20), models=("cheap", "dear"), draws=100)
    assert json.dumps(found.to_dict()) == json.dumps(again.to_dict())
    assert list(found.ratio) == [5, 20]
    assert "5 probes / all" in str(found)
    assert leave_one_model_out(knowing, world, probes=(5,), draws=100, random_state=9).to_dict() != found.to_dict()


def test_wrong_input_is_named(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """Two models, an unknown one and no probes are refused."""
    with pytest.raises(DataError, match="at least three"):
        leave_one_model_out(knowing, world.only(("cheap", "dear")))
    with pytest.raises(DataError, match="no model 'huge'"):
        leave_one_model_out(knowing, world, models=("huge",))
    with pytest.raises(ConfigError, match="probes"):
        leave_one_model_out(knowing, world, probes=(0,))
