"""Learning: from the runs of a program to the settings that are worth measuring."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dspy_router.embedding import Embedder, embedded
from dspy_router.optimizing.journal import digest
from dspy_router.optimizing.kept_lm import KeptLM
from dspy_router.optimizing.outcomes import Priced, dataset_of, joined
from dspy_router.optimizing.running import Measured, Running
from dspy_router.optimizing.settings import Building, Cascade, Learnt, Setting
from dspy_router.routed import routed
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.errors import DataError
from pointsman.routers.base import Router

__all__ = ["Learning"]

_log = logging.getLogger(__name__)

_FINER = 3  # weights that are tried between two that were
_REACH = (-3.0, 0.5)  # of λ times the mean cost of the incumbent, in powers of ten: from quality alone to cost alone


@dataclass(kw_only=True)
class Learning:
    """Collects outcomes predictor by predictor, fits a router on each, and proposes settings of the whole program.

    Parameters:
        building: The student and the candidates.
        running: What runs programs.
        priced: What calls cost.
        lms: The candidates, whose calls are kept.
        router: What is fitted for each predictor; cloned.
        embedder: Computes the vectors that it learns from, if it does.
        settings: How many weights of cost are tried.
    """

    building: Building
    running: Running
    priced: Priced
    lms: Mapping[str, KeptLM]
    router: Any
    embedder: Embedder | None
    settings: int
    routers: dict[str, Router] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    uniform: dict[str, list[Measured]] = field(default_factory=dict)
    datasets: dict[str, RoutingDataset] = field(default_factory=dict)
    together: dict[str, Router] = field(default_factory=dict)
    met: Sequence[Measured] = ()
    asked: dict[str, Queries] = field(default_factory=dict)
    decided: set[Any] = field(default_factory=set)

    def collect(self, examples: Sequence[Any]) -> str:
        """Run every candidate in every predictor's place, the others' being the incumbent's, and return that one's name."""
        names, predictors = list(self.lms), self.building.predictors
        for name in names:
            _log.info("Running the program with %s everywhere.", name)
            self.uniform[name] = self._runs(dict.fromkeys(predictors, name), examples)
        incumbent = min(
            names, key=lambda name: (-_mean(self.priced.scores(self.uniform[name])), self._cost(name), name)
        )
        for predictor in predictors:
            runs = {incumbent: self.uniform[incumbent]}
            for name in names:
                if name != incumbent:
                    _log.info("Running the program with %s as %s, %s elsewhere.", name, predictor, incumbent)
                    runs[name] = self._runs({**dict.fromkeys(predictors, incumbent), predictor: name}, examples)
            data = dataset_of(predictor, runs, incumbent, self.priced, self.embedder)
            if data is None:
                self.notes.append(f"{predictor} was never asked anything, so it stays with {incumbent}")
            else:
                self.datasets[predictor] = data
        return incumbent

    def fit(self) -> None:
        """Fit a router for each predictor, and one for those together that are told the same things."""
        self.routers = {name: made for name, data in self.datasets.items() if (made := self._fitted(name, data))}
        for names in self._alike():
            data = joined([self.datasets[name] for name in names])
            if (made := self._fitted(" and ".join(names), data)) is not None:
                self.together |= dict.fromkeys(names, made)

    def _fitted(self, name: str, data: RoutingDataset) -> Router | None:
        """Return a router for these outcomes; None, with a note, where there are too few."""
        _log.info("Learning from %d outcomes of %s.", len(data), name)
        try:
            fitted: Router = self.router.clone().fit(data)
        except DataError as error:
            self.notes.append(f"{name} has no router of its own: {error}")
            return None
        return fitted

    def _alike(self) -> list[tuple[str, ...]]:
        """Return the predictors, two or more at a time, that have the same signature, demonstrations and fields to route on."""
        twin = routed(self.building.student, on=self.building.on)
        found: dict[str, list[str]] = {}
        for name, one in twin.named_predictors():
            if name in self.datasets:
                demos = [dict(demo) for demo in one.demos]
                key = digest(one.signature.dump_state(), demos, one.config, one.route_on)
                found.setdefault(key, []).append(name)
        return [tuple(names) for names in found.values() if len(names) > 1]

    def proposals(self, incumbent: str, held: Sequence[Measured]) -> list[Setting]:
        """Return every setting worth measuring: single models, one for each predictor, cascades, and routers at a cost weight.

        Of settings that would choose alike for the held-out examples, as the incumbent's run met them, one is enough.
        """
        predictors, self.met = self.building.predictors, held
        found = [Setting.uniform(name, predictors) for name in self.lms]
        seen = {tuple(setting.routes.items()) for setting in found}
        weights = self._weights(incumbent)
        for weight in weights:
            models = {predictor: self._best(predictor, weight, incumbent) for predictor in predictors}
            if tuple(models.items()) not in seen:
                seen.add(tuple(models.items()))
                found.append(Setting.fixed(models))
        for name in self.lms:
            if self.building.checks and self._cost(name) < self._cost(incumbent):
                asked = {p: Cascade((name, incumbent)) if p in self.building.checks else incumbent for p in predictors}
                found.append(Setting(f"{name}, checked, then {incumbent}", asked))
        return [*found, *self.routings(weights, incumbent)]

    def routings(self, weights: Sequence[float], incumbent: str) -> list[Setting]:
        """Return the settings with routers at these weights of cost, but for those that would choose as others did before."""
        found = []
        for label, routers in (("routed", self.routers), ("routed alike", {**self.routers, **self.together})):
            for weight in weights if routers and (label == "routed" or self.together) else ():
                routes = {
                    name: Learnt(routers[name], weight) if name in routers else incumbent
                    for name in self.building.predictors
                }
                choice = tuple(self._choices(router, name, weight) for name, router in routers.items())
                if choice not in self.decided:
                    self.decided.add(choice)
                    found.append(Setting(f"{label}, λ = {weight:.3g}", routes))
        return found

    def between(self, setting: Setting, incumbent: str) -> list[float]:
        """Return weights of cost around the one that a setting's routers have, as far as its neighbours; [] if it has none."""
        points = [route.point for route in setting.routes.values() if isinstance(route, Learnt)]
        weights = self._weights(incumbent)
        if not points or not points[0] or len(weights) < 3:  # noqa: PLR2004 - no step to refine
            return []
        step = weights[2] / weights[1]
        return [points[0] * step ** (i / (_FINER + 1)) for i in range(-_FINER, _FINER + 1) if i]

    def held(self, setting: Setting, examples: Sequence[Any]) -> list[Measured]:
        """Run the program at a setting, as it would be used."""
        _log.info("Measuring: %s.", setting.name)
        key = digest("as used", setting.key, {name: lm.key for name, lm in self.lms.items()})
        return self.running.measure(self.building.program(setting, self.lms), key, examples)

    def shares(self, predictor: str, route: Learnt) -> dict[str, float]:
        """Return the share of the held-out inputs that each model would get on a predictor's route, the largest first."""
        chosen = Counter(self._choices(route.router, predictor, route.point or 0.0))
        return {name: count / chosen.total() for name, count in chosen.most_common()}

    @property
    def calls(self) -> int:
        """How many calls had to be made."""
        return sum(len(lm.made) for lm in self.lms.values())

    @property
    def spent_usd(self) -> float | None:
        """What they cost; None is unknown."""
        costs = [self.priced.call(lm.name, usage, estimate) for lm in self.lms.values() for usage, estimate in lm.made]
        return None if any(np.isnan(cost) for cost in costs) else float(sum(costs))

    def _runs(self, models: Mapping[str, str], examples: Sequence[Any]) -> list[Measured]:
        key = digest("bare", {predictor: self.lms[name].key for predictor, name in models.items()})
        return self.running.measure(self.building.bare(models, self.lms), key, examples)

    def _cost(self, name: str) -> float:
        return float(np.nan_to_num(_mean(self.priced.costs(self.uniform[name])), nan=np.inf))

    def _weights(self, incumbent: str) -> list[float]:
        cost = _mean(self.priced.costs(self.uniform[incumbent]))
        if not cost > 0:
            return [0.0]
        return [0.0, *(np.logspace(*_REACH, self.settings - 1) / cost).tolist()]

    def _best(self, predictor: str, weight: float, incumbent: str) -> str:
        """Return the model of the highest mean quality − weight · cost in a predictor's place."""
        data = self.datasets.get(predictor)
        if data is None:
            return incumbent
        value = data.mean_quality - (weight * data.mean_cost_usd if weight else 0.0)
        return min(zip((-np.nan_to_num(value, nan=-np.inf)).tolist(), data.models, strict=True))[1]

    def _choices(self, router: Router, predictor: str, weight: float) -> tuple[str, ...]:
        """Return what a router would choose for the held-out inputs of a predictor, as the incumbent's run met them."""
        queries = self._queries(predictor)
        if not len(queries):
            return ()
        [decisions] = router.sweep(queries, [weight])
        return tuple(decisions.names)

    def _queries(self, predictor: str) -> Queries:
        if predictor not in self.asked:
            texts = [run.texts[predictor] for run in self.met if predictor in run.texts]
            vectors = embedded(self.embedder, texts) if self.embedder is not None and texts else None
            self.asked[predictor] = Queries.from_texts(texts, embeddings=vectors)
        return self.asked[predictor]


def _mean(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan
