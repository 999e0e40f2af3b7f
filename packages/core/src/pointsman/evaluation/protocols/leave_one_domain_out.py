"""Leave one domain out: what a router is worth on a kind of query that it has never seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError, choices
from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.plain import plain
from pointsman.evaluation.protocols.pooling import over_queries, over_trials, pooled_gain
from pointsman.evaluation.protocols.trial import Bootstrap, Parts, Trial, quality_first
from pointsman.metrics import Interval
from pointsman.routers.base import Router

__all__ = ["DomainShift", "HeldOutDomain", "leave_one_domain_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutDomain:
    """A router fitted on all domains but one, on the queries of that one.

    Parameters:
        domain: The one held out.
        queries: How many it has.
        best_single: The best single model of the other domains, which is what the router has to beat here.
        left_out: Models without outcomes here or there.
        own: At best expected quality, beside the best single model.
        at_best: At the cheapest setting that was as good as the best single model on the other domains.
        aiq_gain: AIQ minus the Zero router's.
    """

    domain: str
    queries: int
    best_single: str
    left_out: tuple[str, ...]
    own: Comparison
    at_best: Comparison | None
    aiq_gain: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainShift:
    """How a router carries over to domains that it was not fitted on.

    Parameters:
        level: Coverage of the intervals.
        domains: One entry per held-out domain, by name.
        difference, aiq_gain: Quality above the best single model, and AIQ above the Zero router, a query counting once; the
            interval is over queries: these domains, other queries.
        difference_over_domains, aiq_gain_over_domains: The same, a domain counting once; the interval is over domains: another
            domain altogether. None for under two.
        relative_cost: Mean over domains of the cost beside the best single model's, at best expected quality.
        unlabelled: Queries without a domain, which are left out everywhere.
    """

    level: float
    domains: tuple[HeldOutDomain, ...]
    difference: Interval | None
    difference_over_domains: Interval | None
    aiq_gain: Interval | None
    aiq_gain_over_domains: Interval | None
    relative_cost: Interval | None
    unlabelled: int

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = plain(self)
        return data

    def __str__(self) -> str:
        from pointsman.evaluation.protocols.tables import domains_text

        return domains_text(self)


def leave_one_domain_out(
    router: Router,
    dataset: RoutingDataset,
    *,
    domains: Sequence[str] | None = None,
    level: float = 0.95,
    draws: int = 1000,
    random_state: int = 0,
) -> DomainShift:
    """Return what a router does on each domain when it was fitted, and its settings chosen, on the others alone.

    Three quarters of the other domains' queries are fitted on, a quarter chooses the settings; the best single model and the
    Zero router are chosen on the same rows. Rows that share a group with the held-out domain are in neither. Routers trained
    on queries are known to do much worse here than on kinds of query that they have seen (2605.02241).

    Args:
        router: An unfitted router; its policy is set to best expected quality.
        dataset: Outcomes of queries with domains.
        domains: Which to hold out, by default all.
        level: Coverage of the intervals.
        draws: Bootstrap resamples, at least 100.
        random_state: The seed of everything.

    Raises:
        DataError: Under two domains are given, or one that does not exist.
    """
    bootstrap, data = Bootstrap(level=level, draws=draws, random_state=random_state), dataset.canonical()
    labels = np.array([name or "" for name in data.queries.domains], dtype=object)
    counts = Counter(name for name in data.queries.domains if name is not None)
    if len(counts) < 2:  # noqa: PLR2004 - one to fit on, one to hold out
        raise DataError(f"Holding a domain out takes at least two; the queries have {choices(counts) or 'none'}.")
    if unknown := set(domains or ()) - set(counts):
        raise DataError(f"There is no domain {choices(unknown)}; there are {choices(counts)}.")
    chosen, first = sorted(counts if domains is None else set(domains)), quality_first(router)
    held = [_rows(data, labels, name) for name in chosen]
    entries, trials = [], []
    for name, (known, mine) in zip(chosen, held, strict=True):
        parts = Parts.learning_from(data.take(known), data.take(mine), random_state)
        parts, left_out = parts.observed()
        trial = Trial.of(first, parts, bootstrap)
        trials.append(trial)
        entries.append(_entry(name, trial, left_out))
    groups = [data.group_of[mine] for _, mine in held]
    return DomainShift(
        level=level,
        domains=tuple(entries),
        difference=over_queries([trial.difference for trial in trials], groups, bootstrap),
        difference_over_domains=over_trials([_estimate(entry.own.difference) for entry in entries], level),
        aiq_gain=pooled_gain(trials, bootstrap),
        aiq_gain_over_domains=over_trials([trial.gain for trial in trials], level),
        relative_cost=over_trials([_estimate(entry.own.relative_cost) for entry in entries], level),
        unlabelled=len(data) - counts.total(),
    )


def _rows(data: RoutingDataset, labels: NDArray[np.object_], name: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of the other domains, without those that share a group with this one, and the rows of this one."""
    mine = labels == name
    shared = np.isin(data.group_of, data.group_of[mine])
    return np.flatnonzero(~mine & ~shared & (labels != "")), np.flatnonzero(mine)


def _entry(name: str, trial: Trial, left_out: tuple[str, ...]) -> HeldOutDomain:
    return HeldOutDomain(
        domain=name,
        queries=len(trial.board.test),
        best_single=trial.board.best_single,
        left_out=left_out,
        own=trial.own,
        at_best=trial.at_best,
        aiq_gain=trial.gain_interval,
    )


def _estimate(found: Interval | None) -> float | None:
    return None if found is None else found.estimate
