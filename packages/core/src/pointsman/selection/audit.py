"""audit: do I need a router, and what is the most I could gain? Asked of the outcomes, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.evaluation.plain import plain
from pointsman.evaluation.power import queries_needed
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval
from pointsman.selection.auditing.advice import Advice, Evidence, advise
from pointsman.selection.auditing.ceiling import Ceiling, ceiling
from pointsman.selection.auditing.noise import Noise, noise
from pointsman.selection.auditing.standings import Standing, contenders, near_tied, standings
from pointsman.selection.auditing.swap import Swap, swap
from pointsman.selection.auditing.trial import Trial, trials

__all__ = ["Audit", "audit"]

_OVERLAP = 30  # queries that two models should have in common to be compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What outcomes say about routing; None is unknown.

    Parameters:
        queries, groups: How many there are, and how many of them are independent.
        missing: Share of the queries × models that was not observed.
        level: Coverage of the intervals.
        margin: Quality that counts as equal.
        standings: Every model, the best first.
        near_tied: The fewest models of which one is the best with probability `level`.
        cheapest: The cheapest model.
        ceiling: The most that choosing could gain.
        noise: How much of that would be there in another run.
        trials: What simple cross-fitted routers gain.
        swap: A cheaper single model that is as good as the best one, if there is any.
        needed: Queries that tell the best single model from the runner-up by `margin`, with 80 % power.
        advice: What this comes to.
        notes: What a reader has to know to believe the figures.
    """

    queries: int
    groups: int
    missing: float
    level: float
    margin: float
    standings: tuple[Standing, ...]
    near_tied: tuple[str, ...]
    cheapest: str
    ceiling: Ceiling | None
    noise: Noise | None
    trials: tuple[Trial, ...]
    swap: Swap | None
    needed: Interval | None
    advice: Advice
    notes: tuple[str, ...]

    @property
    def best_single(self) -> str:
        """The model of highest mean quality."""
        return self.standings[0].model

    @property
    def dominated(self) -> dict[str, str]:
        """The models that another one beats in quality and cost at once, each with that one."""
        return {row.model: row.dominated_by for row in self.standings if row.dominated_by is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = plain(self)
        return {"best_single": self.best_single, "dominated": self.dominated} | data

    def __str__(self) -> str:
        from pointsman.selection.auditing.text import audit_text

        return audit_text(self)


def audit(
    dataset: RoutingDataset,
    *,
    level: float = 0.95,
    margin: float = 0.01,
    worthwhile: float = 0.1,
    draws: int = 1000,
    random_state: int = 0,
) -> Audit:
    """Return what these outcomes say about routing among their models.

    The ceiling is the co-failure bound ("The Co-Failure Ceiling", arXiv 2606.27288). What a router can really get of it is
    tried, out of fold, with a linear one that regresses differences between models on the text.

    Args:
        dataset: Outcomes; rows of one group count as one observation.
        level: Coverage of the intervals.
        margin: Quality that may be lost and still counts as equal, and the gain that is worth a router.
        worthwhile: Share of the cost whose saving, at equal quality, is worth a router.
        draws: Bootstrap resamples.
        random_state: Seed of the draws and of the folds.

    Raises:
        ConfigError: When a number is out of range.
        DataError: When there is no outcome at all.

    >>> from pointsman.testing.toys import toy
    >>> report = audit(toy())
    >>> report.best_single, report.cheapest, report.advice.kind
    ('large', 'small', 'more data')
    """
    _check(dataset, level=level, margin=margin, worthwhile=worthwhile, draws=draws)
    data = dataset.canonical()
    resampling = Resampling(group=data.group_of, draws=draws, random_state=random_state)
    found = _evidence(data, resampling, level=level, margin=margin, worthwhile=worthwhile)
    best = data.models.index(found.best)
    return Audit(
        queries=len(data),
        groups=resampling.groups,
        missing=float(np.isnan(data.quality).mean()),
        level=level,
        margin=margin,
        standings=found.standings,
        near_tied=near_tied(found.standings, level=level),
        cheapest=data.cheapest,
        ceiling=found.ceiling,
        noise=noise(data, best, random_state=random_state),
        trials=found.trials,
        swap=found.swap,
        needed=found.needed,
        advice=advise(found),
        notes=tuple(_notes(data, best)),
    )


def _evidence(
    data: RoutingDataset, resampling: Resampling, *, level: float, margin: float, worthwhile: float
) -> Evidence:
    """Gather what the advice rests on."""
    rows = standings(data, resampling, level=level)
    best, rivals = data.models.index(rows[0].model), contenders(rows, level=level)
    return Evidence(
        queries=len(data),
        standings=rows,
        ceiling=ceiling(data, best, resampling, level=level, among=len(rivals)),
        swap=swap(data, best, resampling, level=level, margin=margin),
        trials=trials(data, resampling, level=level, margin=margin),
        needed=_needed(data, rows, resampling, level=level, margin=margin),
        margin=margin,
        worthwhile=worthwhile,
    )


def _needed(
    data: RoutingDataset, rows: tuple[Standing, ...], resampling: Resampling, *, level: float, margin: float
) -> Interval | None:
    """Return how many queries tell the two best single models apart by the margin; None for a model alone."""
    if len(rows) == 1:
        return None
    first, second = (data.quality[:, data.models.index(row.model)] for row in rows[:2])
    return queries_needed(first - second, resampling, effect=margin, level=level)


def _check(dataset: RoutingDataset, *, draws: int, **shares: float) -> None:
    for name, value in shares.items():
        if not 0 < value < 1:
            raise ConfigError(f"audit: {name} must be in (0, 1), got {value}.")
    if draws < 100:  # noqa: PLR2004 - fewer have no quantiles
        raise ConfigError(f"audit: draws must be at least 100, got {draws}.")
    if not np.isfinite(dataset.quality).any():
        raise DataError("There is nothing to audit: the dataset has no outcome.")


def _notes(data: RoutingDataset, best: int) -> Iterator[str]:
    """Say what the data cannot show."""
    observed = np.isfinite(data.quality)
    if not observed.all():
        yield (
            "Some cells were never observed. If a policy chose whom to ask, the models' means are of different queries and "
            "cannot be compared; send a share of queries to models at random, and record how likely each choice was."
        )
        shared = (observed & observed[:, [best]]).sum(axis=0)
        few = [name for name, count in zip(data.models, shared.tolist(), strict=True) if count < _OVERLAP]
        if few:
            yield f"Under {_OVERLAP} queries in common with {data.models[best]}: {', '.join(few)}."
    if np.isnan(data.mean_cost_usd).any():
        unknown = [name for name, cost in zip(data.models, data.mean_cost_usd.tolist(), strict=True) if np.isnan(cost)]
        yield f"The cost of {', '.join(unknown)} is unknown: no saving can be judged."
