"""Sampling: further answers of the model that gave the last response, asked for at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pointsman.confidence.base import Scored
from pointsman.confidence.codes import ABSENT, keys_of, sample_keys_of
from pointsman.confidence.equivalence import Equivalence, KeyedEquivalence
from pointsman.confidence.reading import said
from pointsman.data.dataset import RoutingDataset
from pointsman.flow import Plan
from pointsman.types import Call, Query, Response

__all__ = ["grouped_samples", "recorded_samples"]


def grouped_samples(
    query: Query, response: Response, count: int, temperature: float, equivalence: Equivalence
) -> Plan[tuple[int | None, ...] | None]:
    """Draw samples and return the groups of them and of the response, which is the last; None when all samples failed."""
    wanted = Call(model=response.model, params={"temperature": temperature}, purpose="sample")
    outcomes = yield (wanted,) * count
    drawn: Sequence[str] = [said(outcome) for outcome in outcomes if isinstance(outcome, Response)]
    if not drawn:
        return None
    return (yield from equivalence.groups(query, [*drawn, said(response)]))


def recorded_samples(
    dataset: RoutingDataset,
    ran: Sequence[str],
    count: int,
    equivalence: KeyedEquivalence,
    score: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]],
) -> Scored:
    """Return what drawing recorded samples of every row comes to.

    `score` gets the codes of the samples, shape (n, count), and of the responses, shape (n,); its result counts where both were
    kept. A sample that is not on record is a failed call, which costs nothing.
    """
    own = keys_of(dataset, ran[-1], equivalence)
    drawn = sample_keys_of(dataset, ran[-1], equivalence, count)
    kept = np.all([keys_of(dataset, name, equivalence) != ABSENT for name in ran], axis=0)
    number = (drawn != ABSENT).sum(axis=1)
    price = dataset.cost_usd[:, dataset.models.index(ran[-1])]
    return Scored(
        score=np.where(kept & (number > 0), score(drawn, own), np.nan),
        cost_usd=np.where(kept & (number > 0), number * price, 0.0),
        calls=np.where(kept, float(count), 0.0),
    )
