"""Priced tokens: exact where tokens are sure, right on average where they are not, unknown where nobody knows."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.data import Queries, RoutingDataset
from pointsman.estimators.charging import charges
from pointsman.estimators.constant import Constant
from pointsman.estimators.linear import Linear
from pointsman.estimators.pace import Pace
from pointsman.estimators.usage import TokenUsage
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.models import ModelPool, ModelSpec, Price, PriceTier
from pointsman.pricing import cost_usd
from pointsman.types import Query, Usage

TIERED = Price(
    input_per_mtok=1.0,
    output_per_mtok=4.0,
    per_call_usd=0.01,
    tiers=(PriceTier(above_input_tokens=200, input_per_mtok=2.0, output_per_mtok=8.0),),
)
POOL = ModelPool(
    [ModelSpec(name="brief", price=TIERED), ModelSpec(name="wordy", price=Price(input_per_mtok=3, output_per_mtok=15))]
)
WRAPPED = TokenUsage(estimator=Constant(), features=Embedding())


def outcomes(n: int = 200, *, spread: float = 0.0, seed: int = 0, pool: ModelPool | None = POOL) -> RoutingDataset:
    """Return two models' outcomes: input is 7 tokens and a quarter of the characters, output follows a feature, with noise."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n, 2))
    texts = ["word " * int(k) for k in rng.integers(1, 400, size=n)]
    sent = np.array([7 + len(text) / 4 for text in texts])
    said = np.column_stack([np.full(n, 30.0), np.full(n, 300.0)])
    if spread:
        said = said * np.exp(0.5 * points[:, :1] + spread * rng.standard_normal((n, 2)))
    made = RoutingDataset.from_arrays(texts, {"brief": np.ones(n), "wordy": np.ones(n)}, embeddings=points, pool=pool)
    return replace(made, input_tokens=np.column_stack([sent, sent]), output_tokens=said)


def actual(data: RoutingDataset) -> np.ndarray:
    """Return what the calls cost, by the price of each model."""
    assert data.input_tokens is not None
    assert data.output_tokens is not None
    columns = [
        charges(POOL[name].price, data.input_tokens[:, j], data.output_tokens[:, j]) for j, name in enumerate(POOL)
    ]  # type: ignore[arg-type]
    return np.column_stack(columns)


def test_sure_tokens_make_exact_costs() -> None:
    """Tokens that follow from the text are priced exactly on new queries, per call, tier by tier."""
    test = outcomes(100, seed=1)
    found = WRAPPED.clone().fit(outcomes()).predict(test.queries)
    assert found.cost_usd == pytest.approx(actual(test), rel=1e-6)
    assert (test.input_tokens > 200).any()  # type: ignore[operator]


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 1.0))
def test_costs_are_right_on_average(seed: int, spread: float) -> None:
    """However widely answers vary in length, the mean cost predicted for new queries is the mean cost of their calls."""
    train, test = (outcomes(400, spread=spread, seed=seed + part) for part in range(2))
    found = WRAPPED.clone().fit(train).predict(test.queries).cost_usd.mean(axis=0)
    realised = actual(test)
    slack = 5 * np.sqrt(2 / len(test)) * realised.std(axis=0) / realised.mean(axis=0)
    assert (np.abs(found / realised.mean(axis=0) - 1) < slack).all()


def test_the_exponential_of_a_mean_is_not_the_mean() -> None:
    """Without smearing, a spread of 1 would make costs exp(1/2) times too small; with it they are within a tenth."""
    data = outcomes(4000, spread=1.0)
    fitted = WRAPPED.clone().fit(data)
    _, said = fitted.tokens(data.queries)
    median = np.exp(np.log1p(data.output_tokens).mean(axis=0))  # type: ignore[arg-type]
    assert (said.mean(axis=0) > 1.4 * median).all()
    assert said.mean(axis=0) == pytest.approx(data.output_tokens.mean(axis=0), rel=0.1)  # type: ignore[union-attr]


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**6), st.floats(0, 50), st.floats(0, 50)), max_size=3),
    st.floats(0, 1),
)
def test_charges_are_those_of_the_price(
    sent: int, said: int, tiers: list[tuple[int, float, float]], call: float
) -> None:
    """Many calls at once cost what `pricing.cost_usd` says of each."""
    steps = tuple(PriceTier(above_input_tokens=n, input_per_mtok=i, output_per_mtok=o) for n, i, o in tiers)
    price = Price(input_per_mtok=0.5, output_per_mtok=2.0, per_call_usd=call, tiers=steps)
    found = charges(price, np.array([float(sent), math.nan]), np.array([float(said), 1.0]))
    assert found[0] == pytest.approx(cost_usd(Usage(input_tokens=sent, output_tokens=said), price))
    assert np.isnan(found[1])


def test_unknown_prices_stay_unknown() -> None:
    """Without a price and without recorded costs a model's cost is NaN, and the explanation says so; the other's is known."""
    pool = ModelPool([ModelSpec(name="brief"), POOL["wordy"]])
    fitted = WRAPPED.clone().fit(outcomes(pool=pool))
    found = fitted.predict(outcomes(5, seed=1).queries).cost_usd
    assert np.isnan(found[:, 0]).all()
    assert np.isfinite(found[:, 1]).all()
    told = fitted.explain(Query(text="word word", embedding=np.zeros(2)))["usage"]
    assert told["brief"]["cost"] == "unknown (no price, no costs recorded)"
    assert told["wordy"] == {"input_tokens": 9, "output_tokens": 300, "cost": "price of the tokens"}
    assert json.dumps(told)


def test_recorded_costs_stand_in_for_a_price() -> None:
    """Where the price or the tokens are unknown, cost is the regression of recorded costs that other estimators use."""
    priced = outcomes(pool=ModelPool([ModelSpec(name="brief"), POOL["wordy"]]))
    said = priced.output_tokens.copy()  # type: ignore[union-attr]
    said[:, 1] = np.nan
    data = replace(priced, cost_usd=actual(priced), output_tokens=said)
    fitted, plain = WRAPPED.clone().fit(data), Linear(features=Embedding()).fit(data)
    queries = outcomes(20, seed=1).queries
    assert np.array_equal(fitted.predict(queries).cost_usd, plain.predict(queries).cost_usd)
    told = fitted.explain(queries[0])["usage"]
    assert told["brief"]["cost"] == "recorded costs (no price)"
    assert told["wordy"]["cost"] == "recorded costs (no output tokens recorded)"
    assert told["wordy"]["output_tokens"] is None


def test_a_new_price_needs_no_new_tokens() -> None:
    """Costs at twice the price are twice the costs: nothing recorded at the old price is left in them."""
    dear = ModelPool(ModelSpec(name=name, price=Price(input_per_mtok=2, output_per_mtok=2)) for name in POOL)
    cheap = ModelPool(ModelSpec(name=name, price=Price(input_per_mtok=1, output_per_mtok=1)) for name in POOL)
    data, queries = outcomes(spread=0.5), outcomes(20, seed=1).queries
    once, twice = (WRAPPED.clone().fit(replace(data, pool=pool)).predict(queries).cost_usd for pool in (cheap, dear))
    assert twice == pytest.approx(2 * once)


def test_latency_is_a_line_in_the_tokens() -> None:
    """Seconds to the first token and seconds per token are recovered; latency follows the expected tokens."""
    data = outcomes(spread=0.5)
    seconds = np.array([0.5, 1.0]) + np.array([0.01, 0.02]) * data.output_tokens  # type: ignore[operator]
    fitted = WRAPPED.clone().fit(replace(data, latency_s=seconds))
    queries = outcomes(20, seed=1).queries
    expected = np.array([0.5, 1.0]) + np.array([0.01, 0.02]) * fitted.tokens(queries)[1]
    assert fitted.predict(queries).latency_s == pytest.approx(expected)


def test_a_line_of_latency_is_never_negative() -> None:
    """Seconds that fall with the tokens are flat, a line that would start below 0 starts at 0; unrecorded is unknown."""
    tokens = np.tile(np.array([[10.0], [20.0], [30.0]]), 4)
    seconds = np.column_stack([[3.0, 2.0, 1.0], [0.0, 2.0, 4.0], [np.nan] * 3, [1.0, 1.0, 1.0]])
    found = Pace.fit(tokens, seconds)
    assert found.first_token_s == pytest.approx([2.0, 0.0, np.nan, 1.0], nan_ok=True)
    assert found.per_token_s == pytest.approx([0.0, (20 * 2 + 30 * 4) / 1400, np.nan, 0.0], nan_ok=True)
    assert Pace.fit(np.zeros((2, 1)), np.ones((2, 1))).predict(np.array([[5.0]])) == pytest.approx(np.array([[1.0]]))


def test_quality_is_the_wrapped_estimators() -> None:
    """Quality comes from the wrapped estimator, which itself stays unfitted."""
    data = replace(outcomes(), quality=np.random.default_rng(0).random((200, 2)))
    inner = Linear(features=Embedding())
    found = TokenUsage(estimator=inner, features=Embedding()).fit(data).predict(data.queries)
    assert np.array_equal(found.quality, Linear(features=Embedding()).fit(data).predict(data.queries).quality)
    assert inner.state_ is None


def test_an_endless_text_has_a_finite_cost() -> None:
    """A text a hundred times as long as any seen has at most the longest answer's tokens and a proportionate input."""
    fitted = WRAPPED.clone().fit(outcomes(spread=0.5))
    long = Queries.from_texts(["word " * 40_000], embeddings=np.zeros((1, 2)))
    sent, said = fitted.tokens(long)
    assert sent[0] == pytest.approx([50_007] * 2, rel=0.05)
    assert (said < 1e5).all()


def test_it_beats_the_mean_on_real_data(outcome_data: Path) -> None:
    """On MMLU-Pro, whose costs are prices times tokens, the logarithm of the cost is missed by far less than by the mean."""
    prices = {
        "Phi-3-mini-4k-instruct": Price(input_per_mtok=0.1, output_per_mtok=0.1),
        "gemini-1.5-pro-002": Price(input_per_mtok=1.25, output_per_mtok=5.0),
    }
    pool = ModelPool(ModelSpec(name=name, price=price) for name, price in prices.items())
    data = replace(RoutingDataset.read(outcome_data / "mmlu_pro").only(list(prices)), pool=pool)
    train, test = data.take(np.arange(0, len(data), 2)), data.take(np.arange(1, len(data), 2))
    assert test.input_tokens is not None
    assert test.output_tokens is not None
    sent, said = test.input_tokens.T, test.output_tokens.T
    real = np.column_stack([charges(price, sent[j], said[j]) for j, price in enumerate(prices.values())])
    features = Lexical(bits=11, components=32)
    found = TokenUsage(estimator=Constant(), features=features).fit(train).predict(test.queries).cost_usd
    missed, by_mean = (np.log(cost / real).std(axis=0).mean() for cost in (found, np.ones_like(real)))
    assert missed < 0.75 * by_mean
    assert found.mean(axis=0) == pytest.approx(real.mean(axis=0), rel=0.05)
