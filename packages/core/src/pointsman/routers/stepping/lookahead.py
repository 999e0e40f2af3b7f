"""Lookahead: what another answer is worth, all later choices included, at any price on cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.estimators.answer_posterior import AnswerPosterior
from pointsman.routers.stepping.actions import Actions
from pointsman.routers.stepping.said import Said
from pointsman.routers.stepping.standing import Standing

__all__ = ["PREMIUM", "Lookahead", "Training"]

Matrix = NDArray[np.float64]

PREMIUM = 0.01
"""Quality that going on has to promise beyond its cost: of several uncertain promises the best is overrated."""

_RIDGE = 3.0
_DOUBT = np.array([10.0, 0.5, 10.0])  # against bending a promise by a constant, a factor and the probability in hand


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Training:
    """Queries all of whose answers are known, of k models.

    Parameters:
        quality, spending, waiting: Expected quality, cost and seconds, held out, shape (n, k).
        cost_usd, latency_s: What the calls really cost, and the seconds they took, shape (n, k).
        said: What the models answered.
        right: Which answers are right, shape (n, k).
    """

    quality: Matrix
    spending: Matrix
    waiting: Matrix
    cost_usd: Matrix
    latency_s: Matrix
    said: Said
    right: NDArray[np.bool_]


class Lookahead(State):
    """For every subset of models that has answered, the expected gain of asking each other one, or several at once.

    The values are those of a plan that goes on as well as it knows how, found by backward induction over subsets with
    regression (Longstaff and Schwartz, 2001): from the largest subset down, asking a model was worth, on training queries,
    what came of it under the choices made from there on. That is regressed twice: as the posterior has it, which is smooth,
    on the state; then what really came of it, on that promise, so that no optimism of the posterior is believed.

    `promise` holds arrays (a, g, d) and `bend` arrays (a, g, 3), one per subset, for `actions` and the g cost weights of
    `grid`. What a second is worth is the same at all of them; models asked at once take as long as the slowest.
    """

    actions: Actions
    haste: float
    grid: Matrix
    promise: tuple[Matrix, ...]
    bend: tuple[Matrix, ...]

    @classmethod
    def fit(cls, posterior: AnswerPosterior, training: Training, grid: Matrix, *, haste: float = 0.0) -> Self:
        """Learn from training queries at these cost weights, ascending, when a second is worth `haste` in quality.

        Without haste nobody is asked together: to ask one after the other takes no more calls, and may take fewer.
        """
        k = training.quality.shape[1]
        actions = Actions.of(k, together=haste > 0)
        promise, bend = [np.zeros(0)] * (1 << k), [np.zeros(0)] * (1 << k)
        worth: dict[int, tuple[Matrix, Matrix]] = {}
        for subset in sorted(range(1 << k), key=lambda each: (-each.bit_count(), each)):
            standing = Standing.after(subset, posterior, training.quality, training.said)
            in_hand = _in_hand(standing, training)
            value, promise[subset], bend[subset] = _follow(
                subset, standing, in_hand, worth, training, _Toll(grid=grid, haste=haste, actions=actions)
            )
            worth[subset] = value
        return cls(actions=actions, haste=haste, grid=grid, promise=tuple(promise), bend=tuple(bend))

    def gains(self, subset: int, standing: Standing, weight: float) -> Matrix:
        """Return the expected gain (n, a) of each action over the largest `standing.before`, its own cost not deducted.

        Between the cost weights that were learnt for, the gain is interpolated; beyond them, the last one holds.
        """
        last = len(self.grid) - 1
        inside = min(max(weight, 0.0), float(self.grid[last]))
        low = min(int(np.searchsorted(self.grid, inside, side="right")) - 1, max(last - 1, 0))
        part = (inside - float(self.grid[low])) / float(self.grid[low + 1] - self.grid[low]) if last else 0.0
        found = self._at(subset, standing, low)
        return found if not part else (1 - part) * found + part * self._at(subset, standing, low + 1)

    def _at(self, subset: int, standing: Standing, place: int) -> Matrix:
        promised = (standing.state[:, None, :] * self.promise[subset][:, place]).sum(axis=2)
        return _bent(promised, self.actions.most(standing.before), self.bend[subset][:, place].T)


def _bent(promised: Matrix, before: Matrix, bend: Matrix) -> Matrix:
    gain: Matrix = bend[0] + bend[1] * promised + bend[2] * before
    return gain


def _in_hand(standing: Standing, training: Training) -> tuple[Matrix, Matrix]:
    """Return the probability that the answer in hand is right, and whether it is, shape (n,); 0 without an answer."""
    if standing.belief is None:
        return np.zeros(len(training.quality)), np.zeros(len(training.quality))
    code = standing.belief.code
    hit = (code >= 0) & training.right[np.arange(len(code)), code]
    return standing.belief.probability, hit.astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Toll:
    """What actions take, at g cost weights, from the cost and the seconds of k models."""

    grid: Matrix
    haste: float
    actions: Actions

    def of(self, cost_usd: Matrix, seconds: Matrix, action: int) -> Matrix:
        """Return the quality that an action's cost and waiting are worth, shape (n, g)."""
        asked = self.actions.asks[action]
        paid: Matrix = self.grid * cost_usd[:, asked].sum(axis=1, keepdims=True)
        return paid + self.haste * seconds[:, asked].max(axis=1, keepdims=True) if self.haste else paid


def _follow(
    subset: int,
    standing: Standing,
    in_hand: tuple[Matrix, Matrix],
    worth: dict[int, tuple[Matrix, Matrix]],
    training: Training,
    toll: _Toll,
) -> tuple[tuple[Matrix, Matrix], Matrix, Matrix]:
    """Return what the subset is worth under the best choice, expected and real, (n, g), then promises and bends of actions."""
    g, actions = len(toll.grid), toll.actions
    promise, bend = np.zeros((len(actions), g, standing.state.shape[1])), np.zeros((len(actions), g, 3))
    held, real = (np.repeat(each[:, None], g, axis=1) for each in in_hand)
    best = np.full(held.shape, PREMIUM if subset else -np.inf)
    inverse = np.linalg.inv(standing.state.T @ standing.state + _RIDGE * np.eye(standing.state.shape[1]))
    before_all = actions.most(standing.before)
    for i in range(len(actions)):
        if subset & actions.bits(i):
            continue
        later, came = worth[subset | actions.bits(i)]
        before = before_all[:, [i]]
        promise[i] = (inverse @ (standing.state.T @ (later - before))).T
        promised = standing.state @ promise[i].T
        bend[i] = _bending(promised, before[:, 0], came - (in_hand[1][:, None] if subset else before))
        expected = toll.of(training.spending, training.waiting, i)
        gain = _bent(promised, before, bend[i].T) + (0 if subset else before) - expected
        paid, better = toll.of(training.cost_usd, training.latency_s, i), gain > best
        best = np.where(better, gain, best)
        held, real = np.where(better, later - paid, held), np.where(better, came - paid, real)
    return (held, real), promise, bend


def _bending(promised: Matrix, before: Matrix, came: Matrix) -> Matrix:
    """Return how far promises (n, g) hold, shape (g, 3): came = a + b·promised + c·before, shrunken to a = c = 0, b = 1."""
    bend = np.zeros((promised.shape[1], 3))
    for i in range(len(bend)):
        told = np.stack([np.ones(len(before)), promised[:, i], before], axis=1)
        start = np.array([0.0, 1.0, 0.0])
        bend[i] = np.linalg.solve(told.T @ told + np.diag(_DOUBT), told.T @ came[:, i] + _DOUBT * start)
    return bend
