"""RiskControlledCascade: a cascade whose threshold comes with a guarantee on how much worse than a reference it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Self

import numpy as np
from annotated_types import Ge, Gt, Lt, MinLen
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.confidence.base import Confidence, prefixes
from pointsman.data.dataset import RoutingDataset, column_means
from pointsman.data.notes import tell_notes
from pointsman.data.splits import grouped_split
from pointsman.errors import ConfigError, DataError, choices
from pointsman.metrics.risk import (
    rows_for_certainty,
    rows_for_expectation,
    settings_in_expectation,
    settings_with_certainty,
)
from pointsman.models import ModelPool
from pointsman.routers.cascading import Cascading, Course
from pointsman.routers.ladder import NEVER, Ladder
from pointsman.types import Context, Decision, Query

__all__ = ["Guarantee", "RiskControlledCascade", "settings"]

Vector = NDArray[np.float64]
_STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """What is promised of new queries like those it was made on, and what that leaves.

    Parameters:
        epsilon: The bound on the expected loss: how much lower a query's quality is than the reference's, 0 where it is not.
        delta: The probability with which the calibration set may have misled it; None bounds the mean over calibration sets.
        reference: The model that losses are measured against.
        threshold: What every rung's confidence must reach; infinite where nothing is accepted.
        queries: Calibration queries, those of one group counted once.
        loss, saving: Mean loss at the threshold, and the share of the reference's cost that is saved, on those queries; None
            where costs are unknown, or nothing.
    """

    epsilon: float
    delta: float | None
    reference: str
    threshold: float
    queries: int
    loss: float
    saving: float | None

    def __str__(self) -> str:
        sure = "on average over calibration sets" if self.delta is None else f"with probability {1 - self.delta:g}"
        left = "an unknown saving" if self.saving is None else f"{self.saving:.1%} of its cost saved"
        return (
            f"at most {self.epsilon:g} worse than {self.reference} in expectation, {sure}; {left} "
            f"({self.queries} calibration queries, threshold {self.threshold:.3g})"
        )


class RiskState(State):
    """The fitted confidence, the pool, the rungs in use, and the guarantee in numbers; NaN is unknown."""

    confidence: Confidence
    pool: ModelPool
    rungs: tuple[str, ...]
    threshold: float
    queries: int
    loss: float
    saving: float


class RiskControlledCascade(Cascading):
    """Call models in order with the lowest common threshold at which the loss against a reference is provably small.

    The loss of a query is how much lower its quality is than that of the reference's answer, and 0 where it is not; what the
    cascade does better elsewhere does not make up for it. Without `delta` the expected loss is at most epsilon on average over
    calibration sets (conformal risk control, arXiv 2208.02814); with it, this calibration set's threshold is good with
    probability 1 − delta (learn then test, arXiv 2110.01052). Both hold for queries exchangeable with the calibration set's,
    whatever the confidence is worth: where it proves too little to save anything, the reference answers alone, and `guarantee`
    says so. A part of the data is kept for calibration, by groups; the rest teaches the confidence. Another operating point, or
    a rung that cannot serve, is outside the guarantee, and the decision says so.

    Parameters:
        order: The models; the last is called when no other is sure enough.
        confidence: What scores an answer; cloned by `fit`.
        epsilon: The largest expected loss.
        delta: The largest probability of exceeding it, or None.
        reference: The model to measure against; by default the last.
        share: Share of the groups that calibrate, where the confidence learns; else all do.
        random_state: Seed of that split.
    """

    order: Annotated[tuple[str, ...], MinLen(2)]
    confidence: Confidence
    epsilon: Annotated[float, Gt(0), Lt(1)] = 0.02
    delta: Annotated[float, Gt(0), Lt(1)] | None = None
    reference: str | None = None
    share: Annotated[float, Gt(0), Lt(1)] = 0.5
    random_state: Annotated[int, Ge(0)] = 0

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one of each kind, with bounds that forty queries can prove."""
        from pointsman.confidence.calibrated import Calibrated
        from pointsman.confidence.consistency import SelfConsistency

        sampled = SelfConsistency(samples=2)
        return (
            cls(order=("small", "large"), confidence=sampled, epsilon=0.2),
            cls(order=("small", "medium", "large"), confidence=Calibrated(confidence=sampled), epsilon=0.4, delta=0.2),
        )

    def __post_init__(self) -> None:
        """Validate the parameters, and that the reference is one of the models."""
        super().__post_init__()
        if repeated := {name for name in self.order if self.order.count(name) > 1}:
            raise ConfigError(f"RiskControlledCascade.order repeats {choices(repeated)}.")
        if self.reference is not None and self.reference not in self.order:
            raise ConfigError(
                f"RiskControlledCascade.reference must be one of {choices(self.order)}, got {self.reference!r}."
            )

    def fit(self, dataset: RoutingDataset) -> Self:
        """Fit the confidence on one part and find the threshold on the other; return self.

        Raises:
            DataError: When models are missing, when the calibration queries are too few for such a bound, or when not even
                calling the last model always keeps it; the message says what is lacking.
        """
        tell_notes(dataset, type(self).__name__)
        if unknown := set(self.order) - set(dataset.models):
            raise DataError(f"The dataset has no model {choices(unknown)}; it has {choices(dataset.models)}.")
        data = dataset.canonical().only(self.order)
        confidence, calibration = self.confidence.clone(), data
        if confidence.learns:
            calibration, rest = grouped_split(data, (self.share, 1 - self.share), random_state=self.random_state)
            confidence = confidence.fit(rest, self.order)
        scored = [confidence.recorded(calibration, ran) for ran in prefixes(self.order)[:-1]]
        threshold, queries, loss, saving = self._calibrated(calibration, Ladder.of(calibration, self.order, scored))
        pool = (data.pool or ModelPool(data.models)).restrict(self.order)
        rungs = self.order
        if saving <= 0 or threshold == NEVER:  # drafts that pay for nothing: the reference alone keeps any bound
            rungs, threshold, loss, saving = (self.reference or self.order[-1],), NEVER, 0.0, 0.0
        return self.with_state(
            RiskState(
                confidence=confidence,
                pool=pool,
                rungs=rungs,
                threshold=threshold,
                queries=queries,
                loss=loss,
                saving=saving,
            )
        )

    def _calibrated(self, data: RoutingDataset, ladder: Ladder) -> tuple[float, int, float, float]:
        """Return the threshold, the number of calibration queries, and the mean loss and the saving there."""
        reference = self.order.index(self.reference or self.order[-1])
        limits = settings()
        climbs = [ladder.climb([limit] * (ladder.rungs - 1)) for limit in limits]
        losses = np.column_stack([np.maximum(ladder.quality[:, reference] - c.quality, 0) for c in climbs])
        known = np.isfinite(losses).all(axis=1)
        grouped = _by_group(losses[known], data.group_of[known])
        if not len(grouped):
            raise DataError(
                f"No query has an answer on record of each of {choices(self.order)} with a known quality; nothing can be "
                "proved."
            )
        self._refuse_too_few(len(grouped))
        passed = (
            settings_in_expectation(grouped, self.epsilon)
            if self.delta is None
            else settings_with_certainty(grouped, self.epsilon, self.delta)
        )
        if not passed:
            raise DataError(
                f"Even always calling {self.order[-1]} loses {grouped[:, 0].mean():.3f} against {self.order[reference]} "
                f"on {len(grouped)} calibration queries, which does not prove a loss of at most {self.epsilon:g}."
            )
        cost = column_means(np.column_stack([climb.cost_usd[known] for climb in climbs[:passed]]))
        best = passed - 1 if np.isnan(cost).any() else int(np.argmin(cost))
        full = float(column_means(ladder.cost_usd[known, reference, None])[0])
        saving = 1 - float(cost[best]) / full if full else np.nan  # of what costs nothing nothing can be saved
        return limits[best], len(grouped), float(grouped[:, best].mean()), saving

    def _refuse_too_few(self, queries: int) -> None:
        least = rows_for_expectation(self.epsilon)
        if self.delta is not None:
            least = rows_for_certainty(self.epsilon, self.delta)
        if queries < least:
            raise DataError(
                f"A loss of at most {self.epsilon:g} takes at least {least} calibration queries to prove, even if none of "
                f"them loses anything; there are {queries}, so {least - queries} are missing. Bring more, or allow more loss."
            )

    @property
    def models(self) -> ModelPool:
        """The models of the order."""
        return self.fitted(RiskState).pool

    @property
    def judge(self) -> Confidence:
        """The fitted confidence."""
        return self.fitted(RiskState).confidence

    @property
    def guarantee(self) -> Guarantee:
        """What is promised, and the saving that it leaves."""
        state = self.fitted(RiskState)
        return Guarantee(
            epsilon=self.epsilon,
            delta=self.delta,
            reference=self.reference or self.order[-1],
            threshold=state.threshold,
            queries=state.queries,
            loss=state.loss,
            saving=None if np.isnan(state.saving) else state.saving,
        )

    def course(self, point: float | None = None) -> Course:
        """Return all rungs with the threshold of the guarantee, or with another one."""
        state = self.fitted(RiskState)
        rungs, limit = (state.rungs, state.threshold) if point is None else (self.order, point)
        others = {name: "calling it pays for nothing under the guarantee" for name in self.order if name not in rungs}
        thresholds = dict.fromkeys(rungs[:-1], limit)
        return Course(rungs=rungs, thresholds=thresholds, standby=others, note=str(self.guarantee))

    def decide(self, query: Query, context: Context = Context()) -> Decision:  # noqa: B008 - frozen
        """Return the first rung that can serve the query, and whether the guarantee holds for it."""
        decision = super().decide(query, context)
        broken = [f"{name} is left out" for name in self.fitted(RiskState).rungs if name in decision.excluded]
        if context.operating_point is not None:
            broken.append("another operating point than the fitted one is in force")
        told = tuple(f"outside the guarantee: {why}" for why in broken)
        return replace(decision, degraded=(*decision.degraded, *told)) if told else decision


def settings() -> list[float]:
    """Return the thresholds that are tried, the safest first; they are the same whatever the data say."""
    return [NEVER, *np.linspace(1, 0, _STEPS + 1).tolist()]


def _by_group(losses: Vector, groups: NDArray[np.int64]) -> Vector:
    """Return the mean loss of each group, shape (g, k): queries of one group tell as much as one."""
    _, code = np.unique(groups, return_inverse=True)
    count = np.bincount(code)
    totals = np.zeros((len(count), losses.shape[1]))
    np.add.at(totals, code, losses)
    means: Vector = totals / np.maximum(count, 1)[:, None]
    return means
