"""RouteOptimizer: learns which language model each predictor of a DSPy program uses, and for which inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dspy
import numpy as np
from dspy import BaseLM
from dspy.teleprompt import Teleprompter
from numpy.typing import NDArray

from dspy_router.candidates import candidates_of
from dspy_router.checking import Check
from dspy_router.embedding import Embedder
from dspy_router.optimizing.choosing import Candidate, Chosen, Objective, choose, front
from dspy_router.optimizing.journal import Journal
from dspy_router.optimizing.kept_lm import KeptLM
from dspy_router.optimizing.learning import Learning
from dspy_router.optimizing.outcomes import Priced
from dspy_router.optimizing.report import RouteReport, row_of, told_route
from dspy_router.optimizing.running import Running, identity_of
from dspy_router.optimizing.scoring import Metric, Scorer
from dspy_router.optimizing.settings import Building, Learnt, Setting
from dspy_router.optimizing.trials import Trials
from pointsman.errors import ConfigError, choices
from pointsman.models import ModelPool
from pointsman.policies.budget import MeanBudget
from pointsman.policies.equal_quality import EqualQuality
from pointsman.policies.utility import Utility
from pointsman.pricing import PriceTable
from pointsman.routers.estimated import EstimatedRouter
from pointsman.selection.auto import AutoRouter

__all__ = ["RouteOptimizer"]

_FEWEST = 2


class RouteOptimizer(Teleprompter):
    """Learns a route for each predictor from the program's own metric, and keeps to the best single model where none helps.

    It runs the program with every candidate in every predictor's place, fits routers on each predictor's outcomes, runs the
    settings of the whole program on held-out examples, and chooses by the objective among those that are, as surely as asked,
    no worse than the best single model. Every example has its say, by routers that learnt without it; what is compiled has
    learnt from all of them. Prompts come first and routes last: a prompt that is changed afterwards is one that the routes
    were not learnt for.

    Parameters:
        candidates: The language models by name.
        metric: Takes an example and a prediction, and perhaps DSPy's further arguments; returns a number, a truth value or a
            `dspy.Prediction(score=..., feedback=...)`.
        objective: `EqualQuality()`, the best single model's metric for less; `MeanBudget(usd=...)`, the most for a mean cost
            of an example; or `Utility(cost_weight=λ)`, metric − λ·cost.
        pool: What is known about the candidates, above all their prices; without one, DSPy's estimate of a call counts.
        prices: A table for candidates whose price the pool does not know.
        on: The input fields to route on: for all predictors that have them, or by predictor's name. None is all fields.
        checks: `check(inputs, prediction)` by predictor's name: tells a good draft from a bad one, so that cascades from each
            cheaper model to the best one are tried, too.
        router: What is fitted for each predictor; its policy's operating point is a weight of cost.
        embedders: Embedders by name, for a router that asks for vectors; it learns from the one it names.
        scale: The lowest and the highest number that the metric returns.
        settings: How many weights of cost are tried, before those around the chosen one.
        cache_dir: Where every call and every run is kept, so that a compilation that was stopped goes on where it was; None
            keeps them in memory.
        num_threads: How many runs at once; None is DSPy's own setting.
        max_errors: How many runs may fail before all is given up; None is DSPy's own setting.
        display_progress: Whether DSPy shows a progress bar.
        held_out: The share of the training examples on which every setting is run, where there is no validation set.
        random_state: Seed of the draw of that share.

    Raises:
        ConfigError: If a candidate is no language model or unknown to the pool, or the router has no operating point.
    """

    def __init__(
        self,
        candidates: Mapping[str, BaseLM],
        metric: Metric,
        *,
        objective: Objective = EqualQuality(),  # noqa: B008 - frozen
        pool: ModelPool | None = None,
        prices: PriceTable | None = None,
        on: Mapping[str, Any] | Sequence[str] | str | None = None,
        checks: Mapping[str, Check] | None = None,
        router: EstimatedRouter | None = None,
        embedders: Mapping[str, Embedder] | None = None,
        scale: tuple[float, float] = (0.0, 1.0),
        settings: int = 12,
        cache_dir: str | Path | None = None,
        num_threads: int | None = None,
        max_errors: int | None = None,
        display_progress: bool = False,
        held_out: float = 0.4,
        random_state: int = 0,
    ) -> None:
        super().__init__()
        self.pool = ModelPool(candidates) if pool is None else pool.restrict(candidates)
        self.candidates = candidates_of(candidates, self.pool)
        self.scorer = Scorer(metric, scale)
        self.objective = objective
        self.priced = Priced(pool=self.pool, table=prices)
        self.on = on
        self.checks = dict(checks or {})
        self.router = AutoRouter(policy=Utility()) if router is None else router
        self.embedders = dict(embedders or {})
        self.settings = settings
        self.cache_dir = None if cache_dir is None else Path(cache_dir)
        self.parallel: dict[str, Any] = {"threads": num_threads, "max_errors": max_errors, "progress": display_progress}
        self.held_out = held_out
        self.random_state = random_state
        self._checked()

    def compile(
        self,
        student: dspy.Module,
        *,
        trainset: Sequence[Any],
        teacher: dspy.Module | None = None,
        valset: Sequence[Any] | None = None,
        **_: Any,
    ) -> Any:
        """Return a copy of the student with a route for each predictor.

        `route_report` on it tells what was found; `candidate_programs` holds the programs on the Pareto front of score and
        cost, the best first, as dictionaries of "program", "score", "cost_usd" and "name".

        Args:
            student: Any program; parts that are frozen as compiled stay as they are.
            trainset: The examples to learn from.
            teacher: Not used.
            valset: The examples on which every setting is run; without any, a share of the training examples. In the end
                they are learnt from, too.

        Raises:
            ConfigError: If there are too few examples, nothing to route, or a budget that cannot be met.
            UnknownCostError: If the objective needs costs that nobody knows.
        """
        examples, held = self._split(trainset, valset)
        building = Building(student=student, pool=self.pool, on=self.on, embedders=self.embedders, checks=self.checks)
        if not building.predictors:
            raise ConfigError("The program has no predictor that is free to be routed.")
        if unknown := set(self.checks) - set(building.predictors):
            known = choices(building.predictors)
            raise ConfigError(f"checks names the predictor {choices(unknown)}; the program has {known}.")
        learning = self._learning(building, examples, held)
        learning.learn()
        candidates = [learning.candidate(one) for one in learning.proposals()]
        if isinstance(self.objective, MeanBudget):
            candidates += learning.spending(self.objective.usd)
        chosen = choose(candidates, self.objective)
        finer = learning.routings(learning.between(chosen.candidate.setting))
        candidates += [learning.candidate(one) for one in finer]
        return self._compiled(learning, candidates, choose(candidates, self.objective))

    def _learning(self, building: Building, examples: Sequence[Any], held: NDArray[np.intp]) -> Learning:
        journal = Journal(None if self.cache_dir is None else self.cache_dir / "journal.jsonl")
        running = Running(
            identity=identity_of(building.student, self.on), scorer=self.scorer, journal=journal, **self.parallel
        )
        lms = {name: KeptLM(name, lm, journal) for name, lm in self.candidates.items()}
        return Learning(
            trials=Trials(building=building, running=running, priced=self.priced, lms=lms),
            router=self.router,
            embedder=None if self.router.embedder is None else self.embedders[self.router.embedder],
            settings=self.settings,
            examples=examples,
            held=held,
        )

    def _compiled(self, learning: Learning, candidates: Sequence[Candidate], chosen: Chosen) -> Any:
        best = front(candidates)
        mine, *final = learning.final([chosen.candidate.setting, *(one.setting for one in reversed(best))])
        program = self._program(learning, mine)
        program.route_report = self._report(learning, candidates, chosen, best)
        program.candidate_programs = [
            {
                "score": one.mean_score,
                "cost_usd": one.mean_cost_usd,
                "name": one.setting.name,
                "program": self._program(learning, setting),
            }
            for one, setting in zip(reversed(best), final, strict=True)
        ]
        return program

    def _program(self, learning: Learning, setting: Setting) -> Any:
        program = learning.trials.building.program(setting, self.candidates)
        program._compiled = True  # noqa: SLF001 - how DSPy says that prompts are not to be changed any more
        return program

    def _report(
        self,
        learning: Learning,
        candidates: Sequence[Candidate],
        chosen: Chosen,
        best: Sequence[Candidate],
    ) -> RouteReport:
        setting = chosen.candidate.setting
        ordered = sorted(candidates, key=lambda one: (one.mean_cost_usd, -one.mean_score))
        return RouteReport(
            objective=repr(self.objective),
            reference=chosen.reference.setting.name,
            chosen=setting.name,
            reason=chosen.reason,
            rows=tuple(row_of(one, chosen, best) for one in ordered),
            predictors={
                name: told_route(route, learning.shares(name, route) if isinstance(route, Learnt) else {})
                for name, route in setting.routes.items()
            },
            learnt_from=len(learning.examples),
            held_out=len(learning.held),
            calls=learning.trials.calls,
            spent_usd=learning.trials.spent_usd,
            notes=tuple(learning.notes),
        )

    def _split(self, trainset: Sequence[Any], valset: Sequence[Any] | None) -> tuple[list[Any], NDArray[np.intp]]:
        """Return all examples, and the rows of those on which settings are run."""
        train = list(trainset)
        if valset is not None:
            examples = [*train, *valset]
            held = np.arange(len(train), len(examples))
        else:
            examples, order = train, np.random.default_rng(self.random_state).permutation(len(train))
            held = np.sort(order[len(train) - round(self.held_out * len(train)) :])
        if len(examples) - len(held) < _FEWEST or len(held) < _FEWEST:
            raise ConfigError(
                f"{len(examples) - len(held)} examples to learn from and {len(held)} to choose by are too few; "
                f"{_FEWEST} of each are needed."
            )
        return examples, held

    def _checked(self) -> None:
        if len(self.candidates) < 2:  # noqa: PLR2004 - there is nothing to choose
            raise ConfigError(f"RouteOptimizer chooses among two candidates or more; got {choices(self.candidates)}.")
        if not isinstance(self.objective, Objective):
            raise ConfigError(f"objective must be an EqualQuality, a MeanBudget or a Utility, got {self.objective!r}.")
        if not isinstance(self.router.policy, Utility):
            raise ConfigError(
                "The router's policy must be a Utility, as its operating point is the weight of cost; "
                f"got {self.router!r}."
            )
        asked = self.router.embedder
        if asked is not None and asked not in self.embedders:
            raise ConfigError(
                f"The router asks for the embedder {asked!r}; embedders has {choices(self.embedders) or 'none'}."
            )
        if not 0 < self.held_out < 1:
            raise ConfigError(f"held_out must be a share between 0 and 1, got {self.held_out}.")
        if self.settings < 2:  # noqa: PLR2004 - quality alone, and one weight
            raise ConfigError(f"settings must be at least 2, got {self.settings}.")
