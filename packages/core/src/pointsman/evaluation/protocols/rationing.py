"""Rationing: a cap on the share of calls that some models get, whatever the router would like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pointsman.data.queries import Queries
from pointsman.routers.base import Decisions, Router, uniform
from pointsman.types import Context

__all__ = ["rationed"]


def rationed(
    router: Router, queries: Queries, dear: frozenset[str], share: float, before: Decisions, random_state: int = 0
) -> NDArray[np.object_]:
    """Return the models, shape (n,), that queries go to when some of them together take at most a share of all calls.

    Which queries get one is left to chance, keyed by their ids; the others are decided as if those models were unavailable.
    `before` holds the decisions without the ration.
    """
    names = np.array(before.names, dtype=object)
    wanting = np.flatnonzero([name in dear for name in before.names])
    room = int(share * len(names) + 1e-9)  # 0.3 of 10 is 3
    if len(wanting) <= room:
        return names
    luck = np.array([uniform(random_state, queries.ids[i]) for i in wanting])
    refused = wanting[np.argsort(luck, kind="stable")[room:]]
    used_up = Context(unavailable=dict.fromkeys(dear, "its share of calls is used up"))
    without = router.decide_many(queries.take(refused), used_up)
    names[refused] = without.names
    return names
