"""Lookahead: what another answer is worth, all later choices included, at any price on cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.estimators.answer_posterior import AnswerPosterior
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
        quality, spending: Expected quality and cost, held out, shape (n, k).
        cost_usd: What the calls really cost, shape (n, k).
        said: What the models answered.
        right: Which answers are right, shape (n, k).
    """

    quality: Matrix
    spending: Matrix
    cost_usd: Matrix
    said: Said
    right: NDArray[np.bool_]


class Lookahead(State):
    """For every subset of models that has answered, the expected gain of asking each other one.

    The values are those of a plan that goes on as well as it knows how, found by backward induction over subsets with
    regression (Longstaff and Schwartz, 2001): from the largest subset down, asking a model was worth, on training queries,
    what came of it under the choices made from there on. That is regressed twice: as the posterior has it, which is smooth,
    on the state; then what really came of it, on that promise, so that no optimism of the posterior is believed.

    `promise` holds arrays (k, g, d) and `bend` arrays (k, g, 3), one per subset, for the g cost weights of `grid`.
    """

    grid: Matrix
    promise: tuple[Matrix, ...]
    bend: tuple[Matrix, ...]

    @classmethod
    def fit(cls, posterior: AnswerPosterior, training: Training, grid: Matrix) -> Self:
        """Learn from training queries at these cost weights, ascending."""
        k = training.quality.shape[1]
        promise, bend = [np.zeros(0)] * (1 << k), [np.zeros(0)] * (1 << k)
        worth: dict[int, tuple[Matrix, Matrix]] = {}
        for subset in sorted(range(1 << k), key=lambda each: (-each.bit_count(), each)):
            standing = Standing.after(subset, posterior, training.quality, training.said)
            promise[subset] = np.zeros((k, len(grid), standing.state.shape[1]))
            bend[subset] = np.zeros((k, len(grid), 3))
            held, real = _in_hand(standing, training)
            worth[subset] = _follow(
                subset, standing, (held, real), worth, training, grid, promise[subset], bend[subset]
            )
        return cls(grid=grid, promise=tuple(promise), bend=tuple(bend))

    def gains(self, subset: int, standing: Standing, weight: float) -> Matrix:
        """Return the expected gain (n, k) of asking each model over `standing.before`, its own cost not deducted.

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
        return _bent(promised, standing.before, self.bend[subset][:, place].T)


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


def _follow(
    subset: int,
    standing: Standing,
    in_hand: tuple[Matrix, Matrix],
    worth: dict[int, tuple[Matrix, Matrix]],
    training: Training,
    grid: Matrix,
    promise: Matrix,
    bend: Matrix,
) -> tuple[Matrix, Matrix]:
    """Fill in `promise` and `bend`; return what the subset is worth under the best choice, expected and real, (n, g)."""
    held, real = (np.repeat(each[:, None], len(grid), axis=1) for each in in_hand)
    best = np.full(held.shape, PREMIUM if subset else -np.inf)
    inverse = np.linalg.inv(standing.state.T @ standing.state + _RIDGE * np.eye(standing.state.shape[1]))
    for j in range(training.quality.shape[1]):
        if subset >> j & 1:
            continue
        later, came = worth[subset | 1 << j]
        before = standing.before[:, [j]]
        promise[j] = (inverse @ (standing.state.T @ (later - before))).T
        promised = standing.state @ promise[j].T
        bend[j] = _bending(promised, before[:, 0], came - (in_hand[1][:, None] if subset else before))
        gain = _bent(promised, before, bend[j].T) + (0 if subset else before) - grid * training.spending[:, [j]]
        paid, better = grid * training.cost_usd[:, [j]], gain > best
        best = np.where(better, gain, best)
        held, real = np.where(better, later - paid, held), np.where(better, came - paid, real)
    return held, real


def _bending(promised: Matrix, before: Matrix, came: Matrix) -> Matrix:
    """Return how far promises (n, g) hold, shape (g, 3): came = a + b·promised + c·before, shrunken to a = c = 0, b = 1."""
    bend = np.zeros((promised.shape[1], 3))
    for i in range(len(bend)):
        told = np.stack([np.ones(len(before)), promised[:, i], before], axis=1)
        start = np.array([0.0, 1.0, 0.0])
        bend[i] = np.linalg.solve(told.T @ told + np.diag(_DOUBT), told.T @ came[:, i] + _DOUBT * start)
    return bend
