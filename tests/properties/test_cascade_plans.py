"""Properties of cascades: replaying is driving, every call is paid, calibration keeps order, thresholds keep their goal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.confidence.agreement import Agreement
from pointsman.confidence.base import Confidence, prefixes
from pointsman.confidence.calibration import Method, fit_curve
from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.matches import ExactMatch
from pointsman.data import RoutingDataset
from pointsman.evaluation.recorded import drive_row
from pointsman.routers.agreement import AgreementCascade
from pointsman.routers.cascade import Cascade
from pointsman.routers.ladder import ALWAYS, NEVER, Ladder
from pointsman.routers.replayed import Replays
from pointsman.routers.thresholds import Goal, search
from pointsman.testing.strategies import datasets
from pointsman.types import Context

CONFIDENCES: tuple[Confidence, ...] = (
    Agreement(equivalence=ExactMatch()),
    SelfConsistency(samples=2, equivalence=ExactMatch()),
)


@st.composite
def spoken(draw: st.DrawFn) -> RoutingDataset:
    """Draw outcomes of two to four models that answer with a few words; samples may be missing, qualities too."""
    data = draw(datasets(models=(2, 4)))
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    words = np.array(["x", "y", "z"], dtype=object)
    answers = words[seed.integers(0, 3, size=data.quality.shape)]
    samples = np.where(
        seed.random((*data.quality.shape, 3)) < 0.2, None, words[seed.integers(0, 3, size=(*data.quality.shape, 3))]
    )
    return replace(data, answers=answers, samples=samples)


def agree(router: Cascade | AgreementCascade, data: RoutingDataset, point: float | None) -> None:
    """Check that a replay and driven plans come to the same."""
    assert isinstance(router, Replays)
    (found,) = router.replay(data, (point,))
    driven = [drive_row(router, data, row, Context(operating_point=point)) for row in range(len(data))]
    assert found.calls.tolist() == [one.calls for one in driven]
    for name in ("quality", "cost_usd"):
        expected = np.array([getattr(one, name) for one in driven])
        assert getattr(found, name) == pytest.approx(expected, nan_ok=True, rel=1e-12), name


@given(
    spoken(), st.sampled_from(CONFIDENCES), st.lists(st.sampled_from((0.0, 0.3, 0.5, 1.0, 1.5)), min_size=3, max_size=3)
)
def test_cascades_replay_as_they_are_driven(data: RoutingDataset, confidence: Confidence, limits: list[float]) -> None:
    """Quality, cost and calls are those of driving each query, at the given thresholds and at any common one."""
    router = Cascade(order=data.models, confidence=confidence, thresholds=tuple(limits[: len(data.models) - 1]))
    for point in (None, limits[0]):
        agree(router.fit(data), data, point)


@given(spoken(), st.sampled_from((0.4, 0.5, 1.0)))
def test_votes_replay_as_they_are_driven(data: RoutingDataset, share: float) -> None:
    """So it is with tiers that vote."""
    tiers = (data.models[:-1], data.models[-1:])
    agree(AgreementCascade(tiers=tiers, share=share, equivalence=ExactMatch()).fit(data), data, None)


@given(spoken(), st.sampled_from(CONFIDENCES))
def test_recorded_scores_are_driven_scores(data: RoutingDataset, confidence: Confidence) -> None:
    """All rows at once, a confidence scores, pays and calls as it does row by row."""
    for ran in prefixes(data.models):
        found, expected = confidence.recorded(data, ran), Confidence.recorded(confidence, data, ran)
        for name in ("score", "cost_usd", "calls"):
            assert getattr(found, name) == pytest.approx(getattr(expected, name), nan_ok=True, rel=1e-12), name


@given(
    st.lists(st.tuples(st.sampled_from((0.0, 0.1, 0.5, 0.9, 1.0)), st.floats(0, 1)), min_size=1, max_size=30),
    st.sampled_from(("isotonic", "platt", "temperature", "beta")),
    st.sampled_from((0.0, 1.0, 20.0)),
)
def test_calibration_keeps_order_and_range(rows: list[tuple[float, float]], method: Method, prior: float) -> None:
    """From however few rows, with ties, a map is non-decreasing and within [0, 1]."""
    score, quality = (np.array(column) for column in zip(*rows, strict=True))
    found = fit_curve(score, quality, method, prior=prior)(np.linspace(0, 1, 23))
    assert (np.diff(found) >= -1e-9).all()
    assert ((found >= -1e-12) & (found <= 1 + 1e-12)).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_searched_thresholds_keep_their_goal(seed: int, rungs: int) -> None:
    """A goal that the last or the first model alone meets is met by the setting found, no worse than they do."""
    rng = np.random.default_rng(seed)
    n = 40
    quality = rng.integers(0, 2, size=(n, rungs)).astype(float)
    cost = np.tile(np.geomspace(0.001, 1.0, rungs), (n, 1))
    nothing = np.zeros((n, rungs - 1))
    ladder = Ladder(
        score=rng.random((n, rungs - 1)).round(1),
        quality=quality,
        cost_usd=cost,
        check_usd=nothing,
        checks=nothing,
        kept=np.ones((n, rungs), dtype=bool),
    )
    top = ladder.climb([NEVER] * (rungs - 1))
    found = search(ladder, Goal(quality=float(top.quality.mean())))
    assert found.quality >= top.quality.mean() - 1e-9
    assert found.cost_usd <= top.cost_usd.mean() + 1e-9
    first = ladder.climb([ALWAYS] * (rungs - 1))
    cheap = search(ladder, Goal(usd=float(first.cost_usd.mean())))
    assert cheap.cost_usd <= first.cost_usd.mean() + 1e-9
    assert cheap.quality >= first.quality.mean() - 1e-9
