"""Held-out scores: what a confidence says of queries that it did not learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pointsman.confidence.base import Confidence, Scored, prefixes
from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import folds as split

__all__ = ["held_out_scores"]


def held_out_scores(
    confidence: Confidence,
    dataset: RoutingDataset,
    order: Sequence[str],
    *,
    ran: Sequence[tuple[str, ...]] | None = None,
    folds: int = 5,
    random_state: int = 0,
) -> list[Scored]:
    """Return the scores of the last model's responses for each list of models that have run, by default the order's prefixes.

    A confidence that learns scores each fold by a clone fitted on the others; any other scores all rows at once. The confidence
    itself stays as it is.
    """
    lists = prefixes(order) if ran is None else ran
    if not confidence.learns:
        return [confidence.recorded(dataset, before) for before in lists]
    n = len(dataset)
    found = [Scored(score=np.full(n, np.nan), cost_usd=np.full(n, np.nan), calls=np.zeros(n)) for _ in lists]
    for train, held in split(dataset, folds, random_state=random_state):
        fitted = confidence.clone().fit(dataset.take(train), order)
        part = dataset.take(held)
        for whole, before in zip(found, lists, strict=True):
            scored = fitted.recorded(part, before)
            whole.score[held], whole.cost_usd[held], whole.calls[held] = scored.score, scored.cost_usd, scored.calls
    return found
