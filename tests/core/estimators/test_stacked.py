"""Several estimators as one: no harm where nothing can be told, and a gain where much can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.data import Queries, RoutingDataset
from pointsman.errors import ConfigError
from pointsman.estimators.stacked import Stacked, StackedState
from pointsman.features.embedding import Embedding
from pointsman.policies.utility import Utility

Make = Callable[..., RoutingDataset]


def quality_first(stack: Stacked, queries: Queries) -> np.ndarray:
    """Return the columns chosen at any price."""
    found = stack.predict(queries)
    return Utility().choose(found, uniforms=lambda: np.zeros(len(found))).model


def mean_contrasts(stack: Stacked, data: RoutingDataset) -> np.ndarray:
    """Return draws of how much worse than "b" the others are on average, shape (s, 2)."""
    draws = stack.draw(data.queries).draws
    assert draws is not None
    mean = draws.mean(axis=1)
    return mean[:, [0, 2]] - mean[:, [1]]


def test_where_nothing_can_be_told_nothing_is_done(made_up: Make, small_stack: Stacked) -> None:
    """On outcomes that have nothing to do with the query, quality first is the best single model nearly always."""
    strayed = []
    for seed in range(20):
        stack = small_stack.clone(draws=2).fit(made_up(90, seed=seed))
        picks = quality_first(stack, made_up(90, seed=seed + 1000).queries)
        strayed.append((picks != stack.fitted(StackedState).incumbent).mean())
    assert np.mean(strayed) < 0.03
    assert np.mean(np.array(strayed) > 0) < 0.2


def test_where_much_can_be_told_much_is_gained(made_up: Make, small_stack: Stacked) -> None:
    """With a strong signal, most queries go to the model that is good at them, and new ones are answered better."""
    stack, test = small_stack.clone().fit(made_up(200, signal=0.35)), made_up(400, signal=0.35, seed=1)
    picks = quality_first(stack, test.queries)
    got, best = test.quality[np.arange(400), picks], test.quality[:, stack.fitted(StackedState).incumbent]
    assert (got - best).mean() > 0.1
    points = test.queries.embeddings
    assert points is not None
    assert ((picks == 0) == (points[:, 0] > 0)).mean() > 0.65


def test_missing_cells_are_no_obstacle(made_up: Make, small_stack: Stacked) -> None:
    """With a third of the outcomes unknown all estimates are numbers, and the signal is still found."""
    data = made_up(200, signal=0.35)
    quality = np.where(np.random.default_rng(0).random(data.quality.shape) < 0.35, np.nan, data.quality)
    stack = small_stack.clone().fit(replace(data, quality=quality))
    found = stack.draw(data.queries)
    assert found.cautious is not None
    assert found.draws is not None
    for part in (found.quality, found.cautious(), found.draws, found.cost_usd):
        assert np.isfinite(part).all()
    assert stack.fitted(StackedState).trust.factor > 0.3


def test_one_group_of_queries_earns_no_trust(made_up: Make, small_stack: Stacked) -> None:
    """Without two groups there is nothing to hold out: every query gets the means."""
    data = made_up(30, signal=0.35)
    data = replace(data, groups=np.zeros(30, dtype=np.int64))
    stack = small_stack.clone()
    crossed = stack.fit_crossed(data)
    assert stack.fitted(StackedState).trust.factor == 0
    for found in (crossed, stack.predict(data.queries)):
        contrast = found.quality - found.quality.mean(axis=1, keepdims=True)
        assert contrast == pytest.approx(np.tile(data.mean_quality - data.mean_quality.mean(), (30, 1)))


def test_a_model_asked_a_few_times_is_no_obstacle(made_up: Make, small_stack: Stacked) -> None:
    """A model whose few outcomes all lie in one part that is held out is predicted by its mean there."""
    data = made_up(60)
    quality = data.quality.copy()
    quality[1:, 2] = np.nan
    stack = small_stack.clone()
    found = stack.fit_crossed(replace(data, quality=quality))
    assert np.isfinite(found.quality).all()
    assert np.isfinite(stack.predict(data.queries).quality).all()


@settings(max_examples=5)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_and_models_is_irrelevant(made_up: Make, small_stack: Stacked, seed: int) -> None:
    """Shuffled data leave the same stack, to the last bit."""
    data, rng = made_up(40, signal=0.3, seed=1, domains=4), np.random.default_rng(seed)
    names = [data.models[j] for j in rng.permutation(3)]
    shuffled = data.take(rng.permutation(40)).only(names)
    assert small_stack.clone().fit(shuffled).digest() == small_stack.clone().fit(data).digest()


def test_a_row_does_not_depend_on_its_batch(made_up: Make, small_stack: Stacked) -> None:
    """A query alone gets what it gets among others, caution included."""
    data = made_up(60, signal=0.3)
    stack = small_stack.clone().fit(data)
    together = stack.predict(data.queries)
    assert together.cautious is not None
    for i in (0, 7, 59):
        alone = stack.predict_one(data.queries[i])
        assert alone.cautious is not None
        assert alone.quality[0] == pytest.approx(together.quality[i], abs=1e-9)
        assert alone.cautious()[0] == pytest.approx(together.cautious()[i], abs=1e-9)


def test_an_unfamiliar_query_stays_with_the_incumbent(made_up: Make, small_stack: Stacked) -> None:
    """Far from everything learnt from, caution leaves the means and the premium, whatever the members say."""
    data = made_up(200, signal=0.35, domains=5)
    points = data.queries.embeddings
    assert points is not None
    middles = np.array([[8, 0, 0], [0, 8, 0], [0, 0, 8], [-8, 0, 0], [0, -8, 0]])[np.arange(200) % 5]
    data = replace(data, queries=replace(data.queries, embeddings=points + middles))
    stack = small_stack.clone().fit(data)
    state = stack.fitted(StackedState)
    far = Queries.from_texts(["far"], embeddings=np.array([[500.0, 500.0, -500.0]]))
    found = stack.predict(far)
    assert found.cautious is not None
    expected = state.means + 0.03 * (np.arange(3) == state.incumbent)
    assert found.cautious()[0] - found.cautious()[0, 0] == pytest.approx(expected - expected[0])
    assert found.best()[0] in data.models
    assert quality_first(stack, far)[0] == state.incumbent


def coverage(make: Make, stack: Stacked, seeds: int, rows: int) -> float:
    """Return how often the nine-tenths interval of a mean difference holds the true one."""
    truth, hits = np.array([0.55, 0.5]) - 0.6, []
    for seed in range(seeds):
        data = make(rows, seed=seed, signal=0.2 * (seed % 2))
        low, high = np.quantile(mean_contrasts(stack.clone().fit(data), data), [0.05, 0.95], axis=0)
        hits.append((low <= truth) & (truth <= high))
    return float(np.mean(hits))


def test_draws_cover_mean_differences(made_up: Make, small_stack: Stacked) -> None:
    """Intervals of mean differences hold the truth about as often as stated, with a signal and without one."""
    assert coverage(made_up, small_stack, 20, 60) == pytest.approx(0.9, abs=0.12)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_draws_cover_mean_differences_at_the_stated_rate(made_up: Make, small_stack: Stacked) -> None:
    """Over many data sets the rate is the stated one."""
    assert coverage(made_up, small_stack, 400, 150) == pytest.approx(0.9, abs=0.035)


def test_draws_are_around_the_estimates(made_up: Make, small_stack: Stacked) -> None:
    """The number of draws is the parameter; estimates themselves stay what `predict` says."""
    data = made_up(60, signal=0.35)
    stack = small_stack.clone(draws=16).fit(data)
    found, plain = stack.draw(data.queries), stack.predict(data.queries)
    assert found.draws is not None
    assert found.draws.shape == (16, 60, 3)
    assert np.array_equal(found.quality, plain.quality)
    assert plain.draws is None
    assert np.array_equal(found.draws, stack.draw(data.queries).draws)
    assert np.corrcoef(found.draws.mean(axis=0).ravel(), plain.quality.ravel())[0, 1] > 0.9


def test_what_it_rests_on_is_told(made_up: Make, small_stack: Stacked) -> None:
    """Trust, each member's share by name, the incumbent, and how familiar the query is."""
    data = made_up(80, signal=0.3)
    member = small_stack.members[1]
    told = small_stack.clone(members=(member, member.clone())).fit(data).explain(data.queries[0])
    assert set(told["shares"]) == {"Nearest", "Nearest 2"}
    assert 0 <= told["trust"] <= 1
    assert told["incumbent"] == data.best_single
    assert 0 < told["familiarity"] < 1
    few = small_stack.clone().fit(data.take(range(20)))
    assert "familiarity" not in few.explain(data.queries[0])


def test_there_must_be_a_member() -> None:
    """No member, a single fold and a single draw are refused by name."""
    for wrong in ({"members": ()}, {"folds": 1}, {"draws": 1}):
        with pytest.raises(ConfigError, match=rf"Stacked\.{next(iter(wrong))}"):
            Stacked(features=Embedding(), **wrong)  # type: ignore[arg-type]
