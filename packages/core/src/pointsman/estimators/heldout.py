"""Held out: what several estimators said of queries they had not seen, and what follows for those they will see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import folds
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.contrasts import centred, row_means, split_quality
from pointsman.estimators.familiarity import Familiarity
from pointsman.estimators.spending import Spending
from pointsman.estimators.together import fitted_together, offsets_of, said_together
from pointsman.estimators.trust import ERRORS, Trust, slope_of

__all__ = ["HeldOut", "bare", "cautious_quality", "differences", "familiar_share", "mixed_quality"]

Matrix = NDArray[np.float64]

_PREMIUM = 0.03  # quality
_STEEPEST = 2.0  # slope of levels
_DOUBTFUL, _FAMILIAR = 0.6, 1.0  # familiarity at which a query's own differences count nothing, and fully


def differences(said: Sequence[Matrix], means: Matrix, incumbent: int) -> tuple[Matrix, Matrix]:
    """Split k members' quality (n, m) into differences to the incumbent (k, n, m) and levels (k, n), beyond the means (m,)."""
    beyond = np.stack(said) - means
    return beyond - beyond[:, :, incumbent, None], row_means(beyond)


def familiar_share(familiarity: Matrix) -> Matrix:
    """Return how much of a query's own differences holds at this familiarity (n,): all at 1, nothing at .6 or less."""
    share: Matrix = np.clip((familiarity - _DOUBTFUL) / (_FAMILIAR - _DOUBTFUL), 0, 1)
    return share


def mixed_quality(means: Matrix, level: Matrix, contrasts: Matrix, factor: Matrix | float) -> Matrix:
    """Return means (m,) plus each query's level (n,) plus its contrasts (n, m), scaled by a factor (n,)."""
    quality: Matrix = contrasts * (factor if isinstance(factor, float) else factor[:, None])
    quality += means
    quality += level[:, None]
    return quality


def cautious_quality(means: Matrix, level: Matrix, contrasts: Matrix, factor: Matrix, incumbent: int) -> Matrix:
    """Return the mixed quality with the incumbent ahead by what any other model has to promise to take its place."""
    quality = mixed_quality(means, level, contrasts, factor)
    quality[:, incumbent] += _PREMIUM
    return quality


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """Out-of-fold predictions on n queries, each held against the means of the queries its members were fitted on.

    Parameters:
        models: The m names.
        incumbent: Column of the best single model on all queries.
        fold, group: Of each query, shape (n,).
        said: The members' differences to the incumbent, shape (k, n, m).
        level_said: The mean of the members' levels, shape (n,).
        real: What really differed, beyond the means, shape (n, m); NaN where unknown.
        level_real: Each query's real level, shape (n,).
        means: The means themselves, shape (n, m): the same for all queries of a fold.
        gap: How much better the incumbent is on average, and the variance of that mean, shape (2, m).
        cost_usd, latency_s: Expected costs, and seconds where recorded, shape (n, m).
        share: How much of each query's own differences is familiar, shape (n,).
    """

    models: tuple[str, ...]
    incumbent: int
    fold: NDArray[np.intp]
    group: NDArray[np.int64]
    said: Matrix
    level_said: Matrix
    real: Matrix
    level_real: Matrix
    means: Matrix
    gap: Matrix
    cost_usd: Matrix
    latency_s: Matrix | None
    share: Matrix

    @classmethod
    def of(
        cls,
        members: Sequence[Estimator],
        data: RoutingDataset,
        rows: Matrix,
        familiarity: Familiarity | None,
        parts: int,
    ) -> Self:
        """Let each part of the data be predicted by clones fitted on the others, from the features of all rows (n, d)."""
        n, m = data.quality.shape
        incumbent = data.models.index(data.best_single)
        said, fold = np.zeros((len(members), n, m)), np.zeros(n, dtype=np.intp)
        level_said, spent = np.zeros(n), np.full((2, n, m), np.nan)
        means = np.tile(data.mean_quality, (n, 1))
        given, groups, offsets = bare(data, rows), len(np.unique(data.group_of)), offsets_of(members)
        for i, (train, held) in enumerate(folds(data, min(parts, groups)) if groups > 1 else ()):
            known, queries, fold[held] = given.take(train), given.queries.take(held), i
            cost, latency = Spending.fit(rows[train], data.take(train)).predict(rows[held], queries)
            spent[0, held] = cost
            if latency is not None:
                spent[1, held] = latency
            if np.isnan(known.mean_quality).any():
                continue  # a model that was asked in this part only: nothing is predicted of it, and nothing differs
            predicted = said_together(fitted_together(members, known), offsets, queries)
            said[:, held], levels = differences(predicted, known.mean_quality, incumbent)
            level_said[held], means[held] = levels.mean(axis=0), known.mean_quality
        beyond = data.quality - means
        return cls(
            models=data.models,
            incumbent=incumbent,
            fold=fold,
            group=data.group_of,
            said=said,
            level_said=level_said,
            real=beyond - beyond[:, [incumbent]],
            level_real=split_quality(data)[0][:, 0],
            means=means,
            gap=_gap(data, incumbent),
            cost_usd=spent[0],
            latency_s=None if data.latency_s is None else spent[1],
            share=np.ones(n) if familiarity is None else familiar_share(familiarity.probability(rows)),
        )

    def trust(self, rows: NDArray[np.bool_] | None = None) -> Trust:
        """Return the shares and the slope that these queries, or some of them, bear out."""
        some = np.ones(len(self.fold), dtype=np.bool_) if rows is None else rows
        if len(np.unique(self.group[some])) < 2:  # noqa: PLR2004 - one group has no spread
            return Trust.nothing(len(self.said))
        return Trust.fit(self.said[:, some], self.real[some], self.gap, self.group[some])

    def level(self, rows: NDArray[np.bool_] | None = None) -> float:
        """Return the slope of real on predicted levels, in [0, 2]; above 1, where they say too little, less 2 errors."""
        some = np.ones(len(self.fold), dtype=np.bool_) if rows is None else rows
        said, real = (levels[some, None] for levels in (self.level_said, self.level_real))
        slope, error = slope_of(said, real, np.ones(1), self.group[some])
        return float(np.clip(slope, 0.0, max(1.0, min(slope - ERRORS * error, _STEEPEST))))

    def estimates(self) -> Estimates:
        """Return the estimates of each query, by shares and trust that the other folds bear out."""
        quality, cautious = self.means.copy(), self.means.copy()
        for i in np.unique(self.fold):
            held = self.fold == i
            trust, level = self.trust(~held), self.level(~held) * self.level_said[held]
            mixed = centred(np.tensordot(trust.shares, self.said[:, held], axes=1))
            quality[held] = mixed_quality(self.means[held], level, mixed, trust.factor)
            factor = trust.factor * self.share[held]
            cautious[held] = cautious_quality(self.means[held], level, mixed, factor, self.incumbent)
        return self._estimates(quality, cautious)

    def alone(self, member: int) -> Estimates:
        """Return the estimates of one member, believed without reserve."""
        level = np.zeros(len(self.fold))
        quality = mixed_quality(self.means, level, centred(self.said[member]), 1.0)
        return self._estimates(quality, None)

    def _estimates(self, quality: Matrix, cautious: Matrix | None) -> Estimates:
        return Estimates(
            models=self.models,
            quality=quality,
            cost_usd=self.cost_usd,
            latency_s=self.latency_s,
            cautious=None if cautious is None else lambda: cautious,
        )


def _gap(data: RoutingDataset, incumbent: int) -> Matrix:
    """Return each model's mean shortfall to the incumbent where both are known, and its variance, shape (2, m)."""
    short = data.quality[:, [incumbent]] - data.quality
    known = np.isfinite(short)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, short, 0.0).sum(axis=0) / count
    variance = np.where(known, np.square(short - mean), 0.0).sum(axis=0) / count**2
    return np.stack([mean, variance])


def bare(data: RoutingDataset, rows: Matrix) -> RoutingDataset:
    """Return the data as the members get them: features in the place of embeddings, nothing but quality."""
    unknown = np.full(data.quality.shape, np.nan)
    return replace(data, queries=data.queries.with_embeddings(rows), cost_usd=unknown, latency_s=None, answers=None)
