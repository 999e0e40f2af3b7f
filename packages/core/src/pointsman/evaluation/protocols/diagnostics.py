"""Diagnostics: whether a fitted router still chooses, and whether what it expects comes true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.errors import DataError
from pointsman.estimators.base import Estimates
from pointsman.evaluation.baselines import Method
from pointsman.evaluation.outcomes import Outcomes, known_mean
from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.plain import plain
from pointsman.evaluation.protocols.trial import Bootstrap
from pointsman.evaluation.reference import reference_of
from pointsman.evaluation.replay import simulate, simulate_sweep
from pointsman.evaluation.resampling import Resampling
from pointsman.evaluation.scoring import Board
from pointsman.metrics import Interval, ece_equal_mass, proportion_interval
from pointsman.routers.base import Router
from pointsman.routers.estimated import EstimatedRouter, EstimatedState

__all__ = ["Calibration", "ChoicePoint", "Diagnosis", "diagnose", "estimates_of"]

Matrix = NDArray[np.float64]
_SHOWN_POINTS = 6
_BIN, _MOST_BINS = 30, 20  # queries in a bin of the coverage check, and bins per model at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Whether what was expected came true, over all pairs of a query and a model that were observed.

    Parameters:
        bias: Mean of expected minus observed.
        error: Mean over bins of equal mass of |mean expected − mean observed|.
        slope: Of observed on expected: 1 is right, below 1 is overconfident; None where all expectations are alike.
    """

    bias: Interval | None
    error: float
    slope: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePoint:
    """How a router chooses at one operating point."""

    point: float
    quality: float | None
    cost_usd: float | None
    entropy: float | None
    dearest_share: float | None
    needless_strong: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What there is to know about a fitted router on test data besides its gain.

    Parameters:
        level: Coverage of the intervals.
        queries: Test queries.
        shares: Share of queries that each model answers.
        entropy: Of the choices, in bits; `most_entropy` is that of choosing every model equally often.
        dearest_share: Share of queries sent to the dearest model.
        needless_strong: How often it called the dearest model although a cheaper one was as good.
        points: The same at operating points from one end to the other: collapse shows where money is not short.
        expected: Calibration of expected quality; None where the router expects nothing.
        chosen: The same for the model chosen alone: what is chosen for being expected best is expected too well.
        contrasts: The same for the difference to the best single model, which is what choices rest on.
        coverage: How often the mean quality of a bin of queries lies in the interval of the estimates' draws (whose level is
            `level`), run noise allowed for; None for estimates without draws.
    """

    level: float
    queries: int
    shares: Mapping[str, float]
    entropy: float | None
    most_entropy: float
    dearest_share: float | None
    needless_strong: float | None
    points: tuple[ChoicePoint, ...]
    expected: Calibration | None
    chosen: Calibration | None
    contrasts: Calibration | None
    coverage: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = plain(self)
        return data

    def __str__(self) -> str:
        from pointsman.evaluation.protocols.tables import diagnosis_text

        return diagnosis_text(self)


def diagnose(
    router: Router,
    test: RoutingDataset,
    *,
    train: RoutingDataset | None = None,
    level: float = 0.95,
    draws: int = 1000,
    random_state: int = 0,
) -> Diagnosis:
    """Return signs of collapse and of miscalibration of a fitted router on queries it was not fitted on.

    Collapse is measured as in 2602.03478, at several operating points; calibration by equal-mass bins (1904.01685).

    Args:
        router: A fitted router.
        test: Outcomes.
        train: On which the best single model is chosen; without it, on the test data.
        level: Coverage of the intervals.
        draws: Bootstrap resamples, at least 100.
        random_state: The seed of everything.

    Raises:
        DataError: The test data are empty.
    """
    if not len(test):
        raise DataError("There is nothing to diagnose on: the test data have no rows.")
    bootstrap, test = Bootstrap(level=level, draws=draws, random_state=random_state), test.canonical()
    resampling = bootstrap.over(test)
    reference = reference_of(test, None if train is None else train.only(test.models), None)
    board = Board.of(test, reference, None, resampling=resampling, level=level)
    mine = simulate(router, test)
    row = board.row(Method.of("router", mine))
    found = estimates_of(router, test.queries)
    scored = None if found is None else _Expected.of(found, test, board.best_single)
    return Diagnosis(
        level=level,
        queries=len(test),
        shares=mine.shares,
        entropy=row.entropy,
        most_entropy=log2(len(test.models)),
        dearest_share=row.dearest_share,
        needless_strong=row.needless_strong,
        points=tuple(_choice_points(router, test, board)),
        expected=None if scored is None else scored.of_all(resampling, level),
        chosen=None if scored is None else scored.of_chosen(mine, resampling, level),
        contrasts=None if scored is None else scored.of_contrasts(resampling, level),
        coverage=None if scored is None else scored.coverage(level, random_state),
    )


def estimates_of(router: Router, queries: Queries) -> Estimates | None:
    """Return what a fitted router expects of every model on n queries; None where it expects nothing.

    An `EstimatedRouter` is asked for everything at once, draws included; any other router query by query, by its decisions.
    """
    if isinstance(router, EstimatedRouter):
        return router.fitted(EstimatedState).estimator.draw(queries)
    made = [router.decide(query) for query in queries]
    names = router.models.names
    quality, cost = np.full((len(made), len(names)), np.nan), np.full((len(made), len(names)), np.nan)
    for i, decision in enumerate(made):
        for j, name in enumerate(names):
            if (known := decision.estimates.get(name)) is not None:
                quality[i, j] = np.nan if known.quality is None else known.quality
                cost[i, j] = np.nan if known.cost_usd is None else known.cost_usd
    return Estimates(models=names, quality=quality, cost_usd=cost) if np.isfinite(quality).any() else None


def _choice_points(router: Router, test: RoutingDataset, board: Board) -> Iterator[ChoicePoint]:
    points = sorted(set(router.points(test.queries)))
    if not points:
        return
    shown = [points[i] for i in np.unique(np.linspace(0, len(points) - 1, _SHOWN_POINTS).round().astype(int))]
    for point, found in zip(shown, simulate_sweep(router, test, shown), strict=True):
        row = board.row(Method.of("router", found))
        yield ChoicePoint(
            point=point,
            quality=known_mean(found.quality),
            cost_usd=row.cost_usd,
            entropy=row.entropy,
            dearest_share=row.dearest_share,
            needless_strong=row.needless_strong,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Expected:
    """Expected and observed quality, shape (n, m), in the test data's order of models; draws (s, n, m) where there are any."""

    expected: Matrix
    observed: Matrix
    best: int
    draws: Matrix | None

    @classmethod
    def of(cls, found: Estimates, test: RoutingDataset, best: str) -> _Expected:
        column = {name: j for j, name in enumerate(found.models)}
        shared = [name for name in test.models if name in column]
        mine = [column[name] for name in shared]
        return cls(
            expected=found.quality[:, mine],
            observed=test.only(shared).quality,
            best=shared.index(best) if best in shared else -1,
            draws=None if found.draws is None else found.draws[:, :, mine],
        )

    def of_all(self, resampling: Resampling, level: float) -> Calibration | None:
        """Calibrate the expected quality of every model."""
        return _calibration(np.clip(self.expected, 0, 1), self.observed, (0, 1), resampling, level)

    def of_chosen(self, mine: Outcomes, resampling: Resampling, level: float) -> Calibration | None:
        """Calibrate the expected quality of the model that was chosen."""
        if (mine.model < 0).any() or len(mine.models) != self.expected.shape[1]:
            return None
        rows = np.arange(len(mine))
        expected = np.clip(self.expected[rows, mine.model], 0, 1)[:, None]
        return _calibration(expected, self.observed[rows, mine.model][:, None], (0, 1), resampling, level)

    def of_contrasts(self, resampling: Resampling, level: float) -> Calibration | None:
        """Calibrate the expected difference of every other model to the best single one."""
        if self.best < 0 or self.expected.shape[1] < 2:  # noqa: PLR2004 - a difference takes two
            return None
        others = [j for j in range(self.expected.shape[1]) if j != self.best]
        expected, observed = (values[:, others] - values[:, [self.best]] for values in (self.expected, self.observed))
        return _calibration(np.clip(expected, -1, 1), observed, (-1, 1), resampling, level)

    def coverage(self, level: float, random_state: int) -> Interval | None:
        """Return the share of bins of queries whose observed mean lies in the interval of the draws' means."""
        if self.draws is None:
            return None
        rng = np.random.default_rng(random_state)
        bins = ((j, rows) for j in range(self.expected.shape[1]) for rows in self._bins(j) if len(rows) > 1)
        inside = [self._covers(rows, j, level, rng) for j, rows in bins]
        return proportion_interval(sum(inside), len(inside), level) if inside else None

    def _bins(self, model: int) -> list[NDArray[np.intp]]:
        """Return rows of like expectation, about equally many in each bin."""
        known = np.flatnonzero(np.isfinite(self.observed[:, model]))
        order = known[np.argsort(self.expected[known, model], kind="stable")]
        return np.array_split(order, max(1, min(_MOST_BINS, len(order) // _BIN)))

    def _covers(self, rows: NDArray[np.intp], model: int, level: float, rng: np.random.Generator) -> bool:
        assert self.draws is not None  # noqa: S101 - for the type checker
        drawn = self.draws[:, rows, model].mean(axis=1)
        # What was observed differs from its expectation by the noise of single runs as well.
        noise = float((self.observed[rows, model] - self.expected[rows, model]).std(ddof=1)) / np.sqrt(len(rows))
        low, high = np.quantile(drawn + rng.normal(0, noise, len(drawn)), [(1 - level) / 2, (1 + level) / 2])
        return bool(low <= self.observed[rows, model].mean() <= high)


def _calibration(
    expected: Matrix, observed: Matrix, bounds: tuple[float, float], resampling: Resampling, level: float
) -> Calibration | None:
    """Hold (n, k) expectations against outcomes on the same scale; None where no pair is known."""
    known = np.isfinite(expected) & np.isfinite(observed)
    if not known.any():
        return None
    x, y, (low, high) = expected[known], observed[known], bounds
    gaps = np.where(known, expected - observed, 0.0).sum(axis=1)
    per_query = np.divide(gaps, known.sum(axis=1), out=np.full(len(known), np.nan), where=known.any(axis=1))
    spread = float(((x - x.mean()) ** 2).sum())
    return Calibration(
        bias=interval_of(per_query, resampling, level=level, low=low - high, high=high - low),
        error=(high - low) * ece_equal_mass((x - low) / (high - low), (y - low) / (high - low)),
        slope=float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 1e-12 else None,  # noqa: PLR2004 - rounding
    )
