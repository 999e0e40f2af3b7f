"""Which models another one makes superfluous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pointsman.data import RoutingDataset
from pointsman.selection.choosing.pruning import dominated

ROWS = 90


def data(
    quality: Mapping[str, Sequence[float] | np.ndarray],
    usd: Mapping[str, float],
    domains: Sequence[str | None] | None = None,
) -> RoutingDataset:
    """Return outcomes with a price a model."""
    rows = len(next(iter(quality.values())))
    costs = {name: np.full(rows, usd[name]) for name in quality}
    return RoutingDataset.from_arrays([f"q{i}" for i in range(rows)], quality, costs, domains=domains)


def right(share: float, rows: int = ROWS) -> np.ndarray:
    """Return right answers to the first queries and wrong ones to the rest."""
    return (np.arange(rows) < share * rows).astype(float)


def test_a_dominated_model_goes() -> None:
    """Clearly worse and no cheaper is superfluous; clearly worse and cheaper is not; as good and dearer is not either."""
    quality = {"good": right(0.9), "poor": right(0.4)}
    assert dominated(data(quality, {"good": 1.0, "poor": 1.0})) == {"poor": "good"}
    assert dominated(data(quality, {"good": 1.0, "poor": 2.0})) == {"poor": "good"}
    assert dominated(data(quality, {"good": 1.0, "poor": 0.9})) == {}
    assert dominated(data({"good": right(0.9), "equal": right(0.9)}, {"good": 1.0, "equal": 2.0})) == {}


def test_the_better_model_in_a_domain_stays() -> None:
    """A model that wins a domain of at least 20 queries is kept, one that wins fewer is not."""
    for size, stays in ((20, True), (19, False)):
        poor = right(0.2)
        poor[-size:] = 1.0
        good = np.ones(ROWS)
        good[-size:] = 0.8
        domains = ["other"] * (ROWS - size) + ["own"] * size
        found = dominated(data({"good": good, "poor": poor}, {"good": 1.0, "poor": 1.0}, domains))
        assert ("poor" not in found) == stays


def test_few_queries_dominate_nothing() -> None:
    """Under 20 queries in common, or of a single group, nothing is clear."""
    quality = {"good": right(1.0, 40), "poor": right(0.0, 40)}
    usd = {"good": 1.0, "poor": 1.0}
    made = data(quality, usd)
    assert dominated(made) == {"poor": "good"}
    assert dominated(made.take(range(19))) == {}
    assert dominated(replace(made, groups=np.zeros(40, dtype=np.int64))) == {}


def test_unknown_costs_dominate_nothing() -> None:
    """Without costs no model is known to be no cheaper."""
    made = RoutingDataset.from_arrays([f"q{i}" for i in range(40)], {"good": right(1.0, 40), "poor": right(0.0, 40)})
    assert dominated(made) == {}


def test_a_chain_names_the_model_that_is_kept() -> None:
    """Where the best beats the middling, which beats the worst, both are beaten by the best, whatever they are called."""
    for names in (("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")):
        quality = dict(zip(names, (right(0.95), right(0.6), right(0.3)), strict=True))
        assert dominated(data(quality, dict.fromkeys(names, 1.0))) == {names[1]: names[0], names[2]: names[0]}


def test_a_rare_dear_call_can_make_the_better_model_the_dearer_one() -> None:
    """Cheaper on all but one query and yet dearer on average does not dominate: the cheapest model stays."""
    made = data({"good": right(0.9, 200), "poor": right(0.3, 200)}, {"good": 1.0, "poor": 1.0})
    cost = made.cost_usd.copy()
    cost[0, made.models.index("good")] = 500.0
    assert dominated(replace(made, cost_usd=cost)) == {}


def test_a_beaten_model_does_not_lend_its_price() -> None:
    """A model is left out for one that stays, not for one that is left out itself and was cheaper than that."""
    rows = 1000
    made = data({"a": right(0.9, rows), "b": right(0.6, rows), "c": right(0.3, rows)}, dict.fromkeys("abc", 1.0))
    cost = made.cost_usd.copy()
    cost[:9, 0], cost[9:18, 0], cost[500:, 0] = 1.5, 1.4, 0.5  # a is dearer than b on nine queries
    cost[9:18, 1], cost[500:, 1] = 1.5, 0.6  # b is dearer than c on nine others, so that a is on eighteen
    cost[500:, 2] = 0.7
    found = dominated(replace(made, cost_usd=cost))
    assert found == {"b": "a"}
    names = {"a": "z", "b": "y", "c": "x"}
    renamed = replace(made, models=("z", "y", "x"), cost_usd=cost, pool=None)
    assert dominated(renamed) == {names[j]: names[k] for j, k in found.items()}


@given(st.integers(0, 2**32 - 1))
def test_what_is_kept_holds_the_best_and_the_cheapest(seed: int) -> None:
    """In whatever order rows and models come, with cells missing, the same models go, each for one that stays."""
    rng = np.random.default_rng(seed)
    names = tuple("abcde")
    quality = (rng.random((60, 5)) < rng.random(5)).astype(float)
    quality[rng.random(quality.shape) < rng.choice([0.0, 0.4])] = np.nan
    quality[0] = 0.5
    made = data(dict(zip(names, quality.T, strict=True)), dict(zip(names, rng.integers(1, 4, 5) / 8, strict=True)))
    found = dominated(made)
    assert not {made.best_single, made.cheapest} & set(found)
    assert not set(found) & set(found.values())
    shuffled = made.take(rng.permutation(60)).only([names[j] for j in rng.permutation(5)])
    assert dominated(shuffled) == found


def test_missing_cells_are_compared_in_pairs() -> None:
    """A model asked only where it is easy looks best on average, and the best on average is never left out."""
    good, lucky = right(0.5), right(0.4)
    lucky[40:] = np.nan  # right on 36 of the 40 it was asked; "good" was right on all of them
    found = dominated(data({"good": good, "lucky": lucky}, {"good": 1.0, "lucky": 1.0}))
    assert found == {}
