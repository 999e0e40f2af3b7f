"""Learning: from the runs of a program to the settings that are worth measuring."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dspy_router.embedding import Embedder
from dspy_router.optimizing.choosing import Candidate
from dspy_router.optimizing.collected import Collected, rectified
from dspy_router.optimizing.crossed import Crossed, Rows, parts_of
from dspy_router.optimizing.family import Family, Place, Proposal
from dspy_router.optimizing.journal import digest
from dspy_router.optimizing.outcomes import dataset_of, joined, mean
from dspy_router.optimizing.settings import Cascade, Learnt, Route, Setting
from dspy_router.optimizing.trials import Trials
from dspy_router.routed import routed
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError

__all__ = ["Learning"]

_log = logging.getLogger(__name__)

_FINER = 3  # weights that are tried between two that were
_DIGITS = 12  # of a score: what is less is the dust of sums, and no difference
_REACH = (-3.0, 0.5)  # of λ times the mean cost of the incumbent, in powers of ten: from quality alone to cost alone


@dataclass(kw_only=True)
class Learning:
    """Collects outcomes predictor by predictor, fits routers on each, and proposes settings of the whole program.

    Parameters:
        trials: What runs the program.
        router: What is fitted for each predictor; cloned.
        embedder: Computes the vectors that it learns from, if it does.
        settings: How many weights of cost are tried.
        examples: All that there are, n.
        held: The rows of those on which settings are run.
    """

    trials: Trials
    router: Any
    embedder: Embedder | None
    settings: int
    examples: Sequence[Any]
    held: Rows
    notes: list[str] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    collected: Collected = field(init=False)
    part: Rows = field(init=False)
    decided: set[Any] = field(default_factory=set)

    def learn(self) -> None:
        """Run every candidate in every predictor's place; fit routers for each, and for those together that are told alike."""
        self.collected, self.part = self.trials.collect(self.examples), parts_of(self.examples)
        priced, incumbent = self.trials.priced, self.collected.incumbent
        datasets: dict[str, RoutingDataset] = {}
        for name, runs in self.collected.alone.items():
            data = dataset_of(name, runs, incumbent, priced, self.embedder)
            if data is None:
                self.notes.append(f"{name} was never asked anything, so it stays with {incumbent}")
            else:
                datasets[name] = data
        own = {name: place for name in datasets for name, place in self._places([name], datasets).items()}
        alike = {n: place for names in self._alike(datasets) for n, place in self._places(names, datasets).items()}
        self._add("routed", own)
        if alike:
            self._add("routed alike", {**own, **alike})

    def _add(self, label: str, places: Mapping[str, Place]) -> None:
        if places:
            family = Family(
                label=label, places=places, predictors=self.trials.building.predictors, collected=self.collected
            )
            self.families.append(family)

    def _places(self, names: Sequence[str], datasets: Mapping[str, RoutingDataset]) -> dict[str, Place]:
        """Return how these predictors are routed together; nothing, with a note, where there is too little to learn from."""
        told = " and ".join(names)
        examples = [np.array([int(one) for one in datasets[name].queries.ids], dtype=np.intp) for name in names]
        data = datasets[names[0]] if len(names) == 1 else joined([datasets[name] for name in names])
        _log.info("Learning from %d outcomes of %s.", len(data), told)
        try:
            crossed = Crossed.fit(self.router, data, self.part[np.concatenate(examples)])
        except DataError as error:
            self.notes.append(f"{told} has no router of its own: {error}")
            return {}
        rows = np.split(np.arange(len(data)), np.cumsum([len(one) for one in examples])[:-1])
        return {n: Place(crossed=crossed, rows=r, examples=e) for n, r, e in zip(names, rows, examples, strict=True)}

    def _alike(self, known: Mapping[str, Any]) -> list[list[str]]:
        """Return the predictors, two or more at a time, that have the same signature, demonstrations and fields to route on."""
        building = self.trials.building
        found: dict[str, list[str]] = {}
        for name, one in routed(building.student, on=building.on).named_predictors():
            if name in known:
                demos = [dict(demo) for demo in one.demos]
                key = digest(one.signature.dump_state(), demos, one.config, one.route_on)
                found.setdefault(key, []).append(name)
        return [names for names in found.values() if len(names) > 1]

    def proposals(self) -> list[Proposal]:
        """Return every setting worth measuring: single models, one for each predictor, cascades, and routers at a cost weight.

        Of settings that would choose alike for the examples one is enough.
        """
        incumbent, building = self.collected.incumbent, self.trials.building
        found = [self._fixed(Setting.uniform(name, building.predictors)) for name in self.trials.lms]
        for weight in self._weights():
            models = {name: self._best(name, weight) for name in building.predictors}
            if models not in [one.models for one in found]:
                found.append(self._fixed(Setting.fixed(models)))
        for name in self.trials.lms:
            if building.checks and self._cost(name) < self._cost(incumbent):
                asked = {
                    p: Cascade((name, incumbent)) if p in building.checks else incumbent for p in building.predictors
                }
                found.append(Proposal(setting=Setting(f"{name}, checked, then {incumbent}", asked), models={}))
        return [*found, *self.routings(self._weights())]

    def routings(self, weights: Sequence[float]) -> list[Proposal]:
        """Return the settings with routers at these weights of cost, but for those that would choose as others did before."""
        return [one for family in self.families for one in family.at(weights) if self._is_new(one)]

    def spending(self, usd: float) -> list[Candidate]:
        """Return the settings with routers that spend a mean budget, one for each family that can."""
        return [one for family in self.families for one in self._spending(family, usd)]

    def _spending(self, family: Family, usd: float) -> Iterator[Candidate]:
        """Yield the setting that is expected to spend a budget and, if it does not, the one that makes up for it."""
        asked = usd
        for _ in range(2):
            proposal = family.within(asked, self._weights())
            if proposal is None or not self._is_new(proposal):
                return
            found = self.candidate(proposal)
            yield found
            if not found.mean_cost_usd > 0:
                return
            asked = usd * mean(self.collected.expected(proposal.models)[1]) / found.mean_cost_usd

    def between(self, setting: Setting) -> list[float]:
        """Return weights of cost around the one that a setting's routers have, as far as its neighbours; [] if it has none."""
        points = [route.point for route in setting.routes.values() if isinstance(route, Learnt)]
        weights = self._weights()
        if not points or not points[0] or len(weights) < 3:  # noqa: PLR2004 - no step to refine
            return []
        step = weights[2] / weights[1]
        return [points[0] * step ** (i / (_FINER + 1)) for i in range(-_FINER, _FINER + 1) if i]

    def candidate(self, proposal: Proposal) -> Candidate:
        """Run the program at a setting on the held-out examples, and return what that and all the other runs say of it."""
        runs = self.trials.measure(proposal.setting, [self.examples[i] for i in self.held], self.part[self.held])
        priced, base, expected = self.trials.priced, self.collected.base, self.collected.expected(proposal.models)
        score = rectified(expected[0], base[0], priced.scores(runs), self.held)
        cost = rectified(expected[1], base[1], priced.costs(runs), self.held)
        return Candidate(proposal.setting, np.round(score, _DIGITS), cost)

    def final(self, settings: Sequence[Setting]) -> list[Setting]:
        """Return settings with routers that learnt from all examples, at weights at which they spend as much."""
        routes = [route for setting in settings for route in setting.routes.values() if isinstance(route, Learnt)]
        matched: dict[tuple[int, float], float] = {}
        for family in self.families:
            for router in {id(place.crossed): place.crossed for place in family.places.values()}.values():
                weights = sorted({route.point for route in routes if route.router is router.router})
                points = router.matched(weights)
                matched |= {(id(router.router), one): point for one, point in zip(weights, points, strict=True)}

        def learnt(route: Route) -> Route:
            return Learnt(route.router, matched[id(route.router), route.point]) if isinstance(route, Learnt) else route

        return [replace(one, routes={name: learnt(route) for name, route in one.routes.items()}) for one in settings]

    def shares(self, predictor: str, route: Learnt) -> dict[str, float]:
        """Return the share of a predictor's inputs that each model would get if they were new, the largest first."""
        places = (family.places[predictor] for family in self.families if predictor in family.places)
        place = next(one for one in places if one.crossed.router is route.router)
        chosen = Counter(place.crossed.unseen([route.point])[0][place.rows].tolist())
        return {name: count / chosen.total() for name, count in chosen.most_common()}

    def _is_new(self, proposal: Proposal) -> bool:
        choice = digest([names.tolist() for names in proposal.models.values()])
        new = choice not in self.decided
        self.decided.add(choice)
        return new

    def _fixed(self, setting: Setting) -> Proposal:
        return Proposal(setting=setting, models=dict(setting.routes))

    def _cost(self, name: str) -> float:
        found = mean(self.trials.priced.costs(self.collected.uniform[name]))
        return float(np.nan_to_num(found, nan=np.inf))

    def _weights(self) -> list[float]:
        cost = mean(self.collected.base[1])
        if not cost > 0:
            return [0.0]
        return [0.0, *(np.logspace(*_REACH, self.settings - 1) / cost).tolist()]

    def _best(self, predictor: str, weight: float) -> str:
        """Return the model of the highest mean quality − weight · cost in a predictor's place."""
        worth = {}
        for name in self.trials.lms:
            score, cost = (mean(one) for one in self.collected.expected({predictor: name}))
            worth[name] = float(np.nan_to_num(score - (weight * cost if weight else 0.0), nan=-np.inf))
        return min(worth, key=lambda name: (-worth[name], name))
