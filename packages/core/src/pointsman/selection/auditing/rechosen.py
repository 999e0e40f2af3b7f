"""Rechosen: how far a gain over the best single model may be off because that model was chosen on these queries."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pointsman.evaluation.resampling import Resampling
from pointsman.selection.auditing.crossfit import CrossFit

__all__ = ["Rechosen"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_DRAWS = 250  # enough for a standard deviation, which needs no tails


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rechosen:
    """The best single model of each fold's training queries, chosen anew in every bootstrap draw of the queries.

    Where models nearly tie, each fold's choice depends on the queries that another fold is judged on: a fold that was unkind
    to a model is the one that is left out when it is chosen. Rows resampled under the choices as they were know nothing of it.

    Parameters:
        fit: The routers, and the folds.
        resampling: The draws.
        best: The column of each draw's best single model by fold, shape (draws, k).
    """

    fit: CrossFit
    resampling: Resampling
    best: NDArray[np.intp]

    @classmethod
    def of(cls, fit: CrossFit, resampling: Resampling) -> Rechosen:
        """Choose in every draw as the folds did, by the mean quality of what is known; ties go to the first."""
        resampling = replace(resampling, draws=min(resampling.draws, _DRAWS))
        held = _sums(fit, resampling, fit.data.quality)
        total, count = np.moveaxis(held.sum(axis=1, keepdims=True) - held, 2, 0)
        means = np.divide(total, count, out=np.full(total.shape, -np.inf), where=count > 0.5)  # noqa: PLR2004 - not 0
        return cls(fit=fit, resampling=resampling, best=means.argmax(axis=2))

    def excess(self, mine: Vector, theirs: Vector) -> float:
        """Return the standard deviation that resampling rows misses in mean(mine - theirs), theirs of the best single model."""
        used, at = np.unique(self.best, return_inverse=True)
        drawn = _sums(self.fit, self.resampling, mine[:, None] - self.fit.data.quality[:, used])
        at = at.reshape(self.best.shape)[:, :, None, None]
        total, count = np.take_along_axis(drawn, at, axis=3)[..., 0].sum(axis=1).T
        anew = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0.5)  # noqa: PLR2004 - not 0
        fixed = self.resampling.means((mine - theirs)[:, None])[:, 0]
        return float(np.sqrt(max(0.0, _variance(anew) - _variance(fixed))))


def _sums(fit: CrossFit, resampling: Resampling, values: Matrix) -> Matrix:
    """Return the resampled sum and count of what is known of (n, c), by the fold it is held out in: (draws, k, 2, c)."""
    known = np.isfinite(values)
    both = np.hstack([np.where(known, values, 0.0), known])
    apart = (fit.fold[:, None] == np.arange(len(fit.routers)))[:, :, None] * both[:, None, :]
    drawn = resampling.sums(apart.reshape(len(both), -1))
    return drawn.reshape(len(drawn), len(fit.routers), 2, values.shape[1])


def _variance(values: Vector) -> float:
    known = values[np.isfinite(values)]
    return float(known.var()) if len(known) else 0.0
