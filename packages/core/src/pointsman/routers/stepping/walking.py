"""Walking: n queries through a cascade at once, from the first model to the answer, on recorded answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pointsman.estimators.answer_posterior import AnswerPosterior
from pointsman.estimators.choice import first_choice
from pointsman.routers.stepping.lookahead import PREMIUM, Lookahead
from pointsman.routers.stepping.said import Said
from pointsman.routers.stepping.standing import Standing

__all__ = ["Walk", "Walked"]

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]
Codes = NDArray[np.intp]
_AT_ONCE = 256  # rows that take little longer than one, so that a single query's readings are tried in one go


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walked:
    """Where n queries ended: whose answer was given, shape (n,); who was asked, shape (n, k); how sure, shape (n,)."""

    model: Codes
    asked: Mask
    confidence: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """The rules of a cascade over k models for n queries at one cost weight: `step` and `ends` are all there is to decide.

    Parameters:
        posterior, lookahead: What was learnt.
        quality: What each query lets expect of each model, shape (n, k).
        spending: What a call is expected to cost, shape (n, k); NaN is unknown, and then the weight must be 0.
        weight: Quality per US dollar.
        waiting: Seconds that a call is expected to take, shape (n, k); None where haste counts for nothing.
        readings: Expected qualities that reading an answer may come to; () where answers are only compared.
    """

    posterior: AnswerPosterior
    lookahead: Lookahead
    quality: Matrix
    spending: Matrix
    weight: float
    waiting: Matrix | None = None
    readings: tuple[float, ...] = ()

    def at(self, rows: Codes) -> Walk:
        """Return the walk of some of the queries."""
        waiting = None if self.waiting is None else self.waiting[rows]
        return replace(self, quality=self.quality[rows], spending=self.spending[rows], waiting=waiting)

    def stand(self, subset: int, said: Said) -> Standing:
        """Return how the queries stand after these models have answered."""
        return Standing.after(subset, self.posterior, self.quality, said)

    def unasked(self) -> Said:
        """Return what is said while nobody has answered."""
        return Said(codes=np.full(self.quality.shape, -1, dtype=np.intp), worth=self.quality)

    def scores(self, subset: int, standing: Standing) -> Matrix:
        """Return what each action promises, its cost deducted, shape (n, a): a gain, or before any answer its value.

        The first k actions ask one model each.
        """
        actions, gains = self.lookahead.actions, self.lookahead.gains(subset, standing, self.weight)
        found = gains if subset else gains + actions.most(standing.before)
        if self.weight:
            found = found - self.weight * actions.total(self.spending)
        if self.waiting is not None:
            found = found - self.lookahead.haste * actions.most(self.waiting)
        return found

    def step(self, scores: Matrix, subset: int, allowed: Mask) -> Codes:
        """Return the action to take next, shape (n,); -1 to stop. Nothing but a query without any answer must go on."""
        actions = self.lookahead.actions
        open_ = actions.open(subset, allowed)
        best = np.where(open_, scores, -np.inf)
        go = open_.any(axis=1) & ((best.max(axis=1) > PREMIUM) | (subset == 0))
        return np.where(go, first_choice(scores, actions.total(self.spending), open_), -1)

    def lead(self, chosen: Codes) -> Codes:
        """Return, of the models that the chosen actions ask, the one of which most is expected, shape (n,); -1 for none."""
        first = first_choice(self.quality, self.spending, self.lookahead.actions.asks[chosen])
        return np.where(chosen < 0, -1, first)

    def ends(self, first: int, allowed: Mask) -> Mask:
        """Return for which queries the answer of this first model ends the walk, whatever it is, shape (n,).

        It is known before the model is asked: what a single answer says does not change how likely it is right, and all of
        `readings` are tried, which reading it may come to.
        """
        ending: Mask = np.ones(len(self.quality), dtype=np.bool_)
        readings = np.array(self.readings or (np.nan,))
        while len(readings) and ending.any():
            rows = np.flatnonzero(ending)
            now, readings = np.split(readings, [max(1, _AT_ONCE // len(rows))])
            part = self.at(np.repeat(rows, len(now)))
            codes, worth, read = part.unasked().codes, part.quality.copy(), np.tile(now, len(rows))
            codes[:, first] = first
            worth[:, first] = np.where(np.isnan(read), worth[:, first], read)
            standing = part.stand(1 << first, Said(codes=codes, worth=worth))
            open_ = np.repeat(allowed[rows], len(now), axis=0)
            stops = part.step(part.scores(1 << first, standing), 1 << first, open_) < 0
            ending[rows] = stops.reshape(len(rows), len(now)).all(axis=1)
        return ending

    def speaker(self, asked: Mask, support: Mask, said: Said) -> Codes:
        """Return whose words are the answer: of the supporters, or of all asked where nobody gave one, the likeliest."""
        return first_choice(said.worth, self.spending, np.where(support.any(axis=1, keepdims=True), support, asked))

    def through(self, said: Said, allowed: Mask) -> Walked:
        """Return where the queries end when the models say this, and only some are `allowed`, shape (n, k)."""
        n, k = self.quality.shape
        asked = np.zeros((n, k), dtype=np.bool_)
        live: Mask = np.array(allowed.any(axis=1))
        support, sure = np.zeros((n, k), dtype=np.bool_), np.zeros(n)
        bits = 1 << np.arange(k)
        for subset in sorted(range(1 << k), key=lambda each: (each.bit_count(), each)):
            here = np.flatnonzero((asked * bits).sum(axis=1) == subset)
            if not len(here):
                continue
            part = self.at(here)
            standing = part.stand(subset, said.take(here))
            if standing.belief is not None:
                support[here], sure[here] = standing.belief.support, standing.belief.probability
            chosen = np.where(live[here], part.step(part.scores(subset, standing), subset, allowed[here]), -1)
            live[here] = chosen >= 0
            asked[here[chosen >= 0]] |= self.lookahead.actions.asks[chosen[chosen >= 0]]
            for j in range(k if subset == 0 else 0):
                rows = here[chosen == j]
                live[rows] = ~self.at(rows).ends(j, allowed[rows])
        return Walked(model=self.speaker(asked, support, said), asked=asked, confidence=sure)
