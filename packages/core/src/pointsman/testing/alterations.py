"""Alterations: a dataset with one thing changed that should matter, or should not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.models import ModelPool

__all__ = ["InterruptedRead", "breaking", "renamed", "shuffled", "tied", "unpriced", "with_holes"]

_CONTENT = frozenset({"texts", "embeddings", "domains", "queries", "models", "quality", "cost_usd"})


def shuffled(dataset: RoutingDataset, *, seed: int = 0) -> RoutingDataset:
    """Return the same outcomes with rows and models in another order."""
    draw = np.random.default_rng(seed)
    models = [dataset.models[i] for i in draw.permutation(len(dataset.models))]
    return dataset.only(models).take(draw.permutation(len(dataset)))


def renamed(dataset: RoutingDataset, names: Mapping[str, str]) -> RoutingDataset:
    """Return the same outcomes of models with other names."""
    pool = dataset.pool or ModelPool(dataset.models)
    return replace(
        dataset,
        models=tuple(names[name] for name in dataset.models),
        pool=ModelPool(replace(spec, name=names[spec.name]) for spec in pool.values()),
    )


def with_holes(dataset: RoutingDataset) -> RoutingDataset:
    """Return the outcomes with a quarter of the qualities and another quarter of the costs unobserved."""
    row, column = np.indices(dataset.quality.shape)
    return replace(
        dataset,
        quality=np.where((row + column) % 4 == 0, np.nan, dataset.quality),
        cost_usd=np.where((row + column) % 4 == 1, np.nan, dataset.cost_usd),
    )


def unpriced(dataset: RoutingDataset, model: str) -> RoutingDataset:
    """Return the outcomes with no cost of this model known."""
    mine = np.array(dataset.models) == model
    pool = ModelPool(
        replace(spec, price=None) if spec.name == model else spec for spec in (dataset.pool or {}).values()
    )
    return replace(dataset, cost_usd=np.where(mine, np.nan, dataset.cost_usd), pool=pool)


def tied(dataset: RoutingDataset) -> RoutingDataset:
    """Return the outcomes as if every model were always right, in the same time; only their costs differ."""
    latency = None if dataset.latency_s is None else np.ones_like(dataset.latency_s)
    return replace(dataset, quality=np.ones_like(dataset.quality), latency_s=latency)


class InterruptedRead(Exception):  # noqa: N818 - it stands for whatever may interrupt a fit
    """What reading breaking data raises."""


def breaking(dataset: RoutingDataset, reads: list[str], limit: float) -> RoutingDataset:
    """Return the same data, whose content can be read `limit` times; `reads` logs each."""

    def read(name: str) -> None:
        if name in _CONTENT:
            if len(reads) >= limit:
                raise InterruptedRead(f"the data broke when {name} was read")
            reads.append(name)

    class BreakingQueries(Queries):
        def __getattribute__(self, name: str) -> Any:
            read(name)
            return super().__getattribute__(name)

    class BreakingDataset(RoutingDataset):
        def __getattribute__(self, name: str) -> Any:
            read(name)
            return super().__getattribute__(name)

    allowed, limit = limit, float("inf")
    content = {f.name: getattr(dataset, f.name) for f in fields(dataset)}
    queries = BreakingQueries(**{f.name: getattr(dataset.queries, f.name) for f in fields(dataset.queries)})
    made = BreakingDataset(**content | {"queries": queries})
    reads.clear()
    limit = allowed
    return made
