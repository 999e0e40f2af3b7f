"""Budgeting: the price on cost at which a cascade spends what it may on average."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pointsman.errors import ConfigError
from pointsman.routers.stepping.lookahead import Training
from pointsman.routers.stepping.walking import Walk

__all__ = ["weight_within"]

_BISECTIONS = 40
_DECISIVE = 1e3  # quality that a call of the cheapest model is worth: no answer makes up for it


def weight_within(usd: float, rules: Walk, training: Training, price: NDArray[np.float64]) -> float:
    """Return the lowest cost weight whose calls cost at most `usd` a query on average, given each model's mean cost (k,).

    What they cost is what they really cost on the training queries. Mean cost falls with the weight in steps of a query each,
    so that with many queries the budget is met, and with few it is not overshot. Without a single query whose outcomes are all
    known, the cheapest model alone is asked.

    Raises:
        ConfigError: When even that costs more.
    """
    everyone = np.ones(training.quality.shape, dtype=np.bool_)

    def spent(weight: float) -> float:
        asked = replace(rules, weight=weight).through(training.said, everyone).asked
        return float((training.cost_usd * asked).sum(axis=1).mean())

    paid = price[price > 0]
    low, high = 0.0, _DECISIVE / paid.min() if len(paid) else 0.0
    known = len(training.quality) > 0
    least = spent(high) if known else float(price.min())
    if least > usd:
        raise ConfigError(f"CascadeRouter.budget_usd is ${usd:g}, but the cheapest way to answer costs ${least:.3g}.")
    if not known or spent(low) <= usd:
        return low if known else high
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle) > usd else (low, middle)
    return high
