"""Trial: what simple routers would gain, each query judged by a router that has not seen it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset, column_means
from pointsman.data.splits import folds
from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import first_choice
from pointsman.estimators.linear import Linear
from pointsman.evaluation.curve import ROUNDING
from pointsman.evaluation.informed import Predict, domain_averages, tells_domains_apart
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.paired import Comparison, compare
from pointsman.evaluation.power import queries_needed
from pointsman.evaluation.resampling import Resampling
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.metrics import Interval, cheapest_setting
from pointsman.policies.utility import Utility

__all__ = ["FEWEST", "CrossFit", "Trial", "trials"]

FEWEST = 50
"""Groups of queries below which nothing is tried."""

_FOLDS = 5
_SEEN = 20  # groups that a model must have been observed on to be tried

Matrix = NDArray[np.float64]
Picks = NDArray[np.intp]
Fit = Callable[[RoutingDataset], Predict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One simple router, cross-fitted, beside the single model that is best on the same training queries.

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
    fits = {"text": _by_text} | ({"domain": domain_averages} if tells_domains_apart(data) else {})
    level = 1 - (1 - level) / len(fits)
    return tuple(
        _trial(name, CrossFit.of(fit, data, resampling.random_state), resampling, level=level, margin=margin)
        for name, fit in fits.items()
    )


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossFit:
    """Out-of-fold estimates, and for each row its fold and the best single model of that fold's training queries."""

    data: RoutingDataset
    estimates: Estimates
    fold: Picks
    best: Picks

    @classmethod
    def of(cls, fit: Fit, data: RoutingDataset, random_state: int) -> CrossFit:
        """Fit on four folds in five and predict the fifth, in turn."""
        n, m = data.quality.shape
        quality, cost = np.empty((n, m)), np.empty((n, m))
        fold, best = np.empty(n, dtype=np.intp), np.empty(n, dtype=np.intp)
        for i, (train, held) in enumerate(folds(data, _FOLDS, random_state=random_state)):
            known = data.take(train)
            found = fit(known)(data.take(held))
            quality[held], cost[held] = found.quality, found.cost_usd
            fold[held], best[held] = i, data.models.index(known.best_single)
        estimates = Estimates(models=data.models, quality=quality, cost_usd=cost)
        return cls(data=data, estimates=estimates, fold=fold, best=best)

    def picks(self, point: float) -> Picks:
        """Return the choice at a cost weight for every row, shape (n,)."""
        return first_choice(Utility().scores(self.estimates, point), self.estimates.cost_usd)

    def frugal(self) -> Picks | None:
        """Return the choice of each row at the setting that the other folds would have taken; None without costs.

        Where no setting is as good as the best single model on the other folds, that model is the choice.
        """
        points = Utility().points(self.estimates)
        if not points:
            return None
        quality, cost, n = self.data.quality, self.data.cost_usd, np.arange(len(self.data))
        choices = np.array([self.picks(point) for point in points])
        values = np.stack([cost[n, choices], quality[n, choices]])
        out = self.best.copy()
        for i in range(_FOLDS):
            held, others = self.fold == i, self.fold != i
            settings = np.column_stack([column_means(part[:, others].T) for part in values])
            target = float(np.nanmean(quality[n, self.best][others])) - ROUNDING
            usable = np.flatnonzero(np.isfinite(settings).all(axis=1))
            taken = cheapest_setting(settings[usable], target) if len(usable) else None
            if taken is not None:
                out[held] = choices[usable[taken]][held]
        return out


def _trial(name: str, fit: CrossFit, resampling: Resampling, *, level: float, margin: float) -> Trial:
    n, hindsight = len(fit.data), fit.data.models.index(fit.data.best_single)
    best, one = Outcomes.of(fit.data, fit.best), Outcomes.of(fit.data, np.full(n, hindsight, dtype=np.intp))

    def beside(picks: Picks, other: Outcomes) -> Comparison:
        mine = Outcomes.of(fit.data, picks)
        return compare((mine.quality, mine.cost_usd), (other.quality, other.cost_usd), resampling, level=level)

    first, frugal = fit.picks(0.0), fit.frugal()
    difference = Outcomes.of(fit.data, first).quality - best.quality
    return Trial(
        name=name,
        first=beside(first, best),
        frugal=None if frugal is None else beside(frugal, best),
        first_in_hindsight=beside(first, one),
        frugal_in_hindsight=None if frugal is None else beside(frugal, one),
        needed=queries_needed(difference, resampling, effect=margin, level=level),
    )
