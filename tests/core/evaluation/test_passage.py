"""The path of one query: every call with its money, and the answer it ended in."""

from __future__ import annotations

import pytest

from pointsman.confidence.agreement import Agreement
from pointsman.confidence.consistency import SelfConsistency
from pointsman.dispatch import Dispatcher
from pointsman.errors import DataError
from pointsman.evaluation import explain, passage_of, recorded_passage, simulate
from pointsman.routers.cascade import Cascade
from pointsman.testing import FakeModels, toy
from pointsman.types import Query

ORDER = ("small", "large")


def sampling() -> Cascade:
    """Return a cascade that takes two samples of the small model before it trusts it."""
    return Cascade(order=ORDER, confidence=SelfConsistency(samples=2), thresholds=(0.9,)).fit(toy())


def test_every_call_is_on_the_path_and_paid() -> None:
    """Over all queries the money of the paths is what the replay says, and exactly the supporting call is marked."""
    cascade, data = sampling(), toy()
    costs = simulate(cascade, data).cost_usd
    for row, query in enumerate(data.queries):
        found = recorded_passage(cascade, query, data)
        assert found.cost_usd == pytest.approx(costs[row])
        assert [step.supports for step in found.taken].count(True) == 1
        assert next(step.model for step in found.taken if step.supports) == found.model
        assert {step.purpose for step in found.taken} <= {"answer", "sample"}


def test_the_text_tells_the_path() -> None:
    """A draft that was not sure enough, its samples and the final answer are there in order, with the sum."""
    data = toy()
    hard = next(query for query in data.queries if query.text.startswith("Prove"))
    told = str(recorded_passage(sampling(), hard, data))
    assert "1. small" in told
    assert "sample" in told
    assert "4. large" in told
    assert "taken unchecked; small was not sure enough" in told
    assert "4 calls for $" in told


def test_an_explanation_has_the_path_where_outcomes_are_recorded() -> None:
    """Text and plain data hold it; without recorded outcomes there is none."""
    data = toy()
    query, cascade = data.queries[0], sampling()
    found = explain(cascade, query, recorded=data)
    assert found.passage is not None
    assert str(found.passage) in str(found)
    assert found.to_dict()["passage"]["taken"][0]["model"] == "small"
    assert explain(cascade, query).passage is None


def test_a_query_that_is_not_on_record_is_named() -> None:
    """There is nothing to tell of it."""
    with pytest.raises(DataError, match=r"'Who\?' is on record"):
        recorded_passage(sampling(), Query(text="Who?"), toy())


def test_a_trace_has_a_passage() -> None:
    """What was really run is told alike, failures included."""
    cascade = Cascade(order=ORDER, confidence=Agreement(), thresholds=(2.0,))
    trace = Dispatcher(cascade).run(Query(text="2+2?", id="q"), perform=FakeModels())
    found = passage_of(trace)
    assert [step.model for step in found.taken] == list(ORDER)
    assert found.model == "large"
    assert found.cost_usd == trace.cost_usd
