"""Outcomes: what each candidate scored and cost in a predictor's place, as a dataset that routers learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dspy_router.embedding import Embedder, embedded
from dspy_router.optimizing.running import Measured
from dspy_router.replies import usage_of
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.models import ModelPool
from pointsman.pricing import PriceTable, cost_usd

__all__ = ["Priced", "dataset_of", "joined", "mean"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Puts prices on what runs used: by the pool's prices, else the table's, else as DSPy estimates; NaN is unknown."""

    pool: ModelPool
    table: PriceTable | None = None

    def cost(self, run: Measured, predictor: str | None = None) -> float:
        """Return what a run cost in US dollars, all of it or what one predictor's calls did."""
        if run.score is None:
            return np.nan
        mine = (one for one in run.used if predictor is None or one[0] == predictor)
        return float(sum(self.call(model, usage, estimate) for _, model, usage, estimate in mine))

    def scores(self, runs: Sequence[Measured]) -> Vector:
        """Return the scores, shape (n,)."""
        return np.array([np.nan if run.score is None else run.score for run in runs])

    def costs(self, runs: Sequence[Measured]) -> Vector:
        """Return what the runs cost, shape (n,)."""
        return np.array([self.cost(run) for run in runs])

    def call(self, model: str, usage: Mapping[str, Any], estimate: float | None) -> float:
        """Return what one call cost, by its tokens or else by DSPy's estimate."""
        told, spec = usage_of(usage), self.pool[model]
        if spec.price is not None:
            cost = cost_usd(told, spec.price)
        else:
            listed = (
                self.table.cost_usd(model, spec.provider, told) if self.table is not None and told is not None else None
            )
            cost = estimate if listed is None else listed
        return np.nan if cost is None else cost


def dataset_of(
    predictor: str, runs: Mapping[str, Sequence[Measured]], incumbent: str, priced: Priced, embedder: Embedder | None
) -> RoutingDataset | None:
    """Return what the candidates scored and cost in a predictor's place, the others' being the incumbent's.

    The texts are what the predictor was asked first under the incumbent; runs in which it was not asked are left out. None if
    there are no others.

    Args:
        predictor: Its name.
        runs: The runs of the same n examples with each candidate in its place.
        incumbent: The candidate in all other places.
        priced: What the calls cost; the predictor's own count.
        embedder: Computes the vectors that the router learns from, if it does.
    """
    rows = [i for i, run in enumerate(runs[incumbent]) if predictor in run.texts]
    if not rows:
        return None
    texts = [runs[incumbent][i].texts[predictor] for i in rows]
    names = tuple(sorted(runs))
    quality = np.column_stack([priced.scores(runs[name])[rows] for name in names])
    cost = np.column_stack([[priced.cost(runs[name][i], predictor) for i in rows] for name in names])
    vectors = None if embedder is None else embedded(embedder, texts)
    return RoutingDataset(
        queries=Queries.from_texts(texts, ids=[str(i) for i in rows], embeddings=vectors),
        models=names,
        quality=quality,
        cost_usd=cost,
        pool=priced.pool.restrict(names),
    )


def joined(datasets: Sequence[RoutingDataset]) -> RoutingDataset:
    """Return the outcomes of several predictors that are told the same things, as if they were one."""
    first = datasets[0]
    vectors = [data.queries.embeddings for data in datasets if data.queries.embeddings is not None]
    return RoutingDataset(
        queries=Queries.from_texts(
            [text for data in datasets for text in data.queries.texts],
            ids=[f"{i}:{one}" for i, data in enumerate(datasets) for one in data.queries.ids],
            embeddings=np.vstack(vectors) if vectors else None,
        ),
        models=first.models,
        quality=np.vstack([data.quality for data in datasets]),
        cost_usd=np.vstack([data.cost_usd for data in datasets]),
        pool=first.pool,
    )


def mean(values: Vector) -> float:
    """Return the mean where known; NaN if nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan
