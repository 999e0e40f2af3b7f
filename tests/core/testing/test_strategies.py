"""Strategies: what they draw is valid, varied and full of ties, and drawn plans end alike however they are driven."""

from __future__ import annotations

import asyncio
import builtins
import importlib
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import MissingExtraError
from pointsman.estimators.base import Estimates
from pointsman.estimators.linear import Linear
from pointsman.flow import Recorder, adrive, arecorded, drive, recorded, replaying
from pointsman.routers.rules import RulesRouter
from pointsman.testing import FakeModels
from pointsman.testing.plain import told_step
from pointsman.testing.strategies import Script, carried_out, components, datasets, estimates, queries, scripts
from pointsman.types import Call, CallError, Query, total_usd

BUSY = {"birch": CallError("birch", "busy", retryable=True, cost_usd=0.004)}
QUICK = settings(max_examples=200, database=None)


@given(datasets())
def test_datasets_observe_every_model(data: RoutingDataset) -> None:
    """Whatever is missing, each model has an outcome and a cost, and each query a vector."""
    assert np.isfinite(data.mean_quality).all()
    assert np.isfinite(data.mean_cost_usd).all()
    assert data.queries.embeddings is not None


@given(datasets(complete=True, rows=(2, 3), models=(2, 2)))
def test_datasets_keep_to_what_is_asked(data: RoutingDataset) -> None:
    """Sizes are within bounds, and complete data have no holes."""
    assert data.quality.shape in {(2, 2), (3, 2)}
    assert np.isfinite(data.quality).all()
    assert np.isfinite(data.cost_usd).all()


def test_datasets_have_what_breaks_routers() -> None:
    """Among them are holes, repeated texts, rows that tie, free calls and models out of order."""
    find(datasets(), lambda data: bool(np.isnan(data.quality).any()), settings=QUICK)
    find(datasets(), lambda data: len(set(data.queries.texts)) < len(data), settings=QUICK)
    find(datasets(), lambda data: bool((data.cost_usd == 0).any()), settings=QUICK)
    find(datasets(), lambda data: list(data.models) != sorted(data.models), settings=QUICK)
    two = datasets(rows=(2, 3), models=(2, 2))
    find(two, lambda data: bool((data.quality[:, 0] == data.quality[:, 1]).all()), settings=QUICK)


@given(estimates())
def test_estimates_are_complete(found: Estimates) -> None:
    """Names are sorted, and every quality and cost is known."""
    assert list(found.models) == sorted(found.models)
    assert np.isfinite(found.quality).all()
    assert (found.cost_usd > 0).all()


@given(queries())
def test_queries_have_vectors(query: Query) -> None:
    """Each query can be routed on its vector."""
    assert query.embedding is not None
    assert query.embedding.shape == (8,)


@given(st.data())
def test_components_are_drawn_from_their_annotations(data: st.DataObject) -> None:
    """Drawn parameters are valid, and parameters that are not simple come from an example."""
    assert isinstance(data.draw(components(Linear)), Linear)
    assert isinstance(data.draw(components(RulesRouter)), RulesRouter)


@pytest.mark.parametrize(("parameter", "value"), [("loss", "logistic"), ("target", "levels"), ("offset", None)])
def test_components_reach_every_choice(parameter: str, value: object) -> None:
    """Each choice of a parameter is drawn at times."""
    found = find(components(Linear), lambda made: getattr(made, parameter) == value, settings=QUICK)
    assert getattr(found, parameter) == value


def told(recorder: Recorder) -> list[dict[str, Any]]:
    """Return the steps on record as plain data."""
    return [told_step(step) for step in recorder.steps]


@given(scripts())
def test_plans_end_alike_however_they_are_driven(script: Script) -> None:
    """Blocking, awaited and replayed, a plan has the same answer and the same steps, in the order of the plan."""
    blocking, awaited = Recorder(), Recorder()
    one = drive(carried_out(script), recorded(FakeModels(failures=BUSY), blocking))
    two = asyncio.run(adrive(carried_out(script), arecorded(FakeModels(failures=BUSY).aperform, awaited)))
    three = drive(carried_out(script), replaying(blocking.steps))
    assert one == two == replace(three, support=one.support)
    assert told(blocking) == told(awaited)


@given(scripts())
def test_every_step_of_a_plan_is_paid(script: Script) -> None:
    """The record holds every effect that was performed, and its costs add up to what was charged, failures included."""
    models, recorder = FakeModels(cost_usd=0.5, failures=BUSY), Recorder()
    drive(carried_out(script), recorded(models, recorder))
    assert len(recorder.steps) == sum(map(len, script)) == len(models.performed)
    assert total_usd(step.cost_usd for step in recorder.steps) == pytest.approx(models.paid_usd, abs=1e-12)
    calls = [effect for batch in script for effect in batch if isinstance(effect, Call)]
    assert sorted(models.called) == sorted(call.model for call in calls)


def test_without_hypothesis_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the test kit works without Hypothesis; asking for strategies says what to install."""
    imported = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "hypothesis":
            raise ImportError(name)
        return imported(name, *rest, **options)

    monkeypatch.delitem(sys.modules, "pointsman.testing.strategies")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r'hypothesis is not installed; run: pip install "pointsman\[dev\]"'):
        importlib.import_module("pointsman.testing.strategies")
