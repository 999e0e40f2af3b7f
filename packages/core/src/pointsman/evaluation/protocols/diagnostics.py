"""Diagnostics: whether a fitted router still chooses, and whether what it expects comes true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
from pointsman.evaluation.plain import plain
from pointsman.evaluation.protocols.calibration import Calibration, calibration
from pointsman.evaluation.protocols.trial import Bootstrap
from pointsman.evaluation.reference import reference_of
from pointsman.evaluation.replay import simulate, simulate_sweep
from pointsman.evaluation.resampling import Resampling
from pointsman.evaluation.scoring import Board
from pointsman.metrics import Interval, proportion_interval
from pointsman.routers.base import Router
from pointsman.routers.estimated import EstimatedRouter, EstimatedState

__all__ = ["ChoicePoint", "Diagnosis", "diagnose", "estimates_of"]

Matrix = NDArray[np.float64]
_SHOWN_POINTS = 6
_BIN, _MOST_BINS = 30, 20  # queries in a bin of the coverage check, and bins per model at most
_MOST_DRAWN = 2000  # queries of that check: draws are large


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
        elsewhere: The same difference for the model chosen alone, of the queries sent elsewhere than to the best single model.
        coverage: How often the mean quality of a bin of queries lies in the interval of the estimates' draws (whose level is
            `level`), run noise allowed for, on at most 2,000 of the queries; None for estimates without draws.
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
    elsewhere: Calibration | None
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
    validation: RoutingDataset | None = None,
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
        validation: The same, together with the training data.
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
    known = [None if part is None else part.only(test.models) for part in (train, validation)]
    reference = reference_of(test, *known)
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
        elsewhere=None if scored is None else scored.of_elsewhere(mine, resampling, level),
        coverage=_coverage(router, test, board.best_single, level, random_state),
    )


def estimates_of(router: Router, queries: Queries) -> Estimates | None:
    """Return what a fitted router expects of every model on n queries; None where it expects nothing.

    An `EstimatedRouter` is asked for everything at once; any other router query by query, by its decisions.
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


def _coverage(router: Router, test: RoutingDataset, best: str, level: float, random_state: int) -> Interval | None:
    """Return how often draws cover what was observed, on queries from all over the test data."""
    if not isinstance(router, EstimatedRouter):
        return None
    some = test.take(np.unique(np.linspace(0, len(test) - 1, _MOST_DRAWN).round().astype(np.intp)))
    estimator = router.fitted(EstimatedState).estimator
    draw: Callable[[Queries], Estimates] = getattr(estimator, "draw", estimator.predict)
    return _Expected.of(draw(some.queries), some, best).coverage(level, random_state)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Expected:
    """Expected and observed quality of the m models that router and test data share, shape (n, m); draws (s, n, m) if any."""

    models: tuple[str, ...]
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
            models=tuple(shared),
            expected=found.quality[:, mine],
            observed=test.only(shared).quality,
            best=shared.index(best) if best in shared else -1,
            draws=None if found.draws is None else found.draws[:, :, mine],
        )

    def of_all(self, resampling: Resampling, level: float) -> Calibration | None:
        """Calibrate the expected quality of every model."""
        return calibration(self.expected, self.observed, low=0, resampling=resampling, level=level)

    def of_chosen(self, mine: Outcomes, resampling: Resampling, level: float) -> Calibration | None:
        """Calibrate the expected quality of the model that was chosen."""
        expected, observed = self._of(mine)
        return calibration(expected, observed, low=0, resampling=resampling, level=level)

    def of_contrasts(self, resampling: Resampling, level: float) -> Calibration | None:
        """Calibrate the expected difference of every other model to the best single one."""
        if self.best < 0 or self.expected.shape[1] < 2:  # noqa: PLR2004 - a difference takes two
            return None
        others = [j for j in range(self.expected.shape[1]) if j != self.best]
        expected, observed = (values[:, others] - values[:, [self.best]] for values in (self.expected, self.observed))
        return calibration(expected, observed, low=-1, resampling=resampling, level=level)

    def of_elsewhere(self, mine: Outcomes, resampling: Resampling, level: float) -> Calibration | None:
        """Calibrate the expected difference of the chosen model to the best single one, where they are two."""
        if self.best < 0:
            return None
        expected, observed = (
            chosen - values[:, [self.best]]
            for chosen, values in zip(self._of(mine), (self.expected, self.observed), strict=True)
        )
        elsewhere = self._columns(mine)[:, None] != self.best
        return calibration(np.where(elsewhere, expected, np.nan), observed, low=-1, resampling=resampling, level=level)

    def _columns(self, mine: Outcomes) -> NDArray[np.intp]:
        """Return the column of each chosen model, shape (n,); -1 where the answer is no single model's."""
        column = np.array([*(self.models.index(n) if n in self.models else -1 for n in mine.models), -1], dtype=np.intp)
        return column[mine.model]

    def _of(self, mine: Outcomes) -> tuple[Matrix, Matrix]:
        """Return what was expected and observed of the chosen models, shape (n, 1) each."""
        column = self._columns(mine)
        rows, one = np.arange(len(column)), (column >= 0)[:, None]
        expected, observed = (
            np.where(one, values[rows, column][:, None], np.nan) for values in (self.expected, self.observed)
        )
        return expected, observed

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
