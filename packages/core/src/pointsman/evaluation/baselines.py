"""Baselines: what a router has to be held against; most of them know nothing about the query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset, column_means
from pointsman.evaluation.curve import Curve
from pointsman.evaluation.outcomes import Outcomes

__all__ = ["Method", "always", "random", "single_models", "zero_router"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Method:
    """One way to answer n test queries.

    Parameters:
        name: What the report calls it.
        quality, cost_usd: What each query scores and costs, shape (n,); an expectation where the choice is random.
        shares: The share of queries that each model answers.
        model: The chosen column, shape (n,), -1 for none; None where the choice is random.
        curve: What it reaches at other settings, where it has any.
    """

    name: str
    quality: NDArray[np.float64]
    cost_usd: NDArray[np.float64]
    shares: Mapping[str, float]
    model: NDArray[np.intp] | None = None
    curve: Curve | None = None

    @classmethod
    def of(cls, name: str, outcomes: Outcomes, curve: Curve | None = None) -> Method:
        """Name what a router or a rule did."""
        return cls(
            name=name,
            quality=outcomes.quality,
            cost_usd=outcomes.cost_usd,
            shares=outcomes.shares,
            model=outcomes.model,
            curve=curve,
        )


def always(model: str, data: RoutingDataset) -> Outcomes:
    """Return the outcomes of asking one model every time."""
    return Outcomes.of(data, np.full(len(data), data.models.index(model), dtype=np.intp))


def random(data: RoutingDataset) -> Method:
    """Return what picking a model uniformly at random does on average, over the cells that were observed."""
    return Method(
        name="random",
        quality=column_means(data.quality.T),
        cost_usd=column_means(data.cost_usd.T),
        shares=dict.fromkeys(data.models, 1 / len(data.models)),
    )


def single_models(test: RoutingDataset, reference: RoutingDataset) -> Curve | None:
    """Return the Zero router's curve (RouterBench, 2403.12031): single models to mix, those on the hull of other data."""
    return Curve.of((model, [always(model, test), always(model, reference)]) for model in test.models)


def zero_router(curve: Curve, cost_usd: float) -> Method:
    """Return what mixing two single models at random does at a mean cost: the best use of knowing nothing of the query.

    Outside the curve's costs it is the single model at that end.
    """
    costs = curve.on_test[:, 0]
    kept = curve.kept[np.argsort(costs[curve.kept], kind="stable")]
    above = int(np.searchsorted(costs[kept], cost_usd))
    cheap, dear = kept[max(above - 1, 0)], kept[min(above, len(kept) - 1)]
    gap = costs[dear] - costs[cheap]
    share = float((cost_usd - costs[cheap]) / gap) if gap > 0 else 1.0
    mixed = {str(curve.points[cheap]): 1 - share, str(curve.points[dear]): share}
    return Method(
        name="zero router",
        quality=(1 - share) * curve.quality[:, cheap] + share * curve.quality[:, dear],
        cost_usd=(1 - share) * curve.cost_usd[:, cheap] + share * curve.cost_usd[:, dear],
        shares={name: part for name, part in mixed.items() if part > 0},
        curve=curve,
    )
