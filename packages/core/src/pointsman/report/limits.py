"""Limits: what these data cannot show, each in a sentence that they call for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.report import Evaluation
from pointsman.selection.audit import Audit

__all__ = ["limits"]

_FEW_TESTED = 200


def limits(data: RoutingDataset, audit: Audit, evaluation: Evaluation | None) -> tuple[str, ...]:
    """Return the notes of audit and evaluation, and what else a reader must not read into the figures."""
    found = [*_general(data, evaluation), *audit.notes, *(() if evaluation is None else evaluation.notes)]
    return tuple(dict.fromkeys(found))


def _general(data: RoutingDataset, evaluation: Evaluation | None) -> Iterator[str]:
    yield (
        "Everything is measured on recorded queries. It carries over to your traffic as far as these queries are like it; "
        "tomorrow's questions, models and prices are not in here."
    )
    if data.runs is None or int(data.runs.max(initial=1)) <= 1:
        yield (
            "Every outcome is a single run. A model asked twice may answer differently, so part of the oracle is luck that "
            "no router can have."
        )
    if evaluation is not None and evaluation.groups < _FEW_TESTED:
        yield (
            f"The test part has {evaluation.groups} different queries: only large differences can be told from chance, "
            "and the intervals are as wide as they say."
        )
    if np.isnan(data.mean_cost_usd).all():
        yield "No cost is known: the report is about quality alone, and cannot say whether a router saves anything."
    if data.latency_s is None or np.isnan(data.latency_s).all():
        yield "No latency is recorded: whether the router's choices are slower or faster is unknown."
    if not any(name is not None for name in data.queries.domains):
        yield "No domains are given: a gain in one kind of query may hide a loss in another."
