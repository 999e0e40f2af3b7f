"""Charging: what a price makes of expected tokens, for many calls at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pointsman.models import Price

__all__ = ["charges"]

Vector = NDArray[np.float64]


def charges(price: Price, input_tokens: Vector, output_tokens: Vector) -> Vector:
    """Return US dollars of n calls without cached tokens, shape (n,); what `pricing.cost_usd` says of each, NaN for NaN.

    A charge is linear in the output tokens, so that expected tokens make an expected charge; the tier is that of the expected
    input.
    """
    input_rate = np.full(input_tokens.shape, price.input_per_mtok)
    output_rate = np.full(input_tokens.shape, price.output_per_mtok)
    for tier in sorted(price.tiers, key=lambda tier: tier.above_input_tokens):
        above = input_tokens > tier.above_input_tokens
        input_rate[above], output_rate[above] = tier.input_per_mtok, tier.output_per_mtok
    charged: Vector = (input_tokens * input_rate + output_tokens * output_rate) / 1_000_000 + price.per_call_usd
    return charged
