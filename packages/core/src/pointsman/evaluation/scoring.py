"""Scoring: one method's row, from what each test query scored and cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.evaluation.baselines import Method, always, single_models
from pointsman.evaluation.curve import Curve, Point, Span, aiq_gain
from pointsman.evaluation.outcomes import known_mean
from pointsman.evaluation.paired import Comparison, compare, interval_of
from pointsman.evaluation.reference import Reference
from pointsman.evaluation.report import MethodRow
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval, captured_headroom, choice_entropy, dearest_share, needless_strong_rate

__all__ = ["Board"]

Vector = NDArray[np.float64]
Pair = tuple[Vector, Vector]


@dataclass(frozen=True, kw_only=True, eq=False)
class Board:
    """What every method is held against.

    Parameters:
        test: The test queries' outcomes.
        best_single: The model to beat.
        target: Its validation quality; None without validation data.
        zero: The Zero router's curve; None where costs are unknown.
        resampling, level: The draws behind every interval, and its coverage.
    """

    test: RoutingDataset
    best_single: str
    target: float | None
    zero: Curve | None
    resampling: Resampling
    level: float

    @classmethod
    def of(
        cls,
        test: RoutingDataset,
        reference: Reference,
        validation: RoutingDataset | None,
        *,
        resampling: Resampling,
        level: float,
    ) -> Self:
        """Put up what was chosen on other data than the test."""
        best = reference.best_single
        return cls(
            test=test,
            best_single=best,
            target=None if validation is None else known_mean(always(best, validation).quality),
            zero=single_models(test, reference.data),
            resampling=resampling,
            level=level,
        )

    def row(self, method: Method) -> MethodRow:
        """Score a method."""
        curve = method.curve
        peak = None if curve is None else curve.peak
        at_best = None if curve is None or self.target is None else curve.cheapest_reaching(self.target)
        is_best = method.name == f"always {self.best_single}"
        return MethodRow(
            name=method.name,
            quality=interval_of(method.quality, self.resampling, level=self.level),
            cost_usd=known_mean(method.cost_usd),
            own=None if is_best else self.against_best(method.quality, method.cost_usd),
            aiq=None if curve is None or self.span is None else curve.height(self.span),
            aiq_gain=self._gain(curve),
            peak=None if curve is None or peak is None else self.setting(curve, peak),
            at_best=None if curve is None or at_best is None else self.setting(curve, at_best),
            regret=known_mean(self._oracle - method.quality),
            captured=self._captured(method.quality),
            shares=method.shares,
            unobserved=int(np.isnan(method.quality).sum()),
            unpriced=int(np.isnan(method.cost_usd).sum()),
            **self._collapse(method.model),
        )

    def against_best(self, quality: Vector, cost_usd: Vector, point: Point = None) -> Comparison:
        """Compare what each query scores and costs, shape (n,), with the best single model."""
        return compare((quality, cost_usd), self.best, self.resampling, level=self.level, operating_point=point)

    def setting(self, curve: Curve, index: int) -> Comparison:
        """Compare one setting of a curve with the best single model."""
        return self.against_best(curve.quality[:, index], curve.cost_usd[:, index], curve.points[index])

    @cached_property
    def best(self) -> Pair:
        """Quality and cost of the best single model on each query."""
        found = always(self.best_single, self.test)
        return found.quality, found.cost_usd

    @cached_property
    def span(self) -> Span | None:
        """The costs over which curves are averaged; None where the ends are unknown."""
        if np.isnan(self.test.mean_cost_usd).all() or np.isnan(self.best[1]).all():
            return None
        return Span(low=always(self.test.cheapest, self.test).cost_usd, high=self.best[1])

    @cached_property
    def _oracle(self) -> Vector:
        """The best observed outcome of each query; NaN where nothing was observed."""
        known: Vector = np.where(np.isnan(self.test.quality), -np.inf, self.test.quality).max(axis=1)
        return np.where(np.isfinite(known), known, np.nan)

    def _gain(self, curve: Curve | None) -> Interval | None:
        if curve is None or self.zero is None or self.span is None or curve is self.zero:
            return None
        return aiq_gain(curve, self.zero, self.span, self.resampling, self.level)

    def _captured(self, quality: Vector) -> float | None:
        known = np.isfinite(quality) & np.isfinite(self.best[0])
        if not known.any():
            return None
        reached, best, top = (float(values[known].mean()) for values in (quality, self.best[0], self._oracle))
        return captured_headroom(reached, best, max(top, best))

    def _collapse(self, model: NDArray[np.intp] | None) -> dict[str, float | None]:
        """Return the measures of collapse, for choices of single models."""
        nothing: dict[str, float | None] = dict.fromkeys(("entropy", "dearest_share", "needless_strong"))
        if model is None or not (model >= 0).any():
            return nothing
        answered, cost = model >= 0, self.test.mean_cost_usd
        found = nothing | {"entropy": choice_entropy(model[answered], len(self.test.models))}
        if np.isnan(cost).any():
            return found
        complete = answered & np.isfinite(self.test.quality).all(axis=1)
        found["dearest_share"] = dearest_share(model[answered], cost)
        if complete.any():
            found["needless_strong"] = needless_strong_rate(model[complete], self.test.quality[complete], cost)
        return found
