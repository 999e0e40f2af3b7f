"""Economics: whether a rung saves more than it costs, told from what its answers led to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pointsman.metrics.cascade import break_even_escalation
from pointsman.routers.ladder import ALWAYS, Ladder

__all__ = ["Rung", "rungs_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """What a rung did for the queries that reached it, in means over them.

    Parameters:
        escalated: The share that went on.
        own_usd: Dollars of its call and its check.
        rest_usd: Dollars of what comes after it, had every query that reached it gone on; None where nobody knows, or none did.
        pays: Whether it saves more than it costs: own + what the escalated ones cost after it < rest.
    """

    escalated: float
    own_usd: float
    rest_usd: float | None
    pays: bool

    def told(self, name: str, after: str) -> str:
        """Say why it is not worth calling."""
        if self.rest_usd is None:
            return f"no query would go on to {name}"
        even = break_even_escalation(weak=self.own_usd, verification=0.0, strong=self.rest_usd)
        bound = "never" if even is None or even <= 0 else f"only below {even:.0%}"
        return f"{self.escalated:.0%} of {name}'s answers would go on to {after}, and calling it first pays {bound}"


def rungs_of(ladder: Ladder, thresholds: Sequence[float]) -> list[Rung]:
    """Return what each rung but the last does at these thresholds; one that no query reaches pays nothing.

    Calling a model first is cheaper iff p_esc < 1 - (c_S + c_check) / c_L; c_L is what the rungs above it cost.
    """
    return [_rung(ladder, thresholds, i) for i in range(ladder.rungs - 1)]


def _rung(ladder: Ladder, thresholds: Sequence[float], i: int) -> Rung:
    climb = ladder.climb(thresholds)
    reached = np.flatnonzero(climb.rung >= i)
    if not len(reached):
        return Rung(escalated=0.0, own_usd=0.0, rest_usd=None, pays=False)
    check = 0.0 if thresholds[i] == ALWAYS else ladder.check_usd[reached, i]
    own = ladder.cost_usd[reached, i] + check
    rest = _above(ladder, i).climb(thresholds[i + 1 :]).cost_usd[reached]
    gone = climb.rung[reached] > i
    known = np.isfinite(own) & np.isfinite(rest)
    if not known.any():
        return Rung(escalated=float(gone.mean()), own_usd=0.0, rest_usd=None, pays=True)
    own, rest, gone = own[known], rest[known], gone[known]
    saved = float((rest * ~gone).mean()) - float(own.mean())
    return Rung(escalated=float(gone.mean()), own_usd=float(own.mean()), rest_usd=float(rest.mean()), pays=saved > 0)


def _above(ladder: Ladder, i: int) -> Ladder:
    """Return the ladder without its first i + 1 rungs."""
    return Ladder(
        score=ladder.score[:, i + 1 :],
        quality=ladder.quality[:, i + 1 :],
        cost_usd=ladder.cost_usd[:, i + 1 :],
        check_usd=ladder.check_usd[:, i + 1 :],
        checks=ladder.checks[:, i + 1 :],
        kept=ladder.kept[:, i + 1 :],
    )
