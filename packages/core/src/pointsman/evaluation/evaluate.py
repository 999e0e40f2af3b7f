"""evaluate: a router beside every honest baseline, with intervals and a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.evaluation.baselines import Method, always, random, zero_router
from pointsman.evaluation.curve import Curve
from pointsman.evaluation.informed import domain_table, oracle
from pointsman.evaluation.outcomes import known_mean
from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.power import queries_needed
from pointsman.evaluation.reference import Reference, reference_of
from pointsman.evaluation.replay import simulate
from pointsman.evaluation.report import Evaluation, MethodRow
from pointsman.evaluation.resampling import Resampling
from pointsman.evaluation.scoring import Board
from pointsman.evaluation.settings import settings_of
from pointsman.evaluation.verdict import verdict_of
from pointsman.routers.base import Router
from pointsman.types import Context

__all__ = ["evaluate"]


def evaluate(
    router: Router,
    test: RoutingDataset,
    *,
    train: RoutingDataset | None = None,
    validation: RoutingDataset | None = None,
    points: Sequence[float] | None = None,
    context: Context = Context(),  # noqa: B008 - frozen
    margin: float = 0.01,
    level: float = 0.95,
    draws: int = 1000,
    random_state: int = 0,
) -> Evaluation:
    """Return what a fitted router and the baselines score and cost on test queries, and what that comes to.

    Args:
        router: The router, fitted on other queries than the test ones.
        test: What everything is measured on. Rows of one group are resampled together.
        train: On which the baselines are chosen, together with `validation`; without either they are chosen on the test data.
        validation: On which settings are chosen: those on its quality-cost hull make the curve. Queries the router has been
            fitted on are no validation data.
        points: Operating points to sweep, in the unit of the router's policy; by default those the router names.
        context: In which every query is asked; its operating point is the router's own setting.
        margin: Quality that may be lost and still counts as equal.
        level: Coverage of the intervals, over test queries: the fitted router and the chosen settings stay what they are.
        draws: Bootstrap resamples.
        random_state: Their seed.

    Raises:
        ConfigError: When a number is out of range.
        DataError: When the test data are empty, have none of the router's models, or have models that `train` or
            `validation` lack.
    """
    _check(test, margin=margin, level=level, draws=draws)
    train, validation = (None if part is None else part.only(test.models) for part in (train, validation))
    reference = reference_of(test, train, validation)
    resampling = Resampling(group=test.group_of, draws=draws, random_state=random_state)
    board = Board.of(test, reference, validation, resampling=resampling, level=level)
    mine = simulate(router, test, context)
    curve = Curve.of(settings_of(router, test, validation, mine, reference.cheapest, points=points, context=context))
    baselines = _baselines(test, train, validation, reference.cheapest, board.zero, known_mean(mine.cost_usd))
    return _evaluation(board, reference, [Method.of("router", mine, curve), *baselines], margin)


def _evaluation(board: Board, reference: Reference, methods: list[Method], margin: float) -> Evaluation:
    """Score every method, the router first, and judge it."""
    rows = tuple(board.row(method) for method in methods)
    router, best = methods[0], reference.best_single
    difference = router.quality - board.best[0]
    return Evaluation(
        queries=len(board.test),
        groups=board.resampling.groups,
        models=board.test.models,
        best_single=best,
        cheapest=reference.cheapest,
        level=board.level,
        margin=margin,
        rows=rows,
        curves={method.name: _points(method.curve) for method in methods if method.curve is not None},
        settings=_settings(board, methods[0].curve),
        verdict=verdict_of(
            board.against_best(router.quality, router.cost_usd),
            rows[0].at_best,
            best_single=best,
            margin=margin,
            needed=queries_needed(difference, board.resampling, effect=margin, level=board.level),
        ),
        notes=(*reference.notes, *_gaps(board, rows[0])),
    )


def _baselines(
    test: RoutingDataset,
    train: RoutingDataset | None,
    validation: RoutingDataset | None,
    cheapest: str,
    zero: Curve | None,
    cost: float | None,
) -> Iterator[Method]:
    """Yield every baseline; the Zero router at the router's mean cost."""
    if zero is not None and cost is not None:
        yield zero_router(zero, cost)
    if train is not None and (table := domain_table(test, validation, train, cheapest)):
        yield table
    yield random(test)
    for model in test.models:
        yield Method.of(f"always {model}", always(model, test))
    yield oracle(test, validation, cheapest)


def _settings(board: Board, curve: Curve | None) -> tuple[Comparison, ...]:
    """Return the router's kept settings beside the best single model, in order of cost."""
    if curve is None:
        return ()
    return tuple(board.setting(curve, index) for index in _by_cost(curve))


def _by_cost(curve: Curve) -> list[int]:
    kept = curve.on_test[curve.kept]
    order: list[int] = curve.kept[np.lexsort((kept[:, 1], kept[:, 0]))].tolist()
    return order


def _points(curve: Curve) -> tuple[tuple[float, float], ...]:
    return tuple((cost, quality) for cost, quality in curve.on_test[_by_cost(curve)].tolist())


def _gaps(board: Board, router: MethodRow) -> Iterator[str]:
    """Say what the figures leave out, because nobody observed it or because it is undefined."""
    n, missing = len(board.test), float(np.isnan(board.test.quality).mean())
    if missing:
        yield f"{100 * missing:.1f} % of outcomes were never observed: methods are averaged over different queries."
    if router.unobserved:
        yield f"{router.unobserved} of the router's {n} answers have no known score."
    if router.unpriced:
        yield f"{router.unpriced} of the router's {n} answers have no known cost."
    if board.zero is not None and board.span is not None and board.zero.height(board.span) is None:
        yield f"No model costs less than {board.best_single}, so there is no interval of costs to average over."


def _check(test: RoutingDataset, *, margin: float, level: float, draws: int) -> None:
    if not len(test):
        raise DataError("There is nothing to evaluate on: the test data have no rows.")
    for name, value, ok in (
        ("margin", margin, 0 < margin < 1),
        ("level", level, 0 < level < 1),
        ("draws", draws, draws >= 100),  # noqa: PLR2004 - fewer have no quantiles
    ):
        if not ok:
            raise ConfigError(
                f"evaluate: {name} must be {'at least 100' if name == 'draws' else 'in (0, 1)'}, got {value}."
            )
