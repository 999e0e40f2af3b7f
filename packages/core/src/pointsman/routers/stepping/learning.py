"""Learning a cascade: whom to ask, what their answers are worth, and the price on cost that keeps the best model's quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.confidence.base import Confidence
from pointsman.data.dataset import RoutingDataset
from pointsman.data.equivalence import Equivalence, coded
from pointsman.errors import UnknownCostError
from pointsman.estimators.answer_posterior import AnswerPosterior
from pointsman.estimators.base import Estimates
from pointsman.policies.equal_quality import EqualQuality
from pointsman.routers.stepping.budgeting import weight_within
from pointsman.routers.stepping.curated import curated
from pointsman.routers.stepping.honesty import Honesty
from pointsman.routers.stepping.lookahead import Lookahead, Training
from pointsman.routers.stepping.reader import READINGS, Reader
from pointsman.routers.stepping.said import Said, told_in
from pointsman.routers.stepping.walking import Walk, Walked

__all__ = ["Aim", "Lesson", "cost_weights", "rightly", "timed"]

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

_WEIGHTS = 29
_AS_GOOD = EqualQuality()
_RIGHT = 0.5  # an answer is right when its quality is above this


class Aim(NamedTuple):
    """What a cascade has to keep to: a mean cost in US dollars, None for none, and the quality that a second is worth."""

    budget_usd: float | None = None
    haste: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """What a dataset teaches a cascade: the columns worth asking, the posterior and the lookahead over them, honesty and λ.

    `reader` is what reads their answers, None where they are only compared.
    """

    columns: tuple[int, ...]
    reader: Reader | None
    posterior: AnswerPosterior
    lookahead: Lookahead
    honesty: Honesty
    cost_weight: float

    @classmethod
    def of(
        cls,
        data: RoutingDataset,
        held: Estimates,
        equivalence: Equivalence,
        size: int,
        confidence: Confidence | None = None,
        folds: int = 5,
        aim: Aim = Aim(),  # noqa: B008 - immutable
    ) -> Self:
        """Learn from data in canonical order, and estimates of its rows by parts that had not seen them.

        A confidence reads every answer by itself; its scores are held out in `folds` parts. With a budget to aim at, λ is the
        one that keeps to it, without one the one that keeps the best model's quality.
        """
        codes = _codes(data, equivalence)
        columns = curated(held.quality, data.quality, data.mean_cost_usd, codes, rightly(codes, data.quality), size)
        quality, codes, worth = data.quality[:, columns], codes[:, columns], held.quality[:, columns]
        reader = None
        if confidence is not None:
            reader, worth = Reader.fit(confidence, data.only([data.models[j] for j in columns]), worth, folds)
        known: Mask = np.asarray(np.isfinite(quality).all(axis=1) & np.isfinite(held.quality[:, columns]).all(axis=1))
        real, expected = data.cost_usd[known][:, columns], held.cost_usd[known][:, columns]
        right = rightly(codes[known], quality[known])
        training = _training(data, held, columns, known, Said(codes=codes[known], worth=worth[known]), right)
        grid = cost_weights(real) if np.isfinite(expected).all() else np.zeros(1)
        posterior = AnswerPosterior.fit(training.quality, training.said.codes, right, training.said.worth)
        lookahead = Lookahead.fit(posterior, training, grid, haste=aim.haste)
        rules = Walk(
            posterior=posterior,
            lookahead=lookahead,
            quality=training.quality,
            spending=training.spending,
            weight=0.0,
            waiting=training.waiting if aim.haste else None,
            readings=() if reader is None else READINGS,
        )
        ends = _ends(rules, training)
        told = ((ended.confidence, _came(ended, training)) for ended in ends)
        return cls(
            columns=tuple(columns),
            reader=reader,
            posterior=posterior,
            lookahead=lookahead,
            honesty=Honesty.fit(grid, told),
            cost_weight=_equal_quality(grid, ends, quality[known], data.group_of[known])
            if aim.budget_usd is None
            else weight_within(aim.budget_usd, rules, training, _priced(data, columns)),
        )


def cost_weights(cost_usd: Matrix) -> Matrix:
    """Return the cost weights to learn for, ascending from 0; (0,) where a model's cost is unknown or nothing.

    At the lowest positive one a call of the dearest model is worth a fifth of a point of quality; at the highest what the next
    model costs beyond the cheapest one, or that one's own cost, is worth twice all there is, so that hardly anybody else is
    asked.
    """
    known = np.isfinite(cost_usd)
    mean = np.where(known, cost_usd, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    if not (known.any(axis=0).all() and mean.min(initial=np.inf) > 0):
        return np.zeros(1)
    apart = np.diff(np.sort(mean)[:2]).sum()
    weights: Matrix = np.r_[0.0, np.geomspace(0.002 / mean.max(), 2 / max(mean.min(), apart), _WEIGHTS - 1)]
    return weights


def rightly(codes: Codes, quality: Matrix) -> NDArray[np.bool_]:
    """Return which answers are right, shape (n, m): those whose mean quality, over all who gave them, is above a half.

    >>> rightly(np.array([[0, 1, 0], [0, -1, 2]]), np.array([[0.0, 1.0, 0.0], [0.2, 0.0, 0.4]])).tolist()
    [[False, True, False], [False, False, False]]
    """
    same = (codes[:, :, None] == codes[:, None, :]) & (codes[:, None, :] >= 0) & np.isfinite(quality)[:, None, :]
    mean = (same * np.nan_to_num(quality)[:, None, :]).sum(axis=2) / np.maximum(same.sum(axis=2), 1)
    right: NDArray[np.bool_] = (mean > _RIGHT) & (codes >= 0)
    return right


def _codes(data: RoutingDataset, equivalence: Equivalence) -> Codes:
    """Return who said what; without recorded answers, every answer is one of its own."""
    if data.answers is not None or data.responses is not None:
        return coded(told_in(data), equivalence)
    own = np.tile(np.arange(len(data.models), dtype=np.intp), (len(data), 1))
    return np.where(np.isfinite(data.quality), own, -1)


def _training(
    data: RoutingDataset, held: Estimates, columns: list[int], known: Mask, said: Said, right: Mask
) -> Training:
    """Return what is known of the queries whose outcomes are all known."""
    expected, waiting = held.cost_usd[known][:, columns], timed(held, columns)[known]
    return Training(
        quality=held.quality[known][:, columns],
        spending=np.nan_to_num(expected),
        waiting=waiting,
        cost_usd=np.nan_to_num(_filled(data.cost_usd[known][:, columns], expected)),
        latency_s=waiting if data.latency_s is None else _filled(data.latency_s[known][:, columns], waiting),
        said=said,
        right=right,
    )


def _priced(data: RoutingDataset, columns: list[int]) -> Matrix:
    """Return the mean costs of these columns, shape (k,); raise UnknownCostError where one is unknown."""
    price = data.mean_cost_usd[columns]
    if unknown := [data.models[j] for j, usd in zip(columns, price.tolist(), strict=True) if isnan(usd)]:
        raise UnknownCostError(unknown, "a cascade with a budget")
    return price


def timed(found: Estimates, columns: Sequence[int]) -> Matrix:
    """Return the expected seconds of these models, shape (n, k); an unknown time counts as the longest, and if all are as 0."""
    if found.latency_s is None:
        return np.zeros((len(found), len(columns)))
    seconds = found.latency_s[:, list(columns)]
    return _filled(
        seconds, np.repeat(np.nan_to_num(np.fmax.reduce(seconds, axis=1, keepdims=True)), len(columns), axis=1)
    )


def _filled(values: Matrix, other: Matrix) -> Matrix:
    return np.where(np.isnan(values), other, values)


def _ends(rules: Walk, training: Training) -> list[Walked]:
    """Return where the training queries end at each learnt cost weight."""
    everyone = np.ones(training.quality.shape, dtype=np.bool_)
    return [replace(rules, weight=weight).through(training.said, everyone) for weight in rules.lookahead.grid.tolist()]


def _came(ended: Walked, training: Training) -> Matrix:
    """Return whether the answers given were right, shape (n,)."""
    return training.right[np.arange(len(ended.model)), ended.model].astype(np.float64)


def _equal_quality(grid: Matrix, ends: Sequence[Walked], quality: Matrix, groups: Codes) -> float:
    """Return the highest cost weight that was good enough beside the best model.

    Where none was, the mean has to do: the highest weight that gives up no more than the tolerance of the best
    model's quality, or of the most that any weight reached where that is less.
    """
    if not len(quality):
        return 0.0
    best, rows = quality[:, quality.mean(axis=0).argmax()], np.arange(len(quality))
    gains = [quality[rows, ended.model] - best for ended in ends]
    enough = [_AS_GOOD.good_enough(gain, groups) for gain in gains]
    means = np.array([gain.mean() for gain in gains])
    kept = enough if any(enough) else means >= min(means.max(), 0.0) - _AS_GOOD.tolerance
    return float(grid[np.flatnonzero(kept)[-1]])
