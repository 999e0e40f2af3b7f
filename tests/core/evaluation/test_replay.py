"""Replaying a router on recorded outcomes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.errors import DataError
from pointsman.estimators.domain import Domain
from pointsman.evaluation import simulate, simulate_sweep
from pointsman.flow import Plan, ask
from pointsman.models import ModelPool
from pointsman.routers.base import Router
from pointsman.routers.estimated import EstimatedRouter
from pointsman.routers.rules import RulesRouter
from pointsman.testing.toys import toy, toy_pool
from pointsman.types import Answer, Call, CallError, Context, Decision, Embed, Message, Query, Response

NAN = float("nan")


class Scripted(Router):
    """Calls the models of its script one after the other, or all at once, and answers with the last."""

    script: tuple[str, ...]
    at_once: bool = False
    prompt: str | None = None
    embed: str | None = None
    propensity: float = 1.0

    @property
    def models(self) -> ModelPool:
        """The toy models."""
        return toy_pool()

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008
        """Choose the first of the script."""
        return Decision(model=self.script[0], ranking=self.script, propensity=self.propensity)

    def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
        """Follow the script."""
        if self.embed is not None:
            yield (Embed(embedder="vectors", texts=(self.embed or query.text,)),)
        decision = self.decide(query, context)
        sent = None if self.prompt is None else (Message(role="user", content=self.prompt),)
        calls = tuple(Call(model=name, decision=decision, messages=sent) for name in self.script)
        if self.at_once:
            got = [outcome for outcome in (yield calls) if isinstance(outcome, Response)]
            return Answer(content=got[0].text, support=tuple(response.step for response in got))
        for call in calls:
            last = yield from ask(call)
        return Answer.of(last)


def with_answers(data: RoutingDataset) -> RoutingDataset:
    """Give every cell the answer that tells its score."""
    return replace(data, answers=np.array([[f"{q:g}" for q in row] for row in data.quality], dtype=object))


def test_reads_off_the_chosen_cells() -> None:
    """Quality and cost of every query are those of the model that was chosen, to the last bit."""
    data = toy()
    found = simulate(RulesRouter(pool=toy_pool(), default="medium"), data)
    column = data.models.index("medium")
    assert np.array_equal(found.quality, data.quality[:, column])
    assert np.array_equal(found.cost_usd, data.cost_usd[:, column])
    assert found.shares == {"large": 0, "medium": 1, "small": 0}
    assert found.calls.tolist() == [1] * len(data)


def test_missing_cells_stay_missing() -> None:
    """A cell that nobody observed has no score and no cost, and is counted."""
    data = toy()
    data.quality[3], data.cost_usd[3] = NAN, NAN
    found = simulate(RulesRouter(pool=toy_pool(), default="medium"), data)
    assert np.isnan([found.quality[3], found.cost_usd[3]]).all()
    assert (found.unobserved, found.unpriced) == (1, 1)


def test_a_model_without_outcomes_is_unobserved() -> None:
    """Where the router calls a model that the dataset does not have, nobody knows what came of it."""
    data = toy().only(("small", "large"))
    found = simulate(RulesRouter(pool=toy_pool(), default="medium"), data)
    assert found.unobserved == len(data)
    assert set(found.model.tolist()) == {-1}
    assert sum(found.shares.values()) == 0


def test_no_model_in_common_is_an_error() -> None:
    """A dataset of other models is refused, naming both sides."""
    with pytest.raises(DataError, match=r"'other'.*the router calls 'large'"):
        simulate(RulesRouter(pool=toy_pool(), default="small"), RoutingDataset.from_arrays(["a"], {"other": [1]}))


def test_the_sweep_is_simulate_at_each_point() -> None:
    """Sweeping operating points gives the outcomes of simulating at each of them."""
    data = toy()
    router = EstimatedRouter(estimator=Domain()).fit(data)
    points = (0.0, 100.0, 1e6)
    for point, found in zip(points, simulate_sweep(router, data, points), strict=True):
        alone = simulate(router, data, Context(operating_point=point))
        assert np.array_equal(found.model, alone.model)
    assert simulate(router, data).shares != found.shares


def test_the_context_counts() -> None:
    """A model that is unavailable in the context is not chosen."""
    router = RulesRouter(pool=toy_pool(), default="large")
    assert simulate(router, toy(), Context(unavailable={"large": "cooling down"})).shares["large"] == 0


def test_every_call_of_a_longer_plan_is_paid() -> None:
    """A rejected draft costs what it cost; the answer's quality is the last model's."""
    data = with_answers(toy())
    found = simulate(Scripted(script=("small", "large")), data)
    small, large = data.models.index("small"), data.models.index("large")
    assert np.array_equal(found.quality, data.quality[:, large])
    assert np.allclose(found.cost_usd, data.cost_usd[:, small] + data.cost_usd[:, large], rtol=1e-15)
    assert found.calls.tolist() == [2] * len(data)
    assert found.model.tolist() == [large] * len(data)


def test_an_unknown_cost_makes_the_total_unknown() -> None:
    """One call without a known cost leaves the query's cost unknown, not smaller."""
    data = with_answers(toy())
    data.cost_usd[0, data.models.index("small")] = NAN
    found = simulate(Scripted(script=("small", "large")), data)
    assert np.isnan(found.cost_usd).tolist() == [True] + [False] * (len(data) - 1)


def test_propensities_are_kept() -> None:
    """The probability of a decision is recorded once, however many calls follow from it."""
    found = simulate(Scripted(script=("small", "large"), propensity=0.25), with_answers(toy()))
    assert set(found.propensity.tolist()) == {0.25}

    class Drawn(RulesRouter):
        def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008
            return replace(super().decide(query, context), propensity=0.5)

    assert set(simulate(Drawn(pool=toy_pool(), default="small"), toy()).propensity.tolist()) == {0.5}


def test_several_calls_need_recorded_answers() -> None:
    """What a plan does after reading an answer is unknown where no answer was recorded, so it is refused."""
    with pytest.raises(DataError, match="Scripted reads answers between its calls"):
        simulate(Scripted(script=("small", "large")), replace(toy(), answers=None))


def test_one_missing_answer_leaves_its_query_unknown() -> None:
    """Where one answer is not on record, that query's quality and cost are unknown and the others' are not."""
    data = with_answers(toy())
    assert data.answers is not None
    data.answers[5, data.models.index("small")] = None
    found = simulate(Scripted(script=("small", "large")), data)
    assert np.flatnonzero(np.isnan(found.quality)).tolist() == [5]
    assert np.flatnonzero(np.isnan(found.cost_usd)).tolist() == [5]


def test_voters_that_scored_alike_have_that_quality() -> None:
    """An answer of several models has their common score, and none where they scored differently."""
    data = with_answers(toy())
    found = simulate(Scripted(script=("small", "large"), at_once=True), data)
    pair = data.quality[:, [data.models.index("small"), data.models.index("large")]]
    alike = pair[:, 0] == pair[:, 1]
    assert alike.any()
    assert not alike.all()
    assert np.array_equal(found.quality[alike], pair[alike, 0])
    assert np.isnan(found.quality[~alike]).all()
    assert set(found.model.tolist()) == {-1}


def test_another_prompt_cannot_be_replayed() -> None:
    """A call that sends something else than the query, such as a judge's, has no recorded outcome."""
    with pytest.raises(DataError, match="another prompt than the query's own"):
        simulate(Scripted(script=("small",), prompt="Is this right?"), toy())


def test_embeddings_come_from_the_dataset() -> None:
    """A plan that asks for the query's embedding gets the recorded one; any other text is refused."""
    assert simulate(Scripted(script=("small",), embed=""), toy()).unobserved == 0
    with pytest.raises(DataError, match="no embedding by 'vectors'"):
        simulate(Scripted(script=("small",), embed="another text"), toy())


def test_calls_do_not_fail_in_a_replay() -> None:
    """Recorded outcomes are successes: the fallback down the ranking is never taken."""

    class Careful(RulesRouter):
        def plan(self, query: Query, context: Context = Context()) -> Plan[Answer]:  # noqa: B008
            try:
                return (yield from super().plan(query, context))
            except CallError:  # pragma: no cover - what must not happen
                pytest.fail("a recorded call failed")

    found = simulate(Careful(pool=toy_pool(), default="small"), toy())
    assert np.array_equal(found.quality, simulate(RulesRouter(pool=toy_pool(), default="small"), toy()).quality)
