"""Reference: on which data the baselines are chosen, so that none of them is chosen on the test."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries

__all__ = ["Reference", "reference_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """The best single model, the cheapest, the data whose hull the Zero router mixes on, and what is to be said about it."""

    best_single: str
    cheapest: str
    data: RoutingDataset
    notes: tuple[str, ...]


def reference_of(test: RoutingDataset, train: RoutingDataset | None, validation: RoutingDataset | None) -> Reference:
    """Choose the baselines on training and validation data together; in hindsight, and said so, where there are neither."""
    parts = [part for part in (train, validation) if part is not None]
    notes = [note for part in parts if (note := _repeats(test, part))]
    if not parts:
        notes.append("The best single model and the Zero router were chosen on the test data, which favours them.")
    if validation is None:
        notes.append("Without validation data no setting was selected: the curve joins all of them.")
    pooled = _pooled(parts) if parts else test
    settings = validation or train or test
    return Reference(
        best_single=pooled.best_single,
        cheapest=settings.cheapest,
        data=settings,
        notes=tuple(notes),
    )


def _repeats(test: RoutingDataset, part: RoutingDataset) -> str | None:
    seen = set(part.queries.texts)
    count = sum(text in seen for text in test.queries.texts)
    return f"{count} of {len(test)} test queries were also among those for fitting or choosing." if count else None


def _pooled(parts: list[RoutingDataset]) -> RoutingDataset:
    queries = [part.queries for part in parts]
    return RoutingDataset(
        queries=Queries(
            texts=tuple(chain.from_iterable(q.texts for q in queries)),
            ids=tuple(chain.from_iterable(q.ids for q in queries)),
            domains=tuple(chain.from_iterable(q.domains for q in queries)),
        ),
        models=parts[0].models,
        quality=np.vstack([part.quality for part in parts]),
        cost_usd=np.vstack([part.cost_usd for part in parts]),
    )
