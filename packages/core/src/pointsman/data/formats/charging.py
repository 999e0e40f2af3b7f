"""Charging: what calls cost whose tokens are known and whose cost nobody recorded, by the prices of the pool."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pointsman.data.readers.rows import Rows
from pointsman.models import ModelPool
from pointsman.pricing import price_call
from pointsman.types import Usage

__all__ = ["charged"]


def charged(rows: Rows, pool: ModelPool) -> Rows:
    """Fill in unknown costs from tokens and prices; a cost that was recorded stays, one without either stays unknown."""
    numbers, models = rows.numbers, rows.texts["model"]
    costs, sent, received = (numbers[name].copy() for name in ("cost_usd", "input_tokens", "output_tokens"))
    for row in np.flatnonzero(np.isnan(costs) & ~np.isnan(sent) & ~np.isnan(received)).tolist():
        usage = Usage(input_tokens=int(sent[row]), output_tokens=int(received[row]))
        cost = price_call(usage, str(models[row]), pool)
        costs[row] = np.nan if cost is None else cost
    return replace(rows, numbers={**numbers, "cost_usd": costs})
