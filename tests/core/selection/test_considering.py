"""AutoRouter with a cascade beside it: taken where reading answers pays, left where it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pointsman.artifacts import load, save
from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError
from pointsman.estimators.stacked import Stacked
from pointsman.evaluation import simulate
from pointsman.evaluation.recorded import drive_row
from pointsman.policies.budget import MeanBudget
from pointsman.routers.cascade_router import CascadeRouter
from pointsman.selection.auto import AutoRouter
from pointsman.types import Context

RIGHT = {"brisk": 0.7, "chief": 0.8, "quick": 0.7}
STACK = Stacked.examples()[0]  # on a few words
COST = {"brisk": 0.1, "chief": 1.0, "quick": 0.1}


def outcomes(rows: int, seed: int = 0, *, wrong: int = 50) -> RoutingDataset:
    """Return outcomes that no text foretells; models that are wrong name one of so many wrong answers."""
    rng = np.random.default_rng(seed)
    quality = {name: (rng.random(rows) < share).astype(float).tolist() for name, share in RIGHT.items()}
    data = RoutingDataset.from_arrays(
        [f"Question {seed} {i}" for i in range(rows)], quality, {name: [cost] * rows for name, cost in COST.items()}
    )
    said = np.where(data.quality > 0, "right", rng.integers(0, wrong, data.quality.shape).astype(str))
    return replace(data, answers=said.astype(object))


def fitted(data: RoutingDataset) -> AutoRouter:
    """Return a fitted router that may use a cascade."""
    return AutoRouter(estimator=STACK.clone(), folds=3, cascade=CascadeRouter()).fit(data)


def test_a_cascade_takes_over_where_agreement_tells(tmp_path: Path) -> None:
    """Two cheap models that agree are right: no text tells as much, and the findings say so; it is saved with the router."""
    router = fitted(outcomes(600))
    found = router.findings()
    assert found.cascades
    assert found.considered is not None
    assert "takes over" in str(found)
    assert "takes over" in found.to_dict()["cascade"]
    test = outcomes(300, seed=1)
    ended, alone = simulate(router, test), test.mean_quality.max()
    assert ended.calls.max() > 1
    assert ended.quality.mean() > alone - 0.02
    assert ended.cost_usd.mean() < 0.8
    again = load(save(router, tmp_path / "auto.pointsman"))
    assert isinstance(again, AutoRouter)
    assert np.array_equal(simulate(again, test).model, ended.model)


def test_replaying_is_driving() -> None:
    """All queries at once end as each one's plan does, at the router's own setting and at others."""
    router, test = fitted(outcomes(600)), outcomes(40, seed=2)
    for point in (None, 0.0, 0.3):
        context = Context(operating_point=point)
        ended = simulate(router, test, context)
        driven = [drive_row(router, test, row, context) for row in range(len(test))]
        assert ended.quality.tolist() == [one.quality for one in driven]
        assert ended.cost_usd == pytest.approx([one.cost_usd for one in driven])


def test_a_cascade_is_left_where_agreement_tells_nothing() -> None:
    """With two possible answers those who agree are often wrong together; then one call is made, as without a cascade."""
    data = outcomes(600, wrong=1)
    router, plain = fitted(data), AutoRouter(estimator=STACK.clone(), folds=3).fit(data)
    found = router.findings()
    if not found.cascades:
        assert "is not used" in str(found)
        test = outcomes(50, seed=3, wrong=1)
        assert simulate(router, test).calls.tolist() == [1] * 50
        assert np.array_equal(simulate(router, test).model, simulate(plain, test).model)
    gain, error = found.considered.gain, found.considered.error
    assert found.cascades == (gain - 2 * error > 0)


def test_without_answers_nothing_is_considered() -> None:
    """There is nothing to read."""
    found = fitted(replace(outcomes(100), answers=None)).findings()
    assert found.considered is None
    assert not found.cascades
    assert found.to_dict()["cascade"] is None


def test_whole_responses_will_do() -> None:
    """Where no final answer was read out, what was written is compared instead: the same is found."""
    data = outcomes(300)
    whole = fitted(replace(data, answers=None, responses=data.answers)).findings()
    assert whole.considered is not None
    read = fitted(data).findings().considered
    assert read is not None
    assert (whole.considered.models, whole.considered.gain) == (read.models, pytest.approx(read.gain, abs=1e-9))


def test_a_cascade_wants_a_price_on_cost() -> None:
    """A budget of dollars is no setting of a cascade, and the error says what is."""
    with pytest.raises(ConfigError, match="goes with the policy EqualQuality, not with MeanBudget"):
        AutoRouter(estimator=STACK.clone(), cascade=CascadeRouter(), policy=MeanBudget(usd=1.0))
