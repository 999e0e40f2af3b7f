"""controls: where there is nothing to learn, nothing is gained."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError
from pointsman.evaluation.protocols import Control, Controls, controls
from pointsman.evaluation.protocols.controls import random_queries, shuffled_outcomes
from pointsman.evaluation.protocols.trial import Parts
from pointsman.metrics import Interval
from pointsman.routers.estimated import EstimatedRouter

Reorder = Callable[[RoutingDataset], RoutingDataset]


def test_only_real_queries_tell_anything(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """The router gains on the data as they are, and neither with shuffled outcomes nor with random queries."""
    found = controls(knowing, world, repeats=3)
    assert found.real.above_zero
    assert found.real.aiq_gain is not None
    assert found.real.aiq_gain.estimate > 0.1
    assert not found.leaks
    for control in (found.shuffled, found.random):
        assert control.aiq_gain is not None
        assert abs(control.aiq_gain.estimate) < 0.02
    assert "No control shows a gain" in str(found)


def test_a_gain_on_a_control_is_called_a_leak() -> None:
    """An interval above 0 is a leak; without costs the difference takes the place of AIQ."""

    def control(name: str, low: float, *, priced: bool) -> Control:
        interval = Interval(estimate=low + 0.01, low=low, high=low + 0.02, level=0.95)
        return Control(
            name=name, aiq_gain=interval if priced else None, difference=interval, aiq_gains=(), differences=()
        )

    for priced in (True, False):
        none, some = (control("x", low, priced=priced) for low in (-0.01, 0.01))
        assert not Controls(level=0.95, repeats=2, real=some, shuffled=none, random=none).leaks
        leaky = Controls(level=0.95, repeats=2, real=some, shuffled=none, random=some)
        assert leaky.leaks
        assert leaky.to_dict()["leaks"] is True
        assert "leaks" in str(leaky)


def test_shuffling_keeps_every_row_and_mean(world: RoutingDataset) -> None:
    """Rows of outcomes stay whole, the models' means too; only which query they belong to changes."""
    found = shuffled_outcomes(world, 0)
    assert np.array_equal(found.quality, world.quality)
    assert found.queries.texts != world.queries.texts
    assert sorted(found.queries.texts) == sorted(world.queries.texts)
    vectors = {text: row.tolist() for text, row in zip(world.queries.texts, world.queries.embeddings, strict=True)}
    for text, row in zip(found.queries.texts, found.queries.embeddings, strict=True):
        assert vectors[text] == row.tolist()


def test_a_shuffle_and_a_split_of_one_seed_have_nothing_in_common(world: RoutingDataset) -> None:
    """Each part holds rows from everywhere: did both draw the same numbers, the parts would follow the order of the rows."""
    parts = Parts.of(replace(shuffled_outcomes(world, 0), latency_s=np.tile(np.arange(600.0)[:, None], 3)), 0)
    for part in (parts.train, parts.validation, parts.test):
        assert part.latency_s is not None
        assert part.latency_s.mean() == pytest.approx(300, abs=60)


def test_random_queries_keep_groups_and_outcomes(world: RoutingDataset) -> None:
    """Equal texts stay equal, different ones different; outcomes and groups are untouched; no word survives."""
    texts = ("same", *world.queries.texts[1:-1], "same")
    data = replace(world, queries=replace(world.queries, texts=texts))
    found = random_queries(data, 0)
    assert found.queries.texts[0] == found.queries.texts[-1]
    assert len(set(found.queries.texts)) == len(set(texts))
    assert np.array_equal(found.group_of, data.group_of)
    assert np.array_equal(found.quality, world.quality)
    assert not {word for text in found.queries.texts for word in text.split()} & {"add", "prove", "theorem", "number"}
    assert np.array_equal(found.queries.embeddings[0], found.queries.embeddings[-1])
    assert random_queries(data, 1).queries.texts != found.queries.texts


def test_order_does_not_matter(world: RoutingDataset, knowing: EstimatedRouter, reordered: Reorder) -> None:
    """Rows and models in another order give the same figures; a seed gives others."""
    found = controls(knowing, world, repeats=2)
    assert json.dumps(found.to_dict()) == json.dumps(controls(knowing, reordered(world), repeats=2).to_dict())
    assert found.to_dict() != controls(knowing, world, repeats=2, random_state=4).to_dict()
    with pytest.raises(ConfigError, match="repeats"):
        controls(knowing, world, repeats=1)
