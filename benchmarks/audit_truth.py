"""What full data show about a sample of them: the figures that an audit of the sample should have told.

A finite set stands for all the queries that may come. Sample and rest are drawn from it without replacement, so an error
against the rest is larger than against all the queries that may come, by sqrt(N / (N - n)); `Truth.scale` undoes that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from protocol import load

from pointsman.data import RoutingDataset
from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import first_choice
from pointsman.features.lexical import Lexical
from pointsman.policies.utility import Utility
from pointsman.selection.auditing.crossfit import CrossFit
from pointsman.selection.auditing.trial import fits_for

Rows = NDArray[np.intp]
Vector = NDArray[np.float64]
PARTS = {"routellm_mmlu": ("routellm", "mmlu-"), "routellm_gsm8k": ("routellm", "gsm")}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """A set of outcomes that samples are drawn from, with lexical features learnt once in the place of embeddings."""

    data: RoutingDataset

    @classmethod
    def read(cls, name: str) -> Population:
        """Read a set, or a part of one."""
        source, prefix = PARTS.get(name, (name, ""))
        data = load(source)
        data = data.take(np.flatnonzero([key.startswith(prefix) for key in data.queries.ids])).canonical()
        plain = replace(data.queries, embeddings=None)
        return cls(data=replace(data, queries=replace(plain, embeddings=Lexical().fit_transform(plain))))

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Return n rows at random (whole groups, so up to a group more), and the rest."""
        group = self.data.group_of
        order = np.argsort(rng.permutation(int(group.max()) + 1)[group], kind="stable")
        while n < len(order) and group[order[n]] == group[order[n - 1]]:
            n += 1
        return order[:n], order[n:]

    def shuffled(self, rng: np.random.Generator) -> Population:
        """Return the same outcomes for other texts: a control where no router can gain anything."""
        rows = rng.permutation(len(self.data))
        quality, cost = self.data.quality[rows], self.data.cost_usd[rows]
        return Population(data=replace(self.data, quality=quality, cost_usd=cost))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Routed:
    """How a router does on the rest: its difference, row by row, to the sample's best single model, and its relative cost."""

    difference: Vector
    relative_cost: float
    quality: float
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """The rest of the set, and the routers that are fitted on the sample, tried on it."""

    rest: RoutingDataset
    scale: float
    best: int
    first: dict[str, Routed]
    frugal: dict[str, Routed]

    @classmethod
    def of(cls, population: Population, drawn: Rows, rest: Rows) -> Truth:
        """Fit every simple router on the whole sample, and try it on the rest."""
        sample, held = population.data.take(drawn).canonical(), population.data.take(rest)
        best = sample.models.index(sample.best_single)
        first, frugal = {}, {}
        for name, fit in fits_for(sample).items():
            found = fit(sample)(held)
            first[name] = _routed(held, best, _picks(found, 0.0))
            point = CrossFit.of(fit, sample, 0).thrifty()
            frugal[name] = _routed(held, best, np.full(len(held), best) if point is None else _picks(found, point))
        return cls(
            rest=held,
            scale=float(np.sqrt(len(rest) / len(population.data))),
            best=best,
            first=first,
            frugal=frugal,
        )


def _picks(found: Estimates, point: float) -> Rows:
    return first_choice(Utility().scores(found, point), found.cost_usd)


def _routed(held: RoutingDataset, best: int, picks: Rows) -> Routed:
    n = np.arange(len(held))
    quality, cost = held.quality[n, picks], held.cost_usd[n, picks]
    return Routed(
        difference=quality - held.quality[:, best],
        relative_cost=float(cost.mean() / held.cost_usd[:, best].mean()),
        quality=float(quality.mean()),
        cost=float(cost.mean()),
    )
