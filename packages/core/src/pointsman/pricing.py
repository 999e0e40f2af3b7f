"""Usage times price gives dollars; whatever is unknown makes the cost None, never 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pointsman.models import ModelSpec, Price
    from pointsman.types import Usage

__all__ = ["PriceTable", "cost_usd", "price_call"]

_MTOK = 1_000_000


class PriceTable(Protocol):
    """Something that may know what a call of a model costs."""

    def cost_usd(self, model: str, provider: str | None, usage: Usage) -> float | None:
        """Return dollars, or None where the model is unknown."""


def cost_usd(usage: Usage | None, price: Price | None) -> float | None:
    """Return what a call cost in US dollars; None when the usage or the price is unknown.

    >>> from pointsman.models import Price
    >>> from pointsman.types import Usage
    >>> cost_usd(Usage(input_tokens=1_000_000, output_tokens=0), Price(input_per_mtok=2.5, output_per_mtok=10))
    2.5
    >>> cost_usd(Usage(input_tokens=10), Price(input_per_mtok=2.5, output_per_mtok=10)) is None
    True
    """
    if usage is None or price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    input_rate, output_rate = price.input_per_mtok, price.output_per_mtok
    for tier in sorted(price.tiers, key=lambda tier: tier.above_input_tokens):
        if usage.input_tokens > tier.above_input_tokens:
            input_rate, output_rate = tier.input_per_mtok, tier.output_per_mtok
    cached_rate = input_rate if price.cached_input_per_mtok is None else price.cached_input_per_mtok
    write_rate = input_rate if price.cache_write_per_mtok is None else price.cache_write_per_mtok
    fresh = max(0, usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens)
    charged = fresh * input_rate + usage.cached_input_tokens * cached_rate + usage.cache_write_tokens * write_rate
    return (charged + usage.output_tokens * output_rate) / _MTOK + price.per_call_usd


def price_call(
    usage: Usage | None,
    model: str,
    pool: Mapping[str, ModelSpec],
    table: PriceTable | None = None,
) -> float | None:
    """Return the cost of a call: by the user's own price first, then by the table, else None."""
    spec = pool.get(model)
    if spec is not None and spec.price is not None:
        return cost_usd(usage, spec.price)
    if table is None or usage is None:
        return None
    return table.cost_usd(model, spec.provider if spec else None, usage)
