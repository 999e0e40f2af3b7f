"""Domains: the router beside the best single model on each kind of query that the data name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset, column_means
from pointsman.evaluation.outcomes import known_mean
from pointsman.evaluation.paired import Comparison, compare
from pointsman.evaluation.resampling import Resampling
from pointsman.report.decided import Decided

__all__ = ["DomainRow", "domain_rows"]

_SHOWN = 24
_MOST_CHOSEN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRow:
    """One domain; None is unknown.

    Parameters:
        domain: Its name.
        queries: How many test queries it has.
        best_single: Quality of the best single model there.
        own_best: The model that is best in this domain on training data, None without any; `own_best_quality` is its quality
            on the test queries.
        router: The router there, beside the best single model.
        chosen: The models it chose most, each with its share of the domain's queries.
    """

    domain: str
    queries: int
    best_single: float | None
    own_best: str | None
    own_best_quality: float | None
    router: Comparison
    chosen: tuple[tuple[str, float], ...]


def domain_rows(
    found: Decided, train: RoutingDataset | None, resampling: Resampling, *, level: float
) -> tuple[DomainRow, ...]:
    """Return a row per domain, the largest first; () where the test queries name fewer than two.

    Beyond 24 domains the smallest ones share a row; queries without a domain have one of their own.
    """
    given = [name if name is not None else "" for name in found.test.queries.domains]
    if len(set(given) - {""}) < 2:  # noqa: PLR2004 - one domain is the whole
        return ()
    counts = Counter(given)
    order = sorted(counts, key=lambda name: (name == "", -counts[name], name))
    labels = {name: name or "(none given)" for name in order}
    if len(order) > _SHOWN:
        labels |= dict.fromkeys(order[_SHOWN - 1 :], f"{len(order) - _SHOWN + 1} smaller domains")
    rows = []
    for label in dict.fromkeys(labels.values()):
        names = {name for name, shown in labels.items() if shown == label}
        held = np.array([name in names for name in given])
        known = None if train is None else [i for i, name in enumerate(train.queries.domains) if (name or "") in names]
        best_there = train.take(known).best_single if train is not None and known else None
        rows.append(_row(label, found, held, best_there, resampling, level))
    return tuple(rows)


def _row(
    label: str,
    found: Decided,
    held: NDArray[np.bool_],
    own_best: str | None,
    resampling: Resampling,
    level: float,
) -> DomainRow:
    def there(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(held, values, np.nan)

    mine, best = found.mine, found.best
    chosen = Counter(found.decisions[i].model for i in np.flatnonzero(held).tolist())
    ranked = sorted(chosen.items(), key=lambda item: (-item[1], item[0]))[:_MOST_CHOSEN]
    own = None
    if own_best in found.test.models:
        own = float(column_means(found.test.quality[held])[found.test.models.index(own_best)])
    return DomainRow(
        domain=label,
        queries=int(held.sum()),
        best_single=known_mean(best.quality[held]),
        own_best=own_best,
        own_best_quality=None if own is None or np.isnan(own) else own,
        router=compare(
            (there(mine.quality), there(mine.cost_usd)),
            (there(best.quality), there(best.cost_usd)),
            resampling,
            level=level,
        ),
        chosen=tuple((name, count / int(held.sum())) for name, count in ranked),
    )
