"""Choosing among settings that were measured: none that the evidence does not bear out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dspy_router.optimizing.outcomes import mean
from dspy_router.optimizing.settings import Setting
from pointsman.errors import ConfigError, UnknownCostError
from pointsman.evaluation.paired import Comparison, compare
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics.clusters import mean_error
from pointsman.policies.budget import MeanBudget
from pointsman.policies.equal_quality import EqualQuality
from pointsman.policies.utility import Utility

__all__ = ["Candidate", "Chosen", "Objective", "choose", "front"]

Vector = NDArray[np.float64]
Objective: TypeAlias = EqualQuality | MeanBudget | Utility
"""What is wanted: the best single model's quality for less, the most for a mean budget, or metric − λ·cost."""

_CAUTION = EqualQuality()  # what may be given up, and how surely no more, also where the objective says nothing of it
_SURELY_ABOVE = EqualQuality(tolerance=0.0)
_DRAWS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A setting with figures of n examples, each (n,), whose means estimate what it scores and costs; NaN is unknown."""

    setting: Setting
    score: Vector
    cost_usd: Vector

    @property
    def mean_score(self) -> float:
        """The mean where known."""
        return mean(self.score)

    @property
    def standing(self) -> tuple[float, float]:
        """What sorts candidates by mean score, and of equals the cheaper one above; unknown scores are below all others."""
        return (self.mean_score if np.isfinite(self.mean_score) else -np.inf), -self.mean_cost_usd

    @property
    def mean_cost_usd(self) -> float:
        """The mean where known."""
        return mean(self.cost_usd)

    def beside(self, other: Candidate) -> Comparison:
        """Compare with another on the same examples, with 95 % intervals."""
        resampling = Resampling(group=np.arange(len(self.score)), draws=_DRAWS, random_state=0)
        return compare((self.score, self.cost_usd), (other.score, other.cost_usd), resampling, level=0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The setting that was chosen, the single model's that it had to beat, and why, in a sentence."""

    candidate: Candidate
    reference: Candidate
    reason: str


def choose(candidates: Sequence[Candidate], objective: Objective) -> Chosen:
    """Return the setting that serves the objective best among those that are no worse, as surely as asked, than the reference.

    The reference is the best single model for the objective. A setting that would be better by its mean, but may be worse by
    more than the tolerance, is passed over.

    Raises:
        ConfigError: If nothing is within the budget.
        UnknownCostError: If the objective needs costs that nobody knows.
    """
    if not (isinstance(objective, Utility) and not objective.cost_weight):
        unknown = {c.setting.single for c in candidates if np.isnan(c.mean_cost_usd) and c.setting.single is not None}
        if unknown:
            raise UnknownCostError(unknown, "an objective that weighs costs")
    singles = [c for c in candidates if c.setting.single is not None]
    if isinstance(objective, EqualQuality):
        best = max(singles, key=lambda c: c.standing)
        open_ = [c for c in candidates if _holds(c.score, best.score, objective)]
        chosen = min([best, *open_], key=lambda c: c.mean_cost_usd)
        return Chosen(
            chosen, best, _told(chosen, best, "the cheapest setting that is as good as the best single model")
        )
    if isinstance(objective, MeanBudget):
        return _within(candidates, singles, objective)
    return _weighed(candidates, singles, objective)


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that no other one beats in mean score and mean cost, the cheapest first."""
    ordered = sorted(candidates, key=lambda c: (c.mean_cost_usd, -c.mean_score))
    kept: list[Candidate] = []
    for one in ordered:
        if not kept or one.mean_score > kept[-1].mean_score:
            kept.append(one)
    return kept


def _within(candidates: Sequence[Candidate], singles: Sequence[Candidate], objective: MeanBudget) -> Chosen:
    open_ = [c for c in candidates if c.mean_cost_usd <= objective.usd]
    if not open_:
        cheapest = min(c.mean_cost_usd for c in candidates)
        raise ConfigError(
            f"A mean budget of ${objective.usd:g} cannot be met; the cheapest setting costs ${cheapest:g}."
        )
    known = [c for c in singles if c.mean_cost_usd <= objective.usd]
    best = max(known, key=lambda c: c.standing) if known else open_[0]
    better = [c for c in open_ if c.mean_score > best.mean_score and _holds(c.score, best.score, _CAUTION)]
    highest = max([best, *better], key=lambda c: c.standing)
    # The highest of many scores is flattered. Its routers themselves expect more of a lower weight of cost, and the budget
    # pays for it, so theirs is the dearest setting that the examples do not speak against.
    kin = [c for c in better if c.setting.family == highest.setting.family]
    dearer = [c for c in kin if not _holds(highest.score, c.score, _SURELY_ABOVE)]
    chosen = max([highest, *dearer], key=lambda c: c.mean_cost_usd)
    return Chosen(chosen, best, _told(chosen, best, f"the best setting within ${objective.usd:g} an example"))


def _weighed(candidates: Sequence[Candidate], singles: Sequence[Candidate], objective: Utility) -> Chosen:
    weight = objective.cost_weight

    def utility(one: Candidate) -> Vector:
        return one.score - weight * one.cost_usd if weight else one.score

    best = max(
        singles,
        key=lambda c: (c.standing[0] - (weight * c.mean_cost_usd if weight else 0.0), -c.mean_cost_usd),
    )
    mine = utility(best)
    better = [c for c in candidates if mean(utility(c) - mine) > 0 and _holds(utility(c), mine, _CAUTION)]
    chosen = max([best, *better], key=lambda c: mean(utility(c)))
    return Chosen(chosen, best, _told(chosen, best, f"the highest metric − {weight:g}·cost"))


def _holds(mine: Vector, theirs: Vector, caution: EqualQuality) -> bool:
    """Tell whether one is, as surely as asked, no more than the tolerance below the other."""
    ahead = mine - theirs
    ahead = ahead[np.isfinite(ahead)]
    if not len(ahead):
        return False
    # Differences that are all the same say nothing of their spread: one more example could be the first that is not.
    error = mean_error(ahead) if np.ptp(ahead) else 1 / len(ahead)
    return bool(ahead.mean() - NormalDist().inv_cdf(caution.confidence) * error >= -caution.tolerance)


def _told(chosen: Candidate, reference: Candidate, why: str) -> str:
    if chosen is reference:
        return f"{reference.setting.name}: the evidence bears out nothing better, so that model stays"
    return f"{chosen.setting.name}: {why}"
