"""Behaviour: where the router sends queries, and whether it still chooses at all."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

import numpy as np

from pointsman.evaluation.report import Evaluation
from pointsman.report.decided import Decided

__all__ = ["Behaviour", "Share", "behaviour"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One model: the share of queries that it answers, and its own quality and cost on all of them; None is unknown."""

    model: str
    share: float
    quality: float | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the router chooses; None is unknown.

    Parameters:
        shares: Every model, the one that answers most first.
        unanswered: Share of queries whose answer is no single model's.
        elsewhere: Share of queries sent to another model than the best single one.
        entropy, most_entropy: Entropy of the choices in bits, and that of choosing all models alike.
        dearest: The dearest model on average; `dearest_share` is the share of queries sent there.
        needless_strong: How often the dearest model was called although a cheaper one was as good.
    """

    shares: tuple[Share, ...]
    unanswered: float
    elsewhere: float
    entropy: float | None
    most_entropy: float
    dearest: str | None
    dearest_share: float | None
    needless_strong: float | None

    @property
    def effective_models(self) -> float | None:
        """2 to the power of the entropy: among how many models, used alike, the choice would be as wide."""
        return None if self.entropy is None else 2.0**self.entropy


def behaviour(evaluation: Evaluation, found: Decided) -> Behaviour:
    """Gather what an evaluation tells of a router's choices."""
    row, cost = evaluation.router, found.test.mean_cost_usd
    quality = dict(zip(found.test.models, found.test.mean_quality.tolist(), strict=True))
    price = dict(zip(found.test.models, cost.tolist(), strict=True))
    shares = tuple(
        Share(model=name, share=share, quality=_known(quality[name]), cost_usd=_known(price[name]))
        for name, share in sorted(row.shares.items(), key=lambda item: (-item[1], item[0]))
    )
    return Behaviour(
        shares=shares,
        unanswered=max(0.0, 1.0 - sum(share.share for share in shares)),
        elsewhere=float(found.elsewhere.mean()),
        entropy=row.entropy,
        most_entropy=log2(len(found.test.models)),
        dearest=None if np.isnan(cost).any() else found.test.models[int(cost.argmax())],
        dearest_share=row.dearest_share,
        needless_strong=row.needless_strong,
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
