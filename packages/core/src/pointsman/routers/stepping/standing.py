"""Standing: the state that the next step is chosen on: what the query lets expect, and what the answers so far made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.estimators.answer_posterior import AnswerPosterior, Belief, informed
from pointsman.routers.stepping.said import Said

__all__ = ["Standing"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """Where n queries stand after a subset of k models has answered.

    Parameters:
        state: What the values of going on are regressed on, shape (n, d).
        before: What is expected without the next answer, shape (n, k): the probability of the answer in hand, or, where
            nobody has answered yet, what the query lets expect of each model.
        belief: What to think of the answers so far; None before the first.
    """

    state: Matrix
    before: Matrix
    belief: Belief | None

    @classmethod
    def first(cls, quality: Matrix) -> Self:
        """Return how queries stand before any answer, given the expected quality (n, k)."""
        one = np.ones((len(quality), 1))
        return cls(state=np.concatenate([one, quality, quality**2], axis=1), before=quality, belief=None)

    @classmethod
    def after(cls, subset: int, posterior: AnswerPosterior, quality: Matrix, said: Said) -> Self:
        """Return how queries stand when these models' answers, and no others, are known."""
        if not subset:
            return cls.first(quality)
        quality = informed(subset, quality, said.worth)
        belief = posterior.read(subset, quality, said.codes)
        held, second, unseen = belief.probability, belief.runner_up, belief.unseen
        plain = np.stack([np.ones(len(held)), held, held**2, second, unseen, held * unseen], axis=1)
        parts = [plain, quality, quality * held[:, None], quality * second[:, None]]
        before = np.repeat(held[:, None], quality.shape[1], axis=1)
        return cls(state=np.concatenate(parts, axis=1), before=before, belief=belief)
