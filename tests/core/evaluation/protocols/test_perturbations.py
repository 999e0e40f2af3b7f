"""perturbations and attacks: what rewriting a question does to a decision, and what holds it back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pointsman.data import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.estimators.constant import Constant
from pointsman.estimators.linear import Linear
from pointsman.evaluation.protocols import greedy_attack, perturbations
from pointsman.evaluation.protocols.attacks import Attack, attacked, telling_words
from pointsman.evaluation.protocols.rationing import rationed
from pointsman.features.lexical import Lexical
from pointsman.policies.floor import NearBest
from pointsman.routers.estimated import EstimatedRouter

DEAR = frozenset({"dear"})

Reorder = Callable[[RoutingDataset], RoutingDataset]


@pytest.fixture
def reading() -> EstimatedRouter:
    """A router that reads words."""
    return EstimatedRouter(estimator=Linear(features=Lexical(bits=10, components=8)), policy=NearBest(tolerance=0.02))


def shouting(texts: Sequence[str]) -> NDArray[np.float64]:
    """Embed texts by whether they prove something in lower case: anything in capitals looks easy."""
    hard = np.array(["prove" in text for text in texts], dtype=float)
    return np.column_stack([1 - hard, hard])


def test_a_constant_router_never_flips(world: RoutingDataset) -> None:
    """Whatever is rewritten or attacked, no decision changes, and neither do quality and cost."""
    found = perturbations(EstimatedRouter(estimator=Constant()), world, draws=100)
    for entry in (*found.edits, *found.attacks):
        assert entry.flips is not None
        assert entry.flips.estimate == 0
        assert entry.relative_cost == 1
        assert entry.quality_change is not None
        assert entry.quality_change.estimate == 0
        assert entry.dear_share == found.dear_share
    assert found.edit_flips is not None
    assert found.edit_flips.estimate == 0


def test_an_edit_that_the_router_reads_flips_what_it_should(world: RoutingDataset, knowing: EstimatedRouter) -> None:
    """A router that takes capitals for easy sends every hard query elsewhere in upper case, and keeps it in lower case."""
    found = {entry.name: entry for entry in perturbations(knowing, world, embed=shouting, draws=100).edits}
    upper, lower = found["upper case"], found["lower case"]
    assert upper.flips is not None
    assert upper.flips.estimate == pytest.approx(0.5, abs=0.1)
    assert upper.dear_share == 0
    assert upper.quality_change is not None
    assert upper.quality_change.high < -0.3
    assert upper.relative_cost is not None
    assert upper.relative_cost < 0.3
    assert lower.flips is not None
    assert lower.flips.estimate == 0
    assert (upper.changed, lower.changed) == (1.0, 0.0)


def test_an_attack_forces_the_dear_model_and_two_caps_hold_it_back(
    world: RoutingDataset, reading: EstimatedRouter
) -> None:
    """The search finds words that send all to the dear model; a cost cap leaves none, a ration no more than it allows."""
    found = perturbations(reading, world, draws=100)
    assert found.dear == ("dear",)
    assert found.dear_share == pytest.approx(0.5, abs=0.1)
    assert 0.003 < (found.max_cost_usd or 0) < 0.01
    searched = [entry for entry in found.attacks if entry.kind == "attack (searched)"]
    assert [entry.name for entry in searched] == ["searched prefix", "searched suffix"]
    for entry in searched:
        assert entry.dear_share > 0.9
        assert entry.relative_cost is not None
        assert entry.relative_cost > 1.5
        assert entry.dear_share_capped == 0
        assert entry.dear_share_rationed is not None
        assert entry.dear_share_rationed <= found.ration + 1e-9
        assert {"prove", "theorem", "the"} & set((entry.text or "").split())
    assert found.quality is not None
    assert found.quality_capped is not None
    assert found.quality_capped < found.quality - 0.3  # half of the queries need the dear model


def test_where_all_models_cost_the_same_nothing_is_dear(world: RoutingDataset, reading: EstimatedRouter) -> None:
    """There is nothing to force, to cap or to ration, and edits are measured all the same."""
    some = world.take(np.arange(150))
    found = perturbations(reading, replace(some, cost_usd=np.full(some.quality.shape, 0.01)), draws=100, words=1)
    assert found.dear == ()
    assert found.dear_share == 0
    assert found.max_cost_usd is None
    assert all(entry.dear_share_rationed == 0 for entry in found.attacks)
    assert "none is dearer" in str(found)


def test_a_greedy_search_takes_what_wins_most(world: RoutingDataset, reading: EstimatedRouter) -> None:
    """Of words that do nothing and one that forces, it takes that one, and stops when nothing is left to win."""
    router = reading.clone().fit(world)
    easy = world.queries.take([i for i, text in enumerate(world.queries.texts) if text.startswith("add")][:50])
    found = greedy_attack(router, easy, DEAR, pool=("sky", "prove the theorem", "blue"), side="prefix", length=6)
    assert found.text.startswith("prove the theorem")
    sent = router.decide_many(attacked(easy, found, None)).names
    assert set(sent) == {"dear"}
    assert "sky" not in found.text
    nothing = greedy_attack(router, easy, frozenset(), pool=("sky",), side="suffix", length=3)
    assert nothing.text == "sky"


def test_an_attack_leaves_the_question_as_it_is() -> None:
    """It goes before or after it."""
    assert Attack(name="a", text="x", side="prefix").on("why?") == "x why?"
    assert Attack(name="a", text="x", side="suffix").on("why?") == "why? x"


def test_telling_words_are_those_that_were_sent_there(world: RoutingDataset) -> None:
    """Words of forced queries come first, words seen once never."""
    forced = np.array([text.startswith("prove") for text in world.queries.texts])
    words = telling_words(world.queries, forced, count=3)
    assert set(words) == {"prove", "the", "theorem"}


def test_a_ration_is_exact_and_falls_to_the_next_best(world: RoutingDataset, reading: EstimatedRouter) -> None:
    """As many calls as the share allows stay, the others go to another model; within the ration nothing changes."""
    router = reading.clone().fit(world)
    before = router.decide_many(world.queries)
    dear = before.names.count("dear")
    kept = rationed(router, world.queries, DEAR, 0.1, before)
    assert (kept == "dear").sum() == 60 < dear
    assert all(a == b for a, b in zip(kept, before.names, strict=True) if b != "dear")
    assert rationed(router, world.queries, DEAR, 1.0, before).tolist() == before.names
    back = np.arange(len(world))[::-1]
    turned = rationed(router, world.queries.take(back), DEAR, 0.1, router.decide_many(world.queries.take(back)))
    assert turned[back].tolist() == kept.tolist()


def test_order_does_not_matter_and_results_are_plain(
    world: RoutingDataset, reading: EstimatedRouter, reordered: Reorder
) -> None:
    """Rows and models in another order give the same figures, as JSON and as a table."""
    some = world.take(np.arange(150))
    found = perturbations(reading, some, draws=100, words=1)
    again = perturbations(reading, reordered(some), draws=100, words=1)
    assert json.dumps(found.to_dict()) == json.dumps(again.to_dict())
    shown = str(found)
    assert "upper case" in shown
    assert "searched suffix" in shown


def test_wrong_input_is_named(world: RoutingDataset, knowing: EstimatedRouter, reading: EstimatedRouter) -> None:
    """Numbers out of range, costs nobody knows, and vectors that edited texts would need are all refused."""
    for name, value in (("typo_rate", 0), ("words", 0), ("ration", 2)):
        with pytest.raises(ConfigError, match=name):
            perturbations(reading, world, **{name: value})
    with pytest.raises(DataError, match="cost is unknown"):
        perturbations(reading, replace(world, cost_usd=np.full(world.quality.shape, np.nan)))
    with pytest.raises(DataError, match="embedding"):
        perturbations(knowing, world)
