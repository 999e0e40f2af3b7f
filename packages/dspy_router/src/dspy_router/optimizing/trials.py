"""Trials: a program run with every candidate in every predictor's place, and at settings as it would be used."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dspy_router.optimizing.collected import Collected
from dspy_router.optimizing.crossed import Rows
from dspy_router.optimizing.journal import digest
from dspy_router.optimizing.kept_lm import KeptLM
from dspy_router.optimizing.outcomes import Priced, mean
from dspy_router.optimizing.running import Measured, Running
from dspy_router.optimizing.settings import Building, Setting

__all__ = ["Trials"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Runs the programs of one student.

    Parameters:
        building: The student and the candidates.
        running: What runs programs.
        priced: What calls cost.
        lms: The candidates, whose calls are kept.
    """

    building: Building
    running: Running
    priced: Priced
    lms: Mapping[str, KeptLM]

    def collect(self, examples: Sequence[Any]) -> Collected:
        """Run every candidate in every predictor's place, the others' being the best single model's."""
        names, predictors = list(self.lms), self.building.predictors
        uniform: dict[str, list[Measured]] = {}
        for name in names:
            _log.info("Running the program with %s everywhere.", name)
            uniform[name] = self._bare(dict.fromkeys(predictors, name), examples)
        incumbent = min(names, key=lambda name: (*self._rank(uniform[name]), name))
        alone: dict[str, dict[str, list[Measured]]] = {}
        for predictor in predictors:
            alone[predictor] = {incumbent: uniform[incumbent]}
            for name in names:
                if name != incumbent:
                    _log.info("Running the program with %s as %s, %s elsewhere.", name, predictor, incumbent)
                    models = {**dict.fromkeys(predictors, incumbent), predictor: name}
                    alone[predictor][name] = self._bare(models, examples)
        return Collected(incumbent=incumbent, uniform=uniform, alone=alone, priced=self.priced)

    def measure(self, setting: Setting, examples: Sequence[Any], part: Rows) -> list[Measured]:
        """Run the program at a setting as it would be used, each example by routers that learnt without its part (n,)."""
        _log.info("Measuring: %s.", setting.name)
        found: dict[int, Measured] = {}
        for k in np.unique(part):
            rows, mine = np.flatnonzero(part == k).tolist(), setting.without(int(k))
            key = digest("as used", mine.key, {name: lm.key for name, lm in self.lms.items()})
            program = self.building.program(mine, self.lms)
            runs = self.running.measure(program, key, [examples[i] for i in rows])
            found |= dict(zip(rows, runs, strict=True))
        return [found[i] for i in range(len(examples))]

    @property
    def calls(self) -> int:
        """How many calls had to be made."""
        return sum(len(lm.made) for lm in self.lms.values())

    @property
    def spent_usd(self) -> float | None:
        """What they cost; None is unknown."""
        costs = [self.priced.call(lm.name, usage, estimate) for lm in self.lms.values() for usage, estimate in lm.made]
        return None if any(np.isnan(cost) for cost in costs) else float(sum(costs))

    def _bare(self, models: Mapping[str, str], examples: Sequence[Any]) -> list[Measured]:
        key = digest("bare", {predictor: self.lms[name].key for predictor, name in models.items()})
        return self.running.measure(self.building.bare(models, self.lms), key, examples)

    def _rank(self, runs: Sequence[Measured]) -> tuple[float, float]:
        """Return what sorts the best model first, and of equals the cheapest."""
        return -mean(self.priced.scores(runs)), float(np.nan_to_num(mean(self.priced.costs(runs)), nan=np.inf))
