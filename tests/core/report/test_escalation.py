"""What a report tells of a cascade: how often it asks again, and whether the answers it accepts are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.estimators.constant import Constant
from pointsman.evaluation import simulate
from pointsman.evaluation.resampling import Resampling
from pointsman.report import build_report
from pointsman.report.escalation import escalation
from pointsman.routers.cascade_router import CascadeRouter
from pointsman.routers.estimated import EstimatedRouter


def outcomes(rows: int) -> RoutingDataset:
    """Return two cheap models whose agreement tells, and a dear one."""
    rng = np.random.default_rng(0)
    right = {"a": 0.7, "b": 0.7, "c": 0.85}
    quality = {name: (rng.random(rows) < share).astype(float).tolist() for name, share in right.items()}
    cost = {"a": [0.1] * rows, "b": [0.1] * rows, "c": [1.0] * rows}
    data = RoutingDataset.from_arrays([f"question {i}" for i in range(rows)], quality, cost)
    said = np.where(data.quality > 0, "right", rng.integers(0, 40, data.quality.shape).astype(str))
    return replace(data, answers=said.astype(object))


@pytest.fixture(scope="module")
def cascade() -> CascadeRouter:
    """Return a cascade fitted on the first half."""
    return CascadeRouter(estimator=Constant()).fit(outcomes(600).take(range(300)))


def test_rows_add_up_to_what_the_replay_says(cascade: CascadeRouter) -> None:
    """Shares sum to one, and their means to the cascade's quality and cost; more calls cost more."""
    test = outcomes(600).take(range(300, 600))
    found = escalation(cascade, test, "c", Resampling(group=test.group_of, draws=100, random_state=0), 0.95)
    assert found is not None
    ended = simulate(cascade, test)
    assert sum(row.share for row in found.rows) == pytest.approx(1)
    assert sum(row.share * (row.quality or 0) for row in found.rows) == pytest.approx(ended.quality.mean())
    assert sum(row.share * (row.cost_usd or 0) for row in found.rows) == pytest.approx(ended.cost_usd.mean())
    assert [row.calls for row in found.rows] == sorted(set(ended.calls.tolist()))
    assert found.accepted is not None
    assert found.accepted.pairs == 300
    assert found.accepted.error < 0.15


def test_a_router_that_asks_once_has_none() -> None:
    """There is nothing to escalate."""
    data = outcomes(60)
    router = EstimatedRouter(estimator=Constant()).fit(data)
    assert escalation(router, data, "c", Resampling(group=data.group_of, draws=100, random_state=0), 0.95) is None


def test_the_page_shows_it() -> None:
    """A cascade's report has the table and the diagram of accepted answers, another router's has neither."""
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    data = outcomes(300)
    page = build_report(CascadeRouter(estimator=Constant()), data, repeats=0, draws=100).html()
    assert 'id="escalation"' in page
    assert "Answers a cascade accepts" in page
    assert "2 calls" in page
    plain = build_report(EstimatedRouter(estimator=Constant()), data, repeats=0, draws=100).html()
    assert "escalation" not in plain
    assert "Answers a cascade accepts" not in plain
