"""Evaluation on real outcomes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.estimators.domain import Domain
from pointsman.evaluation import evaluate, simulate
from pointsman.evaluation.recorded import drive_row
from pointsman.features.lexical import Lexical
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.types import Context

SETS = ("mmlu_pro", "llmrouter_nim")


@pytest.mark.parametrize("name", SETS)
def test_simulating_is_driving(outcome_data: Path, name: str) -> None:
    """On 200 real queries, what is read off all at once is what driving every plan gives, to the last bit."""
    data = RoutingDataset.read(outcome_data / name)
    rows = np.random.default_rng(0).permutation(len(data))
    train, some = data.take(rows[:1500]), data.take(rows[1500:1700])
    table = Domain(features=Lexical(components=16), source="predicted")
    router = EstimatedRouter(estimator=table, policy=Utility(cost_weight=50.0)).fit(train)
    found = simulate(router, some)
    driven = [drive_row(router, some, row, Context()) for row in range(len(some))]
    assert len(set(found.model.tolist())) > 1
    assert found.model.tolist() == [one.model for one in driven]
    assert found.quality.tolist() == [one.quality for one in driven]
    assert found.cost_usd.tolist() == [one.cost_usd for one in driven]
    assert found.propensity.tolist() == [one.propensity for one in driven]


@pytest.mark.parametrize("name", SETS)
def test_the_zero_router_has_the_reference_height(outcome_data: Path, name: str) -> None:
    """The Zero router's AIQ on the first split is the one another implementation of the protocol got."""
    reference = outcome_data.parent / "reference" / f"{name}.json"
    if not reference.is_file():
        pytest.skip(f"no reference figures at {reference}")
    known = json.loads(reference.read_text())["results"]["Zero router"][0]
    data = RoutingDataset.read(outcome_data / name)
    data = data.only(tuple(sorted(data.models)))
    train, validation, test = grouped_split(data, (0.6, 0.2, 0.2), random_state=0)
    router = EstimatedRouter(estimator=Domain(features=Lexical(components=16))).fit(train)
    found = evaluate(router, test, train=train, validation=validation, points=(0.0,), draws=100)
    zero = found.row("zero router")
    # The reference integrates on a grid of 2,001 costs.
    assert zero.aiq == pytest.approx(known["aiq"], abs=1e-6)
    assert zero.peak is not None
    assert zero.peak.difference is not None
    assert zero.peak.difference.estimate == pytest.approx(known["dq"], abs=1e-12)
    assert found.row("domain table").aiq_gain is not None
    assert found.router.own is not None
    assert found.row("oracle").captured == pytest.approx(1)
