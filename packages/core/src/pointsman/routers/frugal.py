"""FrugalGPT: search lists of models and their thresholds for what a budget buys."""

from __future__ import annotations

from itertools import combinations, product
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.confidence.base import Confidence, by_cost, prefixes
from pointsman.confidence.held_out import held_out_scores
from pointsman.confidence.learned import LearnedConfidence
from pointsman.data.dataset import RoutingDataset
from pointsman.data.notes import tell_notes
from pointsman.data.queries import Queries
from pointsman.errors import DataError, UnknownCostError
from pointsman.estimators.base import Estimates
from pointsman.metrics.curves import frontier, hull
from pointsman.models import ModelPool
from pointsman.routers.cascading import Cascading, Course
from pointsman.routers.ladder import Ladder, answered
from pointsman.routers.thresholds import Setting, candidates, measured

__all__ = ["FrugalGPT"]

Vector = NDArray[np.float64]
_TRIALS = 150  # settings tried for each list


class FrugalState(State):
    """The fitted confidence, the pool with its averages, and the settings that are worth having, from the cheapest on."""

    confidence: Confidence
    pool: ModelPool
    estimates: Vector
    lists: tuple[tuple[str, ...], ...]
    thresholds: tuple[tuple[float, ...], ...]
    cost_usd: Vector
    quality: Vector


class FrugalGPT(Cascading):
    """Of all lists of models, each dearer than the one before, and all thresholds: the best mean quality that a budget buys.

    Lists and thresholds are tried on held-out scores, and those on the upper hull of quality over cost are kept, beside the
    single models that no cheaper setting matches (FrugalGPT, TMLR 2024, arXiv 2305.05176). The operating point is the budget:
    mean US dollars per query. Considered are models that no cheaper one matches, spread over costs, and then the best of those
    cheaper than the best single model: what they say may tell whether another one is right.

    Parameters:
        confidence: What scores an answer; cloned by `fit`, which fits it for the models from the cheapest to the dearest.
        budget_usd: Mean dollars per query; None spends what the best single model costs.
        depth: Models in a list, at most.
        width: Models that lists are made of, at most.
        folds: Parts that take turns at being held out, where the confidence learns.
    """

    confidence: Confidence = LearnedConfidence()
    budget_usd: Annotated[float, Gt(0)] | None = None
    depth: Annotated[int, Ge(1), Le(4)] = 3
    width: Annotated[int, Ge(1), Le(10)] = 6
    folds: Annotated[int, Ge(2)] = 5

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that compares samples, and one with a budget."""
        from pointsman.confidence.agreement import Agreement
        from pointsman.confidence.consistency import SelfConsistency

        return cls(confidence=SelfConsistency(samples=2)), cls(confidence=Agreement(), budget_usd=0.002, depth=2)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Fit the confidence, search, and keep what is worth having; return self.

        Raises:
            UnknownCostError: When a model's cost is unknown.
        """
        tell_notes(dataset, type(self).__name__)
        data = dataset.canonical()
        if unpriced := [n for n, c in zip(data.models, data.mean_cost_usd.tolist(), strict=True) if np.isnan(c)]:
            raise UnknownCostError(unpriced, "a search over lists")
        order = self._worth_trying(data)
        found = self._searched(data, order)
        kept = _worth_having(found)
        names = sorted(order)
        columns = [data.models.index(name) for name in names]
        clone = self.confidence.clone()
        return self.with_state(
            FrugalState(
                confidence=clone.fit(data, order) if clone.learns else clone,
                pool=(data.pool or ModelPool(data.models)).restrict(names),
                estimates=np.array([data.mean_quality[columns], data.mean_cost_usd[columns]]),
                lists=tuple(rungs for rungs, _ in kept),
                thresholds=tuple(setting.thresholds for _, setting in kept),
                cost_usd=np.array([setting.cost_usd for _, setting in kept]),
                quality=np.array([setting.quality for _, setting in kept]),
            )
        )

    def _worth_trying(self, data: RoutingDataset) -> tuple[str, ...]:
        """Return the models that no cheaper one matches, then the best of the rest, up to `width`; the cheapest first."""
        quality = dict(zip(data.models, np.nan_to_num(data.mean_quality, nan=-1.0).tolist(), strict=True))
        by_price = by_cost(data)
        best_below = np.maximum.accumulate([-1.0, *(quality[name] for name in by_price)]).tolist()
        rising = [name for name, bar in zip(by_price, best_below, strict=False) if quality[name] > bar]
        if not rising:
            raise DataError("No outcome has a known quality, so no list can be tried.")
        places = np.unique(np.linspace(0, len(rising) - 1, min(self.width, len(rising))).round().astype(np.intp))
        kept = {rising[i] for i in places}
        affordable = by_price[: by_price.index(rising[-1])]
        rest = sorted((name for name in affordable if name not in rising), key=lambda name: -quality[name])
        kept |= set(rest[: self.width - len(kept)])
        return tuple(name for name in by_price if name in kept)

    def _searched(self, data: RoutingDataset, order: tuple[str, ...]) -> list[tuple[tuple[str, ...], Setting]]:
        """Return every setting of every list, with what it came to."""
        lists = [rungs for size in range(1, self.depth + 1) for rungs in combinations(order, size)]
        ran = list(dict.fromkeys(before for rungs in lists for before in prefixes(rungs)[:-1]))
        scored = dict(zip(ran, held_out_scores(self.confidence, data, order, ran=ran, folds=self.folds), strict=True))
        whole = np.flatnonzero(answered(data, order).all(axis=1))
        rows = whole if len(whole) else np.arange(len(data))  # lists are compared on the same queries
        found = []
        for rungs in lists:
            ladder = Ladder.of(data, rungs, [scored[before] for before in prefixes(rungs)[:-1]]).take(rows)
            found += [(rungs, measured(ladder, setting)) for setting in product(*candidates(ladder, _TRIALS))]
        return found

    @property
    def models(self) -> ModelPool:
        """The models that lists are made of."""
        return self.fitted(FrugalState).pool

    @property
    def judge(self) -> Confidence:
        """The fitted confidence."""
        return self.fitted(FrugalState).confidence

    def course(self, point: float | None = None) -> Course:
        """Return the best list and thresholds whose mean cost was within the budget, or else the cheapest."""
        state = self.fitted(FrugalState)
        usd = self.budget_usd if point is None else point
        within = np.flatnonzero(state.cost_usd <= self._usual(state) if usd is None else state.cost_usd <= usd)
        at = int(within[-1]) if len(within) else 0
        rungs = state.lists[at]
        note = f"${state.cost_usd[at]:.3g} and quality {state.quality[at]:.3f} per query on held-out data"
        others = {name: "not in the list for this budget" for name in state.pool if name not in rungs}
        return Course(
            rungs=rungs, thresholds=dict(zip(rungs, state.thresholds[at], strict=False)), standby=others, note=note
        )

    def _usual(self, state: FrugalState) -> float:
        """Return what the best single model costs, plus the last rounding."""
        quality, cost = state.estimates
        return float(cost[quality == quality.max()].min()) * (1 + 1e-9)

    def points(self, queries: Queries) -> tuple[float, ...]:
        """Return the budgets at which another setting takes over."""
        del queries
        return tuple(self.fitted(FrugalState).cost_usd.tolist())

    def expected(self) -> Estimates:
        """Return the models' averages."""
        state = self.fitted(FrugalState)
        quality, cost = state.estimates[:, None]
        return Estimates(models=tuple(sorted(state.pool)), quality=quality, cost_usd=cost)


def _worth_having(found: list[tuple[tuple[str, ...], Setting]]) -> list[tuple[tuple[str, ...], Setting]]:
    """Return the settings on the upper hull of quality over cost and the single models on its frontier, the cheapest first.

    Nothing is mixed here, so the hull alone would leave a budget without its best single model. Of equal settings the shortest
    list counts.
    """
    known = [one for one in found if np.isfinite(one[1].cost_usd) and np.isfinite(one[1].quality)]
    known.sort(key=lambda one: (one[1].cost_usd, -one[1].quality, len(one[0]), one[0], one[1].thresholds))
    costs_and_qualities = [(one[1].cost_usd, one[1].quality) for one in known]
    corners = set(hull(costs_and_qualities).tolist())
    alone = {i for i in frontier(costs_and_qualities).tolist() if len(known[i][0]) == 1}
    return [known[i] for i in sorted(corners | alone)]
