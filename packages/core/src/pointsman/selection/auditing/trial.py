"""Trial: what simple routers would gain, each query judged by a router that has not seen it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.estimators.linear import Linear
from pointsman.evaluation.informed import Predict, domain_averages, tells_domains_apart
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.paired import Comparison, compare
from pointsman.evaluation.power import fewest_needed, queries_needed, queries_per_variance
from pointsman.evaluation.resampling import Resampling
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.metrics import Interval
from pointsman.selection.auditing.crossfit import CrossFit, Fit, Picks
from pointsman.selection.auditing.rechosen import Rechosen
from pointsman.selection.auditing.refits import Refits, refitted, widened

__all__ = ["FEWEST", "Trial", "fits_for", "trials"]

FEWEST = 50
"""Groups of queries below which nothing is tried."""

_SEEN = 20  # groups that a model must have been observed on to be tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One simple router, cross-fitted, beside the single model that is best on the same training queries.

    The intervals are for the router that is fitted on all the queries, on queries to come: they hold how far it may be from
    the routers of the folds, and how far another choice of the best single model would have been, besides how far the
    queries that came may be from those to come. Differences in quality are to the single model that is best on the same
    training queries, costs to the one that is best on all of them.

    Parameters:
        name: "text" reads the query's text; "domain" looks up its given label.
        first: At its best expected quality, whatever that costs.
        frugal: At the setting that, on the other queries, was the cheapest one as good as the best single model; None where
            costs are unknown.
        first_in_hindsight, frugal_in_hindsight: The same picks beside the model that is best on all queries at once, which is
            known only when they have been answered. What is no gain beside that one is luck: where models are alike, the
            best on some queries is not the best on the others.
        needed: Queries that show a difference in quality of the audit's margin with 80 % power; None where it never differed.
    """

    name: str
    first: Comparison
    frugal: Comparison | None
    first_in_hindsight: Comparison
    frugal_in_hindsight: Comparison | None
    needed: Interval | None


def trials(dataset: RoutingDataset, resampling: Resampling, *, level: float, margin: float) -> tuple[Trial, ...]:
    """Try a router that reads the text and, where domains are given, one that looks up the domain.

    Features are the dataset's embeddings, or lexical ones learnt from all its texts (never from outcomes). Models with
    outcomes on fewer than 20 groups are left out; () for under 50 groups of queries or two such models.
    Where two routers are tried, each interval is widened so that both hold at once (Bonferroni).
    """
    if resampling.groups < FEWEST:
        return ()
    kept = [name for name, count in zip(dataset.models, _groups_seen(dataset), strict=True) if count >= _SEEN]
    if len(kept) < 2:  # noqa: PLR2004 - a choice takes two
        return ()
    data = _with_features(dataset.only(kept))
    fits = fits_for(data)
    level = 1 - (1 - level) / len(fits)
    return tuple(
        _trial(name, CrossFit.of(fit, data, resampling.random_state), resampling, level=level, margin=margin)
        for name, fit in fits.items()
    )


def fits_for(data: RoutingDataset) -> dict[str, Fit]:
    """Return the simple routers that can be tried on a dataset with embeddings, by name."""
    return {"text": _by_text} | ({"domain": domain_averages} if tells_domains_apart(data) else {})


def _groups_seen(dataset: RoutingDataset) -> list[int]:
    """Return how many groups of queries each model was observed on."""
    return [len(np.unique(dataset.group_of[column])) for column in np.isfinite(dataset.quality).T]


def _by_text(data: RoutingDataset) -> Predict:
    estimator = Linear(features=Embedding()).fit(data)
    return lambda held: estimator.predict(held.queries)


def _with_features(data: RoutingDataset) -> RoutingDataset:
    """Put the features in the place of embeddings, so that every fold shares them."""
    if data.queries.embeddings is not None:
        return data
    return replace(data, queries=replace(data.queries, embeddings=Lexical().fit_transform(data.queries)))


def _trial(name: str, fit: CrossFit, resampling: Resampling, *, level: float, margin: float) -> Trial:
    n, hindsight = len(fit.data), fit.data.models.index(fit.data.best_single)
    one = np.full((len(fit.routers), n), hindsight, dtype=np.intp)
    best = np.repeat(fit.best[:, None], n, axis=1)
    first, thrifty = fit.choices((0.0,) * len(fit.routers)), fit.frugal()
    frugal = None if thrifty is None else fit.choices(thrifty)
    rechosen = Rechosen.of(fit, resampling)

    def beside(picks: Picks, other: Picks) -> Comparison:
        mine, theirs, named = (Outcomes.of(fit.data, fit.out_of_fold(each)) for each in (picks, other, one))
        costs = (mine.cost_usd, named.cost_usd)
        found = compare((mine.quality, costs[0]), (theirs.quality, costs[1]), resampling, level=level)
        excess = rechosen.excess(mine.quality, theirs.quality)
        return refitted(found, Refits.of(fit.data, picks, other, hindsight), excess=excess)

    return Trial(
        name=name,
        first=beside(first, best),
        frugal=None if frugal is None else beside(frugal, best),
        first_in_hindsight=beside(first, one),
        frugal_in_hindsight=None if frugal is None else beside(frugal, one),
        needed=_needed(rechosen, first, best, resampling, level=level, margin=margin),
    )


def _needed(
    rechosen: Rechosen, picks: Picks, best: Picks, resampling: Resampling, *, level: float, margin: float
) -> Interval | None:
    """Return how many queries show a difference of the margin, in an interval that is wider than that of the rows.

    What it is wider by is taken to shrink as the rest does, with the square root of the number of queries; it may vanish
    sooner, so the low end leaves it out. A router fitted anew may differ more often, or less.
    """
    fit = rechosen.fit
    mine, theirs = (Outcomes.of(fit.data, fit.out_of_fold(each)).quality for each in (picks, best))
    found = queries_needed(mine - theirs, resampling, effect=margin, level=level)
    if found is None:
        return None
    refits = Refits.of(fit.data, picks, best, 0)
    per_variance = queries_per_variance(effect=margin, level=level)
    fewest = float(fewest_needed(effect=margin, level=level))
    wider = refits.difference**2 + rechosen.excess(mine, theirs) ** 2
    more = ceil(per_variance * len(fit.data) * wider)
    found = widened(found, per_variance * refits.variance, low=fewest)
    return replace(found, estimate=found.estimate + more, high=found.high + more)
