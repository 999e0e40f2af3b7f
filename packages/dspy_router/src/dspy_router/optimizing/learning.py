"""Learning: from the runs of a program to the settings that are worth measuring."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dspy_router.embedding import Embedder
from dspy_router.optimizing.journal import digest
from dspy_router.optimizing.kept_lm import KeptLM
from dspy_router.optimizing.outcomes import Priced, dataset_of
from dspy_router.optimizing.running import Measured, Running
from dspy_router.optimizing.settings import Building, Learnt, Setting
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.errors import DataError
from pointsman.routers.base import Router

__all__ = ["Learning"]

_log = logging.getLogger(__name__)

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
    met: Sequence[Measured] = ()

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
        """Fit a router for each predictor; what there are too few rows for stays without."""
        for predictor, data in self.datasets.items():
            _log.info("Learning from %d outcomes of %s.", len(data), predictor)
            try:
                self.routers[predictor] = self.router.clone().fit(data)
            except DataError as error:
                self.notes.append(f"{predictor} has no router of its own: {error}")

    def proposals(self, incumbent: str, held: Sequence[Measured]) -> list[Setting]:
        """Return every setting worth measuring: single models, a fixed model for each predictor, and routers at a cost weight.

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
        if not self.routers:
            return found
        decided: set[Any] = set()
        for weight in weights:
            routes = {p: Learnt(self.routers[p], weight) if p in self.routers else incumbent for p in predictors}
            choice = tuple(self._choices(predictor, weight, held) for predictor in self.routers)
            if choice not in decided:
                decided.add(choice)
                found.append(Setting(f"routed, λ = {weight:.3g}", routes))
        return found

    def held(self, setting: Setting, examples: Sequence[Any]) -> list[Measured]:
        """Run the program at a setting, as it would be used."""
        _log.info("Measuring: %s.", setting.name)
        key = digest("as used", setting.key, {name: lm.key for name, lm in self.lms.items()})
        return self.running.measure(self.building.program(setting, self.lms), key, examples)

    def shares(self, predictor: str, point: float | None) -> dict[str, float]:
        """Return the share of the held-out inputs that each model would get from a predictor's router, the largest first."""
        chosen = Counter(self._choices(predictor, point or 0.0, self.met))
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

    def _choices(self, predictor: str, weight: float, held: Sequence[Measured]) -> tuple[str, ...]:
        texts = [run.texts[predictor] for run in held if predictor in run.texts]
        if not texts:
            return ()
        vectors = None if self.embedder is None else np.asarray(self.embedder(texts), dtype=np.float64)
        queries = Queries.from_texts(texts, embeddings=vectors)
        [decisions] = self.routers[predictor].sweep(queries, [weight])
        return tuple(decisions.names)


def _mean(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan
