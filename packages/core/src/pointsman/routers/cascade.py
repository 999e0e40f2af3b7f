"""Cascade: call models in order, and stop at the first answer that is sure enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Gt, Len
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.confidence.base import Confidence, prefixes
from pointsman.confidence.held_out import held_out_scores
from pointsman.data.dataset import RoutingDataset, column_means
from pointsman.data.notes import tell_notes
from pointsman.data.queries import Queries
from pointsman.errors import ConfigError, DataError, NotFittedError, choices
from pointsman.estimators.base import Estimates, Estimator
from pointsman.models import ModelPool
from pointsman.routers.cascading import Cascading, Course
from pointsman.routers.economics import Rung, rungs_of
from pointsman.routers.ladder import ALWAYS, Ladder
from pointsman.routers.thresholds import Goal, Setting, search
from pointsman.types import Query

__all__ = ["Cascade"]

_POINTS = 33


class CascadeState(State):
    """The rungs in use with their thresholds, who was left out and why, and what every model scores and costs."""

    confidence: Confidence
    pool: ModelPool
    rungs: tuple[str, ...]
    thresholds: NDArray[np.float64]
    points: NDArray[np.float64]
    left_out: Mapping[str, str]
    estimates: NDArray[np.float64]
    foresight: Estimator | None
    worth: NDArray[np.float64]


class Cascade(Cascading):
    """Call models in order; accept an answer when its confidence reaches the rung's threshold, else go on to the next.

    Thresholds that are not given are set by constrained cost minimisation on held-out scores (as in UCCI, arXiv 2605.18796):
    the least mean cost that keeps a share of the best model's quality, or the best quality within a mean budget. A rung that
    costs more than it saves, p_esc ≥ 1 − (c_S + c_check) / c_L, is left out where the goal is met as well without it,
    altogether or, with `foresight`, for single queries; `left_out` and the decisions say so. With thresholds given and a
    confidence that does not learn, it works without `fit`. The operating point is one threshold for all rungs; above 1
    everything escalates.

    Parameters:
        order: The models, usually from the cheapest to the dearest.
        confidence: What scores an answer; cloned by `fit`.
        thresholds: One for each model but the last; None learns them.
        keep: Share of the mean quality of the best of these models to keep, where thresholds are learnt.
        budget_usd: Mean dollars per query to spend at most, instead of `keep`.
        foresight: Predicts from the query alone whether a rung's answer will be accepted; cloned by `fit`. It is heeded at the
            router's own setting.
        pool: What is known of the models; by default what the dataset says.
        folds: Parts that take turns at being held out, where the confidence learns.

    Raises:
        ConfigError: When the number of thresholds is not that of the models but one.
    """

    order: Annotated[tuple[str, ...], Len(1)]
    confidence: Confidence
    thresholds: tuple[float, ...] | None = None
    keep: Annotated[float, Gt(0)] = 1.0
    budget_usd: Annotated[float, Gt(0)] | None = None
    foresight: Estimator | None = None
    pool: ModelPool | None = None
    folds: Annotated[int, Ge(2)] = 5

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one with fixed thresholds, one that learns them, and one that looks ahead."""
        from pointsman.confidence.calibrated import Calibrated
        from pointsman.confidence.consistency import SelfConsistency
        from pointsman.confidence.verbalised import Verbalised
        from pointsman.estimators.domain import Domain
        from pointsman.features.lexical import Lexical

        order = ("small", "medium", "large")
        sampled = SelfConsistency(samples=2)
        table = Domain(features=Lexical(bits=10, components=4), prior=1.0)
        return (
            cls(order=order, confidence=Verbalised(), thresholds=(0.5, 0.7)),
            cls(order=order, confidence=Calibrated(confidence=sampled, prior=1.0), keep=0.9, folds=3),
            cls(order=("small", "large"), confidence=sampled, budget_usd=0.004, foresight=table),
        )

    def __post_init__(self) -> None:
        """Validate the parameters, and that thresholds and models go together."""
        super().__post_init__()
        if repeated := {name for name in self.order if self.order.count(name) > 1}:
            raise ConfigError(f"Cascade.order repeats {choices(repeated)}.")
        if self.thresholds is not None and len(self.thresholds) != len(self.order) - 1:
            raise ConfigError(
                f"Cascade.thresholds must be one for each model but the last, {len(self.order) - 1} in all, got "
                f"{self.thresholds}."
            )
        if self.pool is not None and (unknown := set(self.order) - set(self.pool)):
            raise ConfigError(f"Cascade.order names unknown model {choices(unknown)}; there are {choices(self.pool)}.")

    def fit(self, dataset: RoutingDataset) -> Self:
        """Fit the confidence and set the thresholds on its held-out scores; return self.

        Raises:
            DataError: When models are missing, or no answer has both a score and a quality.
        """
        tell_notes(dataset, type(self).__name__)
        if unknown := set(self.order) - set(dataset.models):
            raise DataError(f"The dataset has no model {choices(unknown)}; it has {choices(dataset.models)}.")
        data = dataset.canonical().only(self.order)
        return self.with_state(self._given(data) if self.thresholds is not None else self._learnt(data))

    def _given(self, data: RoutingDataset) -> CascadeState:
        assert self.thresholds is not None  # noqa: S101 - for the type checker
        return self._made(data, self.order, np.array(self.thresholds), {}, np.zeros(0), None, np.zeros(0))

    def _learnt(self, data: RoutingDataset) -> CascadeState:
        rungs, left_out = self.order, dict[str, str]()
        goal = self._goal(data)
        ladder, setting = self._measured(data, rungs, goal)
        if ladder.rungs > 1 and not (np.isfinite(ladder.score) & np.isfinite(ladder.quality[:, :-1])).any():
            raise DataError(
                f"No answer has both a score by {type(self.confidence).__name__} and a known quality, so thresholds cannot be "
                "learnt."
            )
        while (idle := _idle(rungs_of(ladder, setting.thresholds))) is not None:
            without = (*rungs[:idle], *rungs[idle + 1 :])
            again, other = self._measured(data, without, goal)
            if goal.rank(other.quality, other.cost_usd)[:2] < goal.rank(setting.quality, setting.cost_usd)[:2]:
                break
            left_out[rungs[idle]] = rungs_of(ladder, setting.thresholds)[idle].told(rungs[idle], rungs[idle + 1])
            rungs, ladder, setting = without, again, other
        limits = np.array(setting.thresholds)
        foresight, worth = self._foresee(data, rungs, ladder, limits)
        return self._made(data, rungs, limits, left_out, _points(ladder), foresight, worth)

    def _goal(self, data: RoutingDataset) -> Goal:
        if self.budget_usd is not None:
            return Goal(usd=self.budget_usd)
        if np.isnan(data.mean_quality).all():
            raise DataError(
                f"The quality of no answer of {choices(self.order)} is known, so thresholds cannot be learnt."
            )
        return Goal(quality=self.keep * float(np.nanmax(data.mean_quality)))

    def _measured(self, data: RoutingDataset, rungs: tuple[str, ...], goal: Goal) -> tuple[Ladder, Setting]:
        below = prefixes(rungs)[:-1]
        scored = held_out_scores(self.confidence, data, rungs, ran=below, folds=self.folds) if below else []
        ladder = Ladder.of(data, rungs, scored)
        return ladder, search(ladder, goal)

    def _foresee(
        self, data: RoutingDataset, rungs: tuple[str, ...], ladder: Ladder, limits: NDArray[np.float64]
    ) -> tuple[Estimator | None, NDArray[np.float64]]:
        """Learn who accepts what, and the share of acceptances from which on each rung pays: (c_S + c_check) / c_L."""
        if self.foresight is None or len(rungs) == 1:
            return None, np.zeros(0)
        told = np.logical_and.accumulate(ladder.kept[:, :-1], axis=1) | (limits == ALWAYS)
        quality = np.where(told, ladder.accepts(limits), np.nan)  # what was not kept might have been accepted
        accepted = replace(data.only(rungs[:-1]), quality=quality)
        found = rungs_of(ladder, limits.tolist())
        worth = [0.0 if not rung.rest_usd else rung.own_usd / rung.rest_usd for rung in found]
        return self.foresight.clone().fit(accepted), np.array(worth)

    def _made(
        self,
        data: RoutingDataset,
        rungs: tuple[str, ...],
        limits: NDArray[np.float64],
        left_out: Mapping[str, str],
        points: NDArray[np.float64],
        foresight: Estimator | None,
        worth: NDArray[np.float64],
    ) -> CascadeState:
        confidence = self.confidence.clone()
        unknown = np.full(len(data.models), np.nan)
        latency = unknown if data.latency_s is None else column_means(data.latency_s)
        return CascadeState(
            confidence=confidence.fit(data, rungs) if confidence.learns else confidence,
            pool=(self.pool or data.pool or ModelPool(data.models)).restrict(self.order),
            rungs=rungs,
            thresholds=limits,
            points=points,
            left_out=left_out,
            estimates=np.array([data.mean_quality, data.mean_cost_usd, latency]),
            foresight=foresight,
            worth=worth,
        )

    @property
    def _known(self) -> CascadeState | None:
        """What was learnt; None where nothing has to be."""
        if self.state_ is None and (self.thresholds is None or self.confidence.learns):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet; call fit first.")
        return None if self.state_ is None else self.fitted(CascadeState)

    @property
    def models(self) -> ModelPool:
        """The models of the order."""
        known = self._known
        return known.pool if known is not None else (self.pool or ModelPool(self.order)).restrict(self.order)

    @property
    def judge(self) -> Confidence:
        """The fitted confidence."""
        return self.confidence if self._known is None else self._known.confidence

    @property
    def left_out(self) -> Mapping[str, str]:
        """Models that are not worth calling first, each with the reason; they stand by for when the others fail."""
        return {} if self._known is None else self._known.left_out

    def course(self, point: float | None = None) -> Course:
        """Return the rungs, with the thresholds learnt or given, or with one threshold for all."""
        state = self._known
        rungs = self.order if state is None else state.rungs
        limits = (self.thresholds or ()) if state is None else tuple(state.thresholds.tolist())
        if point is not None:
            limits = (point,) * (len(rungs) - 1)
        return Course(rungs=rungs, thresholds=dict(zip(rungs, limits, strict=False)), standby=self.left_out)

    def points(self, queries: Queries) -> tuple[float, ...]:
        """Return thresholds between accepting everything and nothing: quantiles of the held-out scores."""
        del queries
        return () if self._known is None else tuple(self._known.points.tolist())

    def expected(self) -> Estimates | None:
        """Return the models' averages, where thresholds were learnt."""
        state = self._known
        if state is None or self.thresholds is not None:
            return None
        names = self.order
        at = [names.index(name) for name in sorted(names)]
        quality, cost, latency = state.estimates[:, None, at]
        return Estimates(models=tuple(sorted(names)), quality=quality, cost_usd=cost, latency_s=latency)

    def worth(self, query: Query, course: Course) -> Mapping[str, str]:
        """Return the rungs whose answer is so unlikely to be accepted that calling them first costs more than it saves."""
        state = self._known
        own = None if state is None else dict(zip(state.rungs, state.thresholds.tolist(), strict=False))
        if state is None or state.foresight is None or course.thresholds != own:
            return {}
        found = state.foresight.predict_one(query)
        chance = dict(zip(found.models, found.quality[0].tolist(), strict=True))
        return {
            name: f"its answer to this query is accepted with probability {chance[name]:.2f}, and pays from {least:.2f} on"
            for name, least in zip(state.rungs, state.worth.tolist(), strict=False)
            if not chance[name] > least
        }


def _idle(rungs: list[Rung]) -> int | None:
    """Return the first rung that does not pay."""
    return next((i for i, rung in enumerate(rungs) if not rung.pays), None)


def _points(ladder: Ladder) -> NDArray[np.float64]:
    score = ladder.score[np.isfinite(ladder.score)]
    inner = np.quantile(score, np.linspace(0, 1, _POINTS)) if len(score) else np.zeros(0)
    return np.unique(np.r_[0.0, inner, 1.5])
