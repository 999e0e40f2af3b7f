"""Votes: repeated samples of a model as arms of their own, "small×3" being what three samples of "small" agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.models import ModelPool, ModelSpec, Price

__all__ = ["Arm", "arm_of", "with_votes"]

Arm = tuple[str, int]
_TIMES = "×"


def arm_of(name: str) -> Arm:
    """Return the model of an arm and how many samples of it vote.

    >>> arm_of("small×3"), arm_of("small")
    (('small', 3), ('small', 1))
    """
    model, times, count = name.rpartition(_TIMES)
    return (model, int(count)) if times and count.isdecimal() else (name, 1)


def with_votes(
    dataset: RoutingDataset, counts: Sequence[int], keys: Sequence[Hashable | None] | None = None
) -> RoutingDataset:
    """Return a dataset whose models are arms: the models themselves for a count of 1, "model×k" for votes of k samples.

    The answer of a vote is that of the largest camp of the first k samples, of equally large ones the first; its quality is
    that sample's, its cost k times that of one call. Where fewer samples are on record its cell is not observed.

    Args:
        dataset: Outcomes with samples and their scores.
        counts: How many samples vote, each at least 1.
        keys: What each sample says, comparable, in the order of `dataset.samples` flattened; by default its text.

    Raises:
        ConfigError: On a count below 1, or none.
        DataError: Where votes are wanted and no scored samples are kept.
    """
    if not counts or min(counts) < 1:
        raise ConfigError(f"counts must be at least 1 each, got {tuple(counts)}.")
    arms = [(name, count) for name in dataset.models for count in sorted(set(counts))]
    columns = [_single(dataset, name) if count == 1 else _vote(dataset, name, count, keys) for name, count in arms]
    quality, cost, answers = (np.column_stack(part) for part in zip(*columns, strict=True))
    names = tuple(name if count == 1 else f"{name}{_TIMES}{count}" for name, count in arms)
    return RoutingDataset(
        queries=dataset.queries,
        models=names,
        quality=quality.astype(np.float64),
        cost_usd=cost.astype(np.float64),
        answers=answers,
        groups=dataset.groups,
        pool=ModelPool(
            _times(_spec(dataset, name), own, count) for own, (name, count) in zip(names, arms, strict=True)
        ),
        notes=dataset.notes,
    )


def _single(data: RoutingDataset, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    column = data.models.index(name)
    answers = np.full(len(data), None, dtype=object) if data.answers is None else data.answers[:, column]
    return data.quality[:, column], data.cost_usd[:, column], answers


def _vote(
    data: RoutingDataset, name: str, count: int, keys: Sequence[Hashable | None] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if data.samples is None or data.sample_quality is None:
        raise DataError("Votes need samples and their scores (samples, sample_quality); the dataset has none.")
    column, n = data.models.index(name), len(data)
    said = np.array([*(keys or data.samples.ravel().tolist()), None], dtype=object)[:-1].reshape(data.samples.shape)
    quality, answers = np.full(n, np.nan), np.full(n, None, dtype=object)
    if count > data.samples.shape[2]:
        return quality, count * data.cost_usd[:, column], answers
    scores = data.sample_quality[:, column, :count]
    for row in np.flatnonzero(np.isfinite(scores).all(axis=1)).tolist():
        winner = _winner(said[row, column, :count].tolist())
        quality[row], answers[row] = scores[row, winner], data.samples[row, column, winner]
    return quality, count * data.cost_usd[:, column], answers


def _winner(keys: Sequence[Hashable | None]) -> int:
    """Return the first member of the largest camp; what says nothing is a camp of one."""
    sizes = Counter(key for key in keys if key is not None)
    return max(range(len(keys)), key=lambda i: (1 if keys[i] is None else sizes[keys[i]], -i))


def _spec(data: RoutingDataset, name: str) -> ModelSpec:
    return (data.pool or ModelPool(data.models))[name]


def _times(spec: ModelSpec, name: str, count: int) -> ModelSpec:
    """Return an arm's spec: what its model can do, at the price of so many calls."""
    price = spec.price
    if price is not None and count > 1:
        rates = {
            field: None if (rate := getattr(price, field)) is None else count * rate
            for field in ("input_per_mtok", "output_per_mtok", "cached_input_per_mtok", "cache_write_per_mtok")
        }
        tiers = tuple(
            replace(tier, input_per_mtok=count * tier.input_per_mtok, output_per_mtok=count * tier.output_per_mtok)
            for tier in price.tiers
        )
        price = Price(**rates, per_call_usd=count * price.per_call_usd, tiers=tiers)  # type: ignore[arg-type]
    return replace(spec, name=name, price=price)
