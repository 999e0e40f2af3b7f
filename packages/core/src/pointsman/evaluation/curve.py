"""Curve: what one method reaches at each of its settings, and its mean height over an interval of costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import column_means
from pointsman.evaluation.outcomes import Outcomes
from pointsman.evaluation.resampling import Resampling, percentile_interval
from pointsman.metrics import Interval, area, cheapest_setting, hull, peak_setting

__all__ = ["ROUNDING", "Curve", "Point", "Setting", "Span", "aiq_gain"]

ROUNDING = 1e-12
"""Means that differ by less are equal but for the order in which they were added up."""

Matrix = NDArray[np.float64]
Point = float | str | None
Setting = tuple[Point, Sequence[Outcomes]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Span:
    """The interval of costs over which curves are averaged, by the cost of two models on each of n test queries.

    It runs from the mean cost of `low`, the cheapest model, to that of `high`, the best single one.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """k settings of one method, with what each query scores and costs at each.

    Parameters:
        points: The operating points; a model's name where that model answers everything, None where there is no such point.
        quality, cost_usd: On the test queries, shape (n, k).
        on_val: Mean (cost, quality) on validation data, shape (k, 2); None without any, and then every setting counts.
    """

    points: tuple[Point, ...]
    quality: Matrix
    cost_usd: Matrix
    on_val: Matrix | None

    @classmethod
    def of(cls, settings: Iterable[Setting]) -> Curve | None:
        """Collect settings, each with its outcomes on the test data and perhaps on validation data, leaving out repeats.

        None when no setting has a known mean quality and cost.
        """
        kept = list(_distinct(settings))
        if not kept:
            return None
        val = [_mean_point(parts[1]) for _, parts in kept if len(parts) > 1]
        return cls(
            points=tuple(point for point, _ in kept),
            quality=np.column_stack([parts[0].quality for _, parts in kept]),
            cost_usd=np.column_stack([parts[0].cost_usd for _, parts in kept]),
            on_val=np.array(val) if val else None,
        )

    @property
    def on_test(self) -> Matrix:
        """Mean (cost, quality) of every setting on the test queries, shape (k, 2)."""
        return np.column_stack([column_means(self.cost_usd), column_means(self.quality)])

    @property
    def kept(self) -> NDArray[np.intp]:
        """The settings on the hull of the validation points; all of them without validation data."""
        return np.arange(len(self.points)) if self.on_val is None else hull(self.on_val)

    @property
    def peak(self) -> int | None:
        """The setting of highest validation quality; None without validation data."""
        return None if self.on_val is None else peak_setting(self.on_val)

    def cheapest_reaching(self, quality: float) -> int | None:
        """Return the cheapest setting whose validation quality reaches a target; None if none does, or without validation."""
        return None if self.on_val is None else cheapest_setting(self.on_val, quality - ROUNDING)

    def height(self, span: Span) -> float | None:
        """Return AIQ: the mean height of the test curve through the kept settings; None over an empty interval."""
        low, high = column_means(np.column_stack([span.low, span.high])).tolist()
        if not low < high:
            return None
        cost, quality = self.on_test[self.kept].T
        return area(cost, quality, low, high)

    def heights(self, span: Span, resampling: Resampling) -> NDArray[np.float64]:
        """Return the resampled heights, the kept settings staying what they are, shape (draws,); NaN where undefined."""
        kept = self.kept
        columns = np.column_stack([self.cost_usd[:, kept], self.quality[:, kept], span.low, span.high])
        drawn, k = resampling.means(columns), len(kept)
        low, high = drawn[:, 2 * k], drawn[:, 2 * k + 1]
        defined = (low < high) & np.isfinite(drawn).all(axis=1)
        found = np.full(len(drawn), np.nan)
        found[defined] = _areas(drawn[defined, :k], drawn[defined, k : 2 * k], low[defined], high[defined])
        return found


def _areas(cost: Matrix, quality: Matrix, low: Matrix, high: Matrix) -> Matrix:
    """Return `metrics.area` of d curves at once: points (d, k), each curve's interval (d,) not empty; shape (d,)."""
    order = np.lexsort((quality, cost), axis=-1)
    x, y = (np.take_along_axis(values, order, axis=1) for values in (cost, quality))
    inside = np.clip(x, low[:, None], high[:, None])
    steps, rises = np.diff(x, axis=1), np.diff(y, axis=1)
    slope = np.divide(rises, steps, out=np.zeros_like(steps), where=steps > 0)
    heights = [y[:, :-1] + slope * (ends - x[:, :-1]) for ends in (inside[:, :-1], inside[:, 1:])]
    joined = (np.diff(inside, axis=1) * (heights[0] + heights[1])).sum(axis=1) / 2
    # Flat outside the first and the last point.
    flat = (inside[:, 0] - low) * y[:, 0] + (high - inside[:, -1]) * y[:, -1]
    total: Matrix = (joined + flat) / (high - low)
    return total


def aiq_gain(curve: Curve, zero: Curve, span: Span, resampling: Resampling, level: float) -> Interval | None:
    """Return how much higher a curve is on average than another, with a paired bootstrap interval."""
    mine, theirs = curve.height(span), zero.height(span)
    if mine is None or theirs is None:
        return None
    return percentile_interval(mine - theirs, curve.heights(span, resampling) - zero.heights(span, resampling), level)


def _distinct(settings: Iterable[Setting]) -> Iterator[Setting]:
    """Yield the settings that answer at least one query in another way than those before, with known means."""
    seen: set[tuple[bytes, ...]] = set()
    for point, parts in settings:
        key = tuple(column.tobytes() for part in parts for column in (part.quality, part.cost_usd))
        if key in seen or not all(np.isfinite(_mean_point(part)).all() for part in parts):
            continue
        seen.add(key)
        yield point, parts


def _mean_point(outcomes: Outcomes) -> Matrix:
    return column_means(np.column_stack([outcomes.cost_usd, outcomes.quality]))
