"""Informed baselines: the domain table, which knows each query's label, and the oracle, which knows each query's outcome."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.estimators.averages import shrunken_means
from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import first_choice
from pointsman.evaluation.baselines import Method, always
from pointsman.evaluation.curve import Curve, Point
from pointsman.evaluation.outcomes import Outcomes
from pointsman.policies.utility import Utility

__all__ = ["Predict", "domain_averages", "domain_table", "oracle", "tells_domains_apart"]

Matrix = NDArray[np.float64]
Predict = Callable[[RoutingDataset], Estimates]
_PRIOR = 20.0  # pseudo-queries per domain that score the model's overall mean


def oracle(test: RoutingDataset, validation: RoutingDataset | None, cheapest: str) -> Method:
    """Return the choice of hindsight: each query's best model, the cheapest of several."""
    return _estimated("oracle", _hindsight, test, validation, cheapest)


def domain_table(
    test: RoutingDataset, validation: RoutingDataset | None, train: RoutingDataset, cheapest: str
) -> Method | None:
    """Return the choice of the best model of each query's given domain, by the training data; None under two domains.

    A label that a user gives is more than a router knows that has to guess it.
    """
    if not tells_domains_apart(train):
        return None
    return _estimated("domain table", domain_averages(train), test, validation, cheapest)


def tells_domains_apart(data: RoutingDataset) -> bool:
    """Return whether at least two domains are given."""
    return len({name for name in data.queries.domains if name is not None}) > 1


def domain_averages(train: RoutingDataset) -> Predict:
    """Learn each model's mean quality and cost per given domain, pulled to its overall mean.

    Queries of a domain never seen, or of none, get the overall means.
    """
    names = sorted({name for name in train.queries.domains if name is not None})
    row = {name: i for i, name in enumerate(names)}
    members = _indicator([row.get(name or "", -1) for name in train.queries.domains], len(names))
    quality, cost = (
        np.vstack([shrunken_means(members, values, means, _PRIOR), means])  # the last row is for labels never seen
        for values, means in ((train.quality, train.mean_quality), (train.cost_usd, train.mean_cost_usd))
    )

    def predict(data: RoutingDataset) -> Estimates:
        rows = [row.get(name or "", len(names)) for name in data.queries.domains]
        return Estimates(models=train.models, quality=np.nan_to_num(quality[rows], nan=-1.0), cost_usd=cost[rows])

    return predict


def _indicator(rows: list[int], count: int) -> Matrix:
    found: Matrix = (np.array(rows) == np.arange(count)[:, None]).astype(np.float64)
    return found


def _hindsight(data: RoutingDataset) -> Estimates:
    """Return the outcomes as if they were predictions; a cell nobody observed is never the best."""
    quality = np.where(np.isnan(data.quality), -1.0, data.quality)
    cost = np.where(np.isnan(data.cost_usd), data.mean_cost_usd, data.cost_usd)
    return Estimates(models=data.models, quality=quality, cost_usd=cost)


def _estimated(
    name: str, predict: Predict, test: RoutingDataset, validation: RoutingDataset | None, cheapest: str
) -> Method:
    """Choose by the plug-in rule, quality − λ·cost: λ = 0 is the method, the others and the cheapest model its curve."""
    policy, parts = Utility(), [test] if validation is None else [test, validation]
    found = [predict(part) for part in parts]

    def chosen(point: float) -> list[Outcomes]:
        return [
            Outcomes.of(part, first_choice(policy.scores(estimates, point), estimates.cost_usd))
            for part, estimates in zip(parts, found, strict=True)
        ]

    settings: list[tuple[Point, list[Outcomes]]] = [(point, chosen(point)) for point in policy.points(found[0])]
    settings.append((cheapest, [always(cheapest, part) for part in parts]))
    return Method.of(name, chosen(0.0)[0], Curve.of(settings))
