"""RiskControlledCascade: its guarantee on data whose risk is known, what it saves, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, sqrt
from typing import Any

import numpy as np
import pytest

from pointsman.artifacts import load, save
from pointsman.confidence.agreement import Agreement
from pointsman.confidence.base import Confidence
from pointsman.confidence.calibrated import Calibrated
from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, DataError, NotFittedError
from pointsman.evaluation.replay import simulate
from pointsman.flow import Plan
from pointsman.routers.risk_controlled import RiskControlledCascade
from pointsman.types import Constraints, Context, Query, Response

ORDER = ("small", "large")
QUERY = Query(text="q", id="q")


class Told(Confidence):
    """The number that the last response is."""

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008
        """Read it."""
        yield from ()
        return float(responses[-1].text)


def outcomes(n: int, seed: int = 0, *, useful: float = 1.0, usd: tuple[float, float] = (1.0, 20.0)) -> RoutingDataset:
    """Return a large model that is always right, and a small one that says how likely it is right: 1 − (1 − s) / 2."""
    rng = np.random.default_rng(seed)
    score = rng.random(n)
    right = rng.random(n) >= (1 - score) / 2 * useful
    data = RoutingDataset.from_arrays(
        [f"question {seed} {i}" for i in range(n)],
        {"large": np.ones(n), "small": right.astype(float)},
        {"large": np.full(n, usd[1]), "small": np.full(n, usd[0])},
    )
    answers = np.column_stack([np.ones(n), score]).astype(str).astype(object)
    return replace(data, answers=answers)


def fitted(data: RoutingDataset, **given: Any) -> RiskControlledCascade:
    """Return a cascade over the two models."""
    return RiskControlledCascade(order=ORDER, confidence=Told(), **given).fit(data)


def risk(threshold: float) -> float:
    """Return the expected loss of accepting what scores at least a threshold."""
    return (1 - min(threshold, 1.0)) ** 2 / 4


def test_the_expected_loss_is_bounded() -> None:
    """Over many calibration sets the true mean loss is at most ε, but for chance, and money is saved on each."""
    found = [fitted(outcomes(120, seed), epsilon=0.08).guarantee for seed in range(30)]
    risks = np.array([risk(one.threshold) for one in found])
    assert risks.mean() <= 0.08 + 3 * risks.std() / sqrt(len(risks))
    assert all(one.saving is not None and one.saving > 0.1 for one in found)
    assert all(one.loss <= 0.08 for one in found)


def test_the_bound_is_rarely_broken() -> None:
    """Over many calibration sets the true loss exceeds ε in at most a share δ, but for chance, and money is saved on most."""
    found = [fitted(outcomes(120, seed), epsilon=0.1, delta=0.1).guarantee for seed in range(30)]
    broken = np.mean([risk(one.threshold) > 0.1 for one in found])
    assert broken <= 0.1 + 3 * sqrt(0.1 * 0.9 / len(found))
    assert np.mean([one.saving is not None and one.saving > 0 for one in found]) > 0.9


def test_new_queries_fare_as_the_guarantee_says() -> None:
    """On other queries loss and saving are those of the calibration set, but for chance."""
    router = fitted(outcomes(1_500), epsilon=0.05)
    test = outcomes(3_000, seed=1)
    found = simulate(router, test)
    loss = np.maximum(test.quality[:, test.models.index("large")] - found.quality, 0).mean()
    guarantee = router.guarantee
    assert loss == pytest.approx(guarantee.loss, abs=0.015)
    assert 1 - found.cost_usd.mean() / 20 == pytest.approx(guarantee.saving, abs=0.05)
    assert guarantee.queries == 1_500
    assert (
        f"at most 0.05 worse than large in expectation, on average over calibration sets; {guarantee.saving:.1%}"
        in str(guarantee)
    )


def test_a_confidence_worth_nothing_saves_nothing() -> None:
    """Where scores say nothing and half of the answers are wrong, no draft is worth its price: the reference answers alone."""
    data = outcomes(200)
    assert data.answers is not None
    answers = np.array(data.answers)
    answers[:, data.models.index("small")] = "0.5"
    quality = np.array(data.quality)
    quality[::2, data.models.index("small")] = 0.0
    guarantee = fitted(replace(data, answers=answers, quality=quality), epsilon=0.02).guarantee
    assert guarantee.threshold == np.inf
    assert guarantee.saving == 0
    assert guarantee.loss == 0


def test_less_loss_allowed_saves_less() -> None:
    """The bolder the bound, the lower the threshold; certainty costs more than the average."""
    data = outcomes(400)
    savings = [fitted(data, epsilon=epsilon).guarantee.saving for epsilon in (0.01, 0.05, 0.1, 0.3)]
    assert savings == sorted(savings, key=float)
    sure = fitted(data, epsilon=0.1, delta=0.05).guarantee
    assert sure.threshold > fitted(data, epsilon=0.1).guarantee.threshold
    assert "with probability 0.95" in str(sure)


@pytest.mark.parametrize(("given", "least"), [({"epsilon": 0.02}, 49), ({"epsilon": 0.05, "delta": 0.1}, 45)])
def test_too_few_queries_are_refused(given: dict[str, float], least: int) -> None:
    """Fewer queries than could prove it are an error that says how many are missing; as many as that will do."""
    with pytest.raises(
        DataError, match=rf"at least {least} calibration queries .* there are {least - 3}, so 3 are missing"
    ):
        fitted(outcomes(least - 3), **given)
    assert fitted(outcomes(least), **given).guarantee.queries == least


def test_repeated_queries_count_once() -> None:
    """Queries of one text are one group, and prove no more than one query."""
    data = outcomes(30)
    twice = data.take([*range(30), *range(30)])
    assert fitted(twice, epsilon=0.1).guarantee.queries == 30
    with pytest.raises(DataError, match="there are 30, so 19 are missing"):
        fitted(twice, epsilon=0.02)


def test_queries_without_texts_prove_nothing() -> None:
    """Where no answers were kept, that is what the error says."""
    with pytest.raises(DataError, match="No query has an answer on record of each of 'large', 'small'"):
        RiskControlledCascade(order=ORDER, confidence=Agreement()).fit(replace(outcomes(100), answers=None))
    with pytest.raises(DataError, match="no model 'other'"):
        RiskControlledCascade(order=("small", "other"), confidence=Told()).fit(outcomes(100))


def test_a_reference_that_is_not_the_last() -> None:
    """Losses may be measured against any model; where the last one itself loses more than allowed, that is said."""
    data = outcomes(300)
    router = RiskControlledCascade(order=ORDER, confidence=Told(), reference="small").fit(data)
    assert router.guarantee.reference == "small"
    assert router.guarantee.loss == 0
    with pytest.raises(DataError, match=r"Even always calling small loses 0\.\d+ against large on 300"):
        RiskControlledCascade(order=("large", "small"), confidence=Told(), reference="large", epsilon=0.05).fit(
            replace(data, answers=np.full((300, 2), "0.5", dtype=object))
        )


def test_a_learning_confidence_learns_from_the_other_part() -> None:
    """Its share of the groups calibrates, the rest teaches, and the order of rows does not matter."""
    data = outcomes(300)
    shuffled = data.take(np.random.default_rng(0).permutation(300)).only(("small", "large"))
    one, two = (
        RiskControlledCascade(
            order=ORDER, confidence=Calibrated(confidence=Told(), method="platt", folds=2), epsilon=0.1, share=0.6
        ).fit(each)
        for each in (data, shuffled)
    )
    assert one.guarantee == two.guarantee
    assert one.guarantee.queries == 180
    assert one.guarantee.saving is not None
    assert one.guarantee.saving > 0


def test_free_and_unpriced_models() -> None:
    """Of models that cost nothing nothing can be saved, and of unknown costs nobody knows; both keep their bound."""
    free = fitted(outcomes(100, usd=(0.0, 0.0)), epsilon=0.1).guarantee
    unpriced = fitted(replace(outcomes(100), cost_usd=np.full((100, 2), np.nan)), epsilon=0.1).guarantee
    assert free.saving == 0
    assert free.loss == 0
    assert unpriced.saving is None
    assert "an unknown saving" in str(unpriced)
    assert unpriced.loss <= 0.1


def test_outside_the_guarantee() -> None:
    """Another operating point, or a model that cannot serve, is told on the decision; otherwise the guarantee is."""
    router = fitted(outcomes(200), epsilon=0.1)
    decision = router.decide(QUERY)
    assert decision.degraded == ()
    assert str(router.guarantee) in decision.reason
    moved = router.decide(QUERY, Context(operating_point=0.3))
    assert moved.degraded == ("outside the guarantee: another operating point than the fitted one is in force",)
    denied = router.decide(replace(QUERY, constraints=Constraints(deny=frozenset({"large"}))))
    assert denied.degraded == ("outside the guarantee: large is left out",)
    assert denied.final
    assert router.course(0.3).thresholds == {"small": 0.3}


def test_saving_and_loading(tmp_path: Any) -> None:
    """A guarantee with an infinite threshold and an unknown saving comes back as it was."""
    data = outcomes(60, useful=2.0)
    quality = np.array(data.quality)
    quality[:, data.models.index("small")] = 0.0
    answers = np.full((60, 2), "1.0", dtype=object)
    router = RiskControlledCascade(order=ORDER, confidence=Agreement(), epsilon=0.02).fit(
        replace(data, quality=quality, answers=answers, cost_usd=np.full((60, 2), np.nan))
    )
    assert router.guarantee.saving is None
    path = save(router, tmp_path / "router.pointsman")
    loaded = load(path)
    assert isinstance(loaded, RiskControlledCascade)
    assert repr(loaded.guarantee) == repr(router.guarantee)
    assert router.guarantee.threshold <= inf


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"order": ("a",)}, "order"),
        ({"order": ("a", "a")}, "repeats 'a'"),
        ({"order": ("a", "b"), "reference": "c"}, "reference must be one of 'a', 'b', got 'c'"),
        ({"order": ("a", "b"), "epsilon": 0.0}, "epsilon"),
        ({"order": ("a", "b"), "delta": 1.0}, "delta"),
        ({"order": ("a", "b"), "share": 1.0}, "share"),
    ],
)
def test_impossible_guarantees(given: dict[str, Any], told: str) -> None:
    """Errors name the parameter; before learning there is no guarantee."""
    with pytest.raises(ConfigError, match=told):
        RiskControlledCascade(confidence=Told(), **given)
    with pytest.raises(NotFittedError):
        _ = RiskControlledCascade(order=ORDER, confidence=Told()).guarantee
