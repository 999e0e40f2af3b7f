"""The list prices that genai-prices carries: found, checked against its own arithmetic, unknown where they are."""

from __future__ import annotations

import socket
import sys

import pytest

from pointsman.errors import MissingExtraError
from pointsman.models import ModelSpec, Price
from pointsman.prices_genai import GenaiPrices
from pointsman.pricing import price_call
from pointsman.types import Usage

pytest.importorskip("genai_prices")
USAGE = Usage(input_tokens=1_000_000, output_tokens=100_000)


@pytest.fixture(scope="module")
def table() -> GenaiPrices:
    """Return one table for all tests."""
    return GenaiPrices()


def test_a_listed_model_costs_its_list_price(table: GenaiPrices) -> None:
    """A million tokens in and a tenth of that out cost what the rates of the model's price say."""
    from genai_prices import Usage as Counted
    from genai_prices import calc_price

    rates = calc_price(Counted(input_tokens=1), "gpt-4o-mini", provider_id="openai").model_price
    expected = float(rates.input_mtok + rates.output_mtok / 10)
    assert table.cost_usd("gpt-4o-mini", "openai", USAGE) == pytest.approx(expected, rel=1e-12)


def test_cached_tokens_are_cheaper(table: GenaiPrices) -> None:
    """Reading from the provider's cache costs less than reading anew."""
    cached = Usage(input_tokens=1_000_000, output_tokens=100_000, cached_input_tokens=900_000)
    assert table.cost_usd("gpt-4o-mini", "openai", cached) < table.cost_usd("gpt-4o-mini", "openai", USAGE)


@pytest.mark.parametrize(
    ("model", "provider", "usage"),
    [
        ("a-model-nobody-lists", None, USAGE),
        ("gpt-4o-mini", "a-provider-nobody-lists", USAGE),
        ("gpt-4o-mini", "openai", Usage(input_tokens=10)),
        ("gpt-4o-mini", "openai", Usage(output_tokens=10)),
        ("gpt-4o-mini", "openai", Usage(input_tokens=1, output_tokens=1, cached_input_tokens=2)),
    ],
)
def test_what_is_unknown_is_none(table: GenaiPrices, model: str, provider: str | None, usage: Usage) -> None:
    """An unlisted model or provider, a missing count or contradictory ones have no cost, not 0."""
    assert table.cost_usd(model, provider, usage) is None


def test_no_listed_model_is_free_by_omission(table: GenaiPrices) -> None:
    """A model that is listed without a rate is of unknown cost: 0 only where the list says 0."""
    from genai_prices import Usage as Counted
    from genai_prices import calc_price
    from genai_prices.data import providers

    places = [(model.id, provider.id) for provider in providers for model in provider.models]
    costs = {place: table.cost_usd(*place, USAGE) for place in places}
    assert None in costs.values()
    for (model, provider), cost in costs.items():
        if cost == 0:
            assert calc_price(Counted(input_tokens=1), model, provider_id=provider).model_price.input_mtok == 0


def test_the_users_own_price_goes_first(table: GenaiPrices) -> None:
    """A price in the pool wins over the list; without one, the list is asked by name and provider."""
    own = ModelSpec(name="gpt-4o-mini", price=Price(input_per_mtok=7, output_per_mtok=0))
    listed = ModelSpec(name="gpt-4o-mini", provider="openai")
    assert price_call(USAGE, "gpt-4o-mini", {"gpt-4o-mini": own}, table) == 7
    by_list = table.cost_usd("gpt-4o-mini", "openai", USAGE)
    assert price_call(USAGE, "gpt-4o-mini", {"gpt-4o-mini": listed}, table) == by_list


def test_it_asks_no_network(table: GenaiPrices, monkeypatch: pytest.MonkeyPatch) -> None:
    """A price is found while every socket is refused."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert GenaiPrices().cost_usd("gpt-4o", "openai", USAGE) == table.cost_usd("gpt-4o", "openai", USAGE)


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where genai-prices is not installed, the error says how to install it."""
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    with pytest.raises(MissingExtraError, match=r"pointsman\[prices\]"):
        GenaiPrices()
