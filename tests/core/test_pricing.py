"""Pricing: usage times price, tiers, caches, and None for whatever is unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.models import ModelSpec, Price, PriceTier
from pointsman.pricing import cost_usd, price_call
from pointsman.types import Usage

PRICE = Price(input_per_mtok=2.0, output_per_mtok=8.0)


class Table:
    """A price table that knows one model of one provider, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []

    def cost_usd(self, model: str, provider: str | None, usage: Usage) -> float | None:
        """Return 5 dollars for "listed"."""
        self.asked.append((model, provider))
        return 5.0 if model == "listed" else None


@pytest.mark.parametrize(
    ("usage", "price", "expected"),
    [
        (Usage(input_tokens=1_000_000, output_tokens=500_000), PRICE, 6.0),
        (Usage(input_tokens=0, output_tokens=0), PRICE, 0.0),
        (Usage(input_tokens=0, output_tokens=0), Price(input_per_mtok=1, output_per_mtok=1, per_call_usd=0.25), 0.25),
        (
            Usage(input_tokens=1_000_000, output_tokens=0, cached_input_tokens=750_000),
            Price(input_per_mtok=2.0, output_per_mtok=8.0, cached_input_per_mtok=0.4),
            0.8,
        ),
        (
            Usage(input_tokens=1_000_000, output_tokens=0, cache_write_tokens=500_000),
            Price(input_per_mtok=2.0, output_per_mtok=8.0, cache_write_per_mtok=3.0),
            2.5,
        ),
        (Usage(input_tokens=1_000_000, output_tokens=0, cached_input_tokens=400_000), PRICE, 2.0),
    ],
    ids=["plain", "nothing", "per call", "cached", "cache write", "no cached rate"],
)
def test_a_call_costs_its_tokens_times_the_rates(usage: Usage, price: Price, expected: float) -> None:
    """Fresh, cached and written tokens each have their rate; what has none is charged as input."""
    assert cost_usd(usage, price) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("tokens", "rate"), [(100, 1.0), (101, 2.0), (1_000, 2.0), (1_001, 4.0)])
def test_a_tier_holds_for_the_whole_call_once_its_input_exceeds_it(tokens: int, rate: float) -> None:
    """The highest tier that the input exceeds sets the rate of all tokens, in whatever order tiers are given."""
    tiers = (
        PriceTier(above_input_tokens=1_000, input_per_mtok=4.0, output_per_mtok=0.0),
        PriceTier(above_input_tokens=100, input_per_mtok=2.0, output_per_mtok=0.0),
    )
    price = Price(input_per_mtok=1.0, output_per_mtok=0.0, tiers=tiers)
    assert cost_usd(Usage(input_tokens=tokens, output_tokens=0), price) == pytest.approx(tokens * rate / 1e6)


@pytest.mark.parametrize(
    ("usage", "price"),
    [
        (None, PRICE),
        (Usage(input_tokens=1, output_tokens=1), None),
        (Usage(input_tokens=1), PRICE),
        (Usage(output_tokens=1), PRICE),
    ],
)
def test_an_unknown_usage_or_price_is_an_unknown_cost(usage: Usage | None, price: Price | None) -> None:
    """What is not known makes the cost None, never 0."""
    assert cost_usd(usage, price) is None


def test_the_users_price_is_asked_before_the_table() -> None:
    """A model with a price of its own is not looked up, even where its usage is unknown."""
    table, pool = Table(), {"listed": ModelSpec(name="listed", price=PRICE)}
    assert price_call(Usage(input_tokens=1_000_000, output_tokens=0), "listed", pool, table) == 2.0
    assert price_call(None, "listed", pool, table) is None
    assert table.asked == []


def test_a_model_without_price_is_looked_up_with_its_provider() -> None:
    """The table is asked for what the pool leaves open, also for models outside the pool."""
    table, usage = Table(), Usage(input_tokens=1, output_tokens=1)
    pool = {"listed": ModelSpec(name="listed", provider="acme")}
    assert price_call(usage, "listed", pool, table) == 5.0
    assert price_call(usage, "elsewhere", pool, table) is None
    assert price_call(usage, "listed", pool) is None
    assert price_call(None, "listed", pool, table) is None
    assert table.asked == [("listed", "acme"), ("elsewhere", None)]


rates = st.floats(0, 1_000, allow_nan=False)
counts = st.integers(0, 10_000_000)


@given(rates, rates, counts, counts, st.integers(0, 1_000_000))
def test_more_tokens_never_cost_less(
    rate_in: float, rate_out: float, tokens_in: int, tokens_out: int, more: int
) -> None:
    """Without tiers the cost grows with either count, and is never negative."""
    price = Price(input_per_mtok=rate_in, output_per_mtok=rate_out)
    base = cost_usd(Usage(input_tokens=tokens_in, output_tokens=tokens_out), price)
    longer = cost_usd(Usage(input_tokens=tokens_in + more, output_tokens=tokens_out + more), price)
    assert base is not None
    assert longer is not None
    assert 0 <= base <= longer
