"""Words: which of a query's words speak for one model over another, where an estimator is linear in its features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pointsman.features.base import Features
from pointsman.types import Query

__all__ = ["telling_words"]

_SHOWN = 6


def telling_words(
    features: Features, query: Query, direction: NDArray[np.float64], *, first: str, second: str
) -> dict[str, dict[str, float]]:
    """Return the words of the strongest effects along a direction (d,), positive favours the first; {} where there are none."""
    effects = features.effects(query, direction)
    strongest = dict(sorted(effects.items(), key=lambda item: -abs(item[1]))[:_SHOWN])
    return {f"words for {first} over {second}": strongest} if strongest else {}
