"""Cascade routing in haste: who is worth asking at the same time, and what that does to calls, money and errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from driving import check_replay_is_driving

from pointsman.data import RoutingDataset
from pointsman.estimators.linear import Linear
from pointsman.features.embedding import Embedding
from pointsman.routers.cascade_router import CascadeRouter
from pointsman.testing.fakes import FakeModels
from pointsman.testing.runs import Ran, run
from pointsman.types import Call, CallError, Constraints, Context, Query

NAMES = ("first", "second", "third")
ROUTER = CascadeRouter(estimator=Linear(features=Embedding(length="given")), size=3, cost_weight=0.0)
HASTE = 0.004  # a second answer is worth its waiting at the same time, and hardly after the first


def outcomes(rows: int = 1200, seed: int = 0, *, seconds: float = 5.0) -> RoutingDataset:
    """Return letters that three equal models answer, each in the same time; agreement tells much."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((rows, 2))
    truth = rng.integers(0, 5, rows)
    said = {}
    for name in NAMES:
        right = rng.random(rows) < 0.65 + 0.1 * np.clip(points[:, 0], -1.5, 1.5)
        said[name] = np.where(right, truth, (truth + rng.integers(1, 5, rows)) % 5)
    data = RoutingDataset.from_arrays(
        [f"question {seed} {i}" for i in range(rows)],
        {name: (said[name] == truth).astype(float) for name in NAMES},
        {name: np.full(rows, 0.001) for name in NAMES},
        embeddings=points,
    )
    answers = np.array([["ABCDE"[said[name][i]] for name in data.models] for i in range(rows)], dtype=object)
    return replace(data, answers=answers, latency_s=np.full((rows, 3), seconds))


@pytest.fixture(scope="module")
def hasty() -> CascadeRouter:
    """Return a cascade that minds time."""
    return ROUTER.clone(latency_weight=HASTE).fit(outcomes())


def batches(ran: Ran) -> list[int]:
    """Return how many models were called at the same time, by round."""
    rounds = [step.path[0] for step in ran.steps if isinstance(step.effect, Call)]
    return [rounds.count(each) for each in sorted(set(rounds))]


def test_in_haste_several_are_asked_at_once(hasty: CascadeRouter) -> None:
    """Who minds time asks together whom another would ask one after the other, and waits for fewer rounds."""
    calm, queries = ROUTER.clone().fit(outcomes()), outcomes(40, 3).queries
    together = [batches(run(hasty, query, FakeModels())) for query in queries]
    apart = [batches(run(calm, query, FakeModels())) for query in queries]
    assert all(size == 1 for sizes in apart for size in sizes)
    assert max(size for sizes in together for size in sizes) > 1
    assert sum(map(len, together)) < sum(map(len, apart))


def test_haste_that_is_too_dear_asks_once() -> None:
    """Where a second is worth more than any second opinion, one model answers."""
    slow = ROUTER.clone(latency_weight=10.0).fit(replace(outcomes(), latency_s=np.tile([0.1, 5.0, 5.0], (1200, 1))))
    found = [run(slow, query, FakeModels()) for query in outcomes(20, 3).queries]
    assert {step.effect.model for ran in found for step in ran.steps if isinstance(step.effect, Call)} == {"first"}


@pytest.mark.parametrize("seed", range(2))
def test_replay_is_driving(hasty: CascadeRouter, seed: int) -> None:
    """Replaying recorded answers comes to what driving every plan on them does, batches included."""
    check_replay_is_driving(hasty, outcomes(30, seed + 5), (0.0, 20.0))


def test_an_error_beside_an_answer_costs_nothing(hasty: CascadeRouter) -> None:
    """Of models asked at the same time one may fail, even for good: the answer of the other counts."""
    query = next(query for query in outcomes(40, 3).queries if batches(run(hasty, query, FakeModels()))[0] > 1)
    lead = hasty.decide(query).model
    gone = FakeModels(failures={lead: CallError(lead, "no such model", status=404)})
    ran = run(hasty, query, gone)
    assert ran.answer is not None
    assert ran.answer.model != lead


def test_a_batch_keeps_to_a_querys_budget(hasty: CascadeRouter) -> None:
    """Models that together cost more than a query may are not asked together."""
    for query in outcomes(40, 3).queries:
        limited = replace(query, constraints=Constraints(max_cost_usd=0.0015))
        assert batches(run(hasty, limited, FakeModels(cost_usd=dict.fromkeys(NAMES, 0.001)))) == [1]


def test_decisions_say_who_is_asked_at_once(hasty: CascadeRouter) -> None:
    """Each call of a batch has a decision of its own, which names the others, and expects seconds."""
    query: Query = outcomes(40, 3).queries[0]
    ran = run(hasty, query, FakeModels())
    decisions = [step.effect.decision for step in ran.steps if isinstance(step.effect, Call)]
    first = [decision for decision in decisions if decision is not None and "at the same time" in decision.reason]
    assert len(first) > 1
    assert len({decision.model for decision in first}) == len(first)
    assert all(decision.ranking[0] == decision.model and not decision.final for decision in first)
    assert first[0].estimates["first"].latency_s == pytest.approx(5.0, rel=0.05)


def test_many_decisions_are_the_single_ones(hasty: CascadeRouter) -> None:
    """Deciding in one pass names whom each query would begin with."""
    queries = outcomes(30, 3).queries
    many = hasty.decide_many(queries, Context())
    assert list(many.names) == [hasty.decide(query).model for query in queries]
