"""Tokens: how many each model will read and write for a query, before it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.statistics import text_statistics
from pointsman.estimators.ridge import RidgeSolver

__all__ = ["InputTokens", "OutputTokens", "described"]

Matrix = NDArray[np.float64]
_PENALTIES = (1e-4, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0)


class OutputTokens(State):
    """Weights (d + 6, m) and intercepts of log(1 + tokens), and what undoes the bias of the exponential, (m,).

    Each model is shrunken towards its own mean, by the one ridge penalty of least leave-one-out error. The exponential of an
    expected logarithm is too small for an expectation; `smearing` (Duan, 1983) makes it right on average, and is measured on
    leave-one-out predictions, because fitted values are nearer to the outcomes than predictions of new queries are. It is NaN
    for a model whose tokens nobody recorded. No logarithm above `ceiling`, the largest that was observed, is predicted.
    """

    weights: Matrix
    bias: Matrix
    smearing: Matrix
    ceiling: float

    @classmethod
    def fit(cls, solver: RidgeSolver, tokens: Matrix, *, given: Matrix | float = 0.0) -> Self:
        """Fit on a solver of `described` features and the tokens recorded for them, shape (n, m), NaN where they were not.

        `given` (n, m) is taken off the logarithms first, so that only the rest is regressed.
        """
        seen = np.isfinite(tokens)
        logs = np.where(seen, np.log1p(np.where(seen, tokens, 0.0)) - given, 0.0)
        fitted = solver.fit(logs, _PENALTIES, observed=seen)
        ceiling = float(np.max(logs, where=seen, initial=-np.inf)) if seen.any() else 0.0
        predicted = np.minimum(solver.left_out(logs, fitted.penalty, observed=seen), ceiling)
        expected = np.where(seen, np.exp(predicted + given), 0.0).sum(axis=0)
        actual = np.where(seen, 1 + tokens, 0.0).sum(axis=0)
        smearing = np.divide(actual, expected, out=np.full(len(actual), np.nan), where=expected > 0)
        return cls(weights=fitted.weights, bias=fitted.bias, smearing=smearing, ceiling=ceiling)

    def predict(self, described: Matrix, *, given: Matrix | float = 0.0) -> Matrix:
        """Return the expected tokens for n queries, shape (n, m), at least 0."""
        logs = described @ self.weights + self.bias
        expected: Matrix = np.exp(np.minimum(logs, self.ceiling) + given) * self.smearing - 1
        return np.maximum(expected, 0.0)


def described(rows: Matrix, texts: Sequence[str]) -> Matrix:
    """Return features (n, d) with the statistics of their texts beside them, shape (n, d + 6)."""
    return np.hstack([rows, text_statistics(texts)])


class InputTokens(State):
    """Rates (6, m) per call, character, word, digit, symbol and non-ASCII character, and a log-linear correction of them.

    The correction knows what the text does not show but its features give away: images, examples put before the question.
    No rate is negative, so that a longer text never takes fewer tokens by its length alone; NaN is unknown.
    """

    rates: Matrix
    correction: OutputTokens

    @classmethod
    def fit(cls, solver: RidgeSolver, texts: Sequence[str], tokens: Matrix) -> Self:
        """Fit on a solver of `described` features, their texts and the tokens recorded for them, (n, m), NaN where unknown."""
        from scipy.optimize import nnls

        counts = _counts(texts)
        # Longer texts err by more tokens, in the square about as many times more as they are longer.
        weight = 1 / np.sqrt(counts[:, 1] + 1)
        rates = np.full((counts.shape[1], tokens.shape[1]), np.nan)
        for j, column in enumerate(tokens.T):
            if (seen := np.isfinite(column)).any():
                rates[:, j] = nnls((counts * weight[:, None])[seen], (column * weight)[seen])[0]
        given = np.log1p(counts @ rates)
        return cls(rates=rates, correction=OutputTokens.fit(solver, tokens, given=given))

    def predict(self, described: Matrix, texts: Sequence[str]) -> Matrix:
        """Return the expected input tokens for n queries, shape (n, m)."""
        return self.correction.predict(described, given=np.log1p(_counts(texts) @ self.rates))


def _counts(texts: Sequence[str]) -> Matrix:
    """Return 1 and the counts of characters, words, digits, symbols and non-ASCII characters, shape (n, 6)."""
    return np.array([_count(text) for text in texts], dtype=np.float64).reshape(-1, 6)


def _count(text: str) -> tuple[int, ...]:
    words = text.split()
    letters = sum(map(str.isalnum, text))
    digits = sum(map(text.count, "0123456789"))
    foreign = 0 if text.isascii() else sum(not char.isascii() for char in text)
    return 1, len(text), len(words), digits, sum(map(len, words)) - letters, foreign
