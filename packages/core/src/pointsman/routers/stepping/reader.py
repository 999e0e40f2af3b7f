"""Reader: what reading a model's answer lets expect of it, beyond what its query did."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.confidence.base import Confidence
from pointsman.confidence.held_out import held_out_scores
from pointsman.confidence.logit import fit_logistic, sigmoid
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError, choices
from pointsman.estimators.conditional_logit import logit
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["FREE", "READINGS", "Reader"]

Matrix = NDArray[np.float64]

FREE = frozenset({"text", "responses", "tool calls"})
"""The signals that an answer brings along; all others take calls of their own, or calls made with parameters."""

READINGS: tuple[float, ...] = tuple(sigmoid(np.linspace(-3.5, 3.5, 15)).tolist())
"""Expected qualities that reading an answer may come to, densely enough to tell whether any of them would change a step."""

_DOUBT = np.array([0.1, 3.0, 3.0])  # against moving the base rate, and against trusting query and score otherwise
_START = np.array([0.0, 0.0, 1.0])


class Reader(State):
    """A confidence of each of k models' answers, fitted on that model's alone, and how far to believe it.

    The expected quality of an answer that was read is a logistic regression on two log-odds, those of the quality that the
    query let expect and those of the score. It is fitted on scores of queries that the confidence had not seen, and shrunken to
    the score as it is. An answer that gets no score keeps what its query let expect.

    `weights` (k, 3) are the intercept and those two weights.
    """

    names: tuple[str, ...]
    confidences: tuple[Confidence, ...]
    weights: Matrix

    @classmethod
    def fit(cls, confidence: Confidence, data: RoutingDataset, expected: Matrix, folds: int) -> tuple[Self, Matrix]:
        """Learn from the outcomes of k models and what their queries let expect of them, held out, shape (n, k).

        Returned beside it is the expected quality of each answer when it is read by a reader that had not seen it, (n, k).

        Raises:
            ConfigError: When the confidence takes calls, or parameters of calls.
        """
        if needing := confidence.needs - FREE:
            raise ConfigError(
                f"An answer is read without further calls; {type(confidence).__name__} needs {choices(needing)}."
            )
        worth, weights, fitted = expected.copy(), [], []
        for j, name in enumerate(data.models):
            score = held_out_scores(confidence, data, (name,), folds=folds)[0].score
            known = np.isfinite(score) & np.isfinite(data.quality[:, j]) & np.isfinite(expected[:, j])
            rows = _design(expected[known, j], score[known])
            weights.append(fit_logistic(rows, data.quality[known, j], penalty=_DOUBT, towards=_START))
            worth[:, j] = _read(expected[:, j], score, weights[-1])
            fitted.append(confidence.clone().fit(data, (name,)) if confidence.learns else confidence)
        return cls(names=data.models, confidences=tuple(fitted), weights=np.array(weights)), worth

    def recorded(self, dataset: RoutingDataset, expected: Matrix) -> Matrix:
        """Return the expected quality of recorded answers once they are read, shape (n, k), given that beforehand."""
        worth = expected.copy()
        for j, (name, confidence) in enumerate(zip(self.names, self.confidences, strict=True)):
            if name in dataset.models:
                score = confidence.recorded(dataset, (name,)).score
                worth[:, j] = _read(expected[:, j], score, self.weights[j])
        return worth

    def read(self, column: int, query: Query, response: Response, expected: float, context: Context) -> Plan[float]:
        """Return the expected quality of a response of the model in this column, given that beforehand."""
        score = yield from self.confidences[column].assess(query, [response], context)
        told = np.array([np.nan if score is None else score])
        return float(_read(np.array([expected]), told, self.weights[column])[0])


def _design(expected: Matrix, score: Matrix) -> Matrix:
    return np.stack([np.ones(len(score)), logit(expected), logit(score)], axis=1)


def _read(expected: Matrix, score: Matrix, weights: Matrix) -> Matrix:
    # Row by row, so that one query alone is read as it is among many.
    odds = (_design(expected, np.nan_to_num(score)) * weights).sum(axis=1)
    return np.where(np.isfinite(score), sigmoid(odds), expected)
