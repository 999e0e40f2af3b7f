"""Deciding: a router's first decision without a call of any model, and the embeddings that it asks for on the way."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from pointsman.routers.base import Router
from pointsman.types import Call, Context, Decision, Embed, Query

__all__ = ["deciding"]


def deciding(
    router: Router, query: Query, context: Context, *, embeds: bool
) -> Generator[Embed, NDArray[np.float64], Decision]:
    """Yield the embeddings that a router's plan asks for before its first call, and return the decision behind that call.

    Where nobody `embeds`, the router decides at once.
    """
    if not embeds:
        return router.decide(query, context)
    plan = router.plan(query, context)
    try:
        effects = next(plan)
        while not any(isinstance(effect, Call) for effect in effects):
            outcomes = []
            for effect in effects:
                if isinstance(effect, Embed):
                    rows = yield effect
                    outcomes.append(tuple(map(tuple, rows.tolist())))
            effects = plan.send(tuple(outcomes))
    finally:
        plan.close()
    call = next(effect for effect in effects if isinstance(effect, Call))
    return call.decision or Decision(model=call.model, ranking=(call.model,))
