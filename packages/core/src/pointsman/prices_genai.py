"""GenaiPrices: list prices of public models from the genai-prices package, which carries them along; no network."""

from __future__ import annotations

from pointsman.errors import MissingExtraError
from pointsman.types import Usage

__all__ = ["GenaiPrices"]


class GenaiPrices:
    """A price table of what providers charge, as `pip install "pointsman[prices]"` brings it.

    Models are found by the provider's name for them ("gpt-4o-mini"); the provider's own name ("openai", "azure", ...) tells
    apart who serves them. A model that is not listed, or is listed without the rate that a usage needs, is unknown: None.

    >>> table = GenaiPrices()
    >>> table.cost_usd("gpt-4o-mini", "openai", Usage(input_tokens=1_000_000, output_tokens=0))
    0.15
    >>> table.cost_usd("my-own-model", None, Usage(input_tokens=1_000_000, output_tokens=0)) is None
    True
    """

    def __init__(self) -> None:
        try:
            import genai_prices
        except ImportError:
            raise MissingExtraError("genai-prices", "prices") from None
        self._calc, self._usage = genai_prices.calc_price, genai_prices.Usage

    def cost_usd(self, model: str, provider: str | None, usage: Usage) -> float | None:
        """Return dollars at today's list price, or None where the model, a rate or the number of tokens is unknown."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        counted = self._usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_input_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
        try:
            price = self._calc(counted, model, provider_id=provider)
        except (LookupError, ValueError):  # ValueError: counts that contradict each other
            return None
        # A model may be listed without rates; the package then adds up to 0, which nobody charges.
        for tokens, rate in ((usage.input_tokens, "input_mtok"), (usage.output_tokens, "output_mtok")):
            if tokens and getattr(price.model_price, rate, None) is None:
                return None
        return float(price.total_price)
