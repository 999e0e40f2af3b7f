"""AnswerPosterior: how likely each answer is right, given the query and who said what so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.estimators.conditional_logit import conditional_logit, logit

__all__ = ["AnswerPosterior", "Belief", "informed", "members", "settled"]

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

_PENALTY, _ODDS = 3.0, 20.0
_SURE = 5.0  # log-odds that recalibration reads at most


def members(subset: int) -> list[int]:
    """Return the columns of a subset, whose bits they are.

    >>> members(0b101)
    [0, 2]
    """
    return [j for j in range(subset.bit_length()) if subset >> j & 1]


def informed(subset: int, quality: Matrix, worth: Matrix) -> Matrix:
    """Return what to expect of k models, shape (n, k), once a subset has answered: what it wrote counts, not its promise."""
    asked = members(subset)
    expected = quality.copy()
    expected[:, asked] = worth[:, asked]
    return expected


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Belief:
    """What to think of n queries' answers so far.

    Parameters:
        code: The likeliest answer, as the first column that gave it, shape (n,); -1 where nobody gave one.
        probability: That it is right, shape (n,), recalibrated; 0 where there is none.
        runner_up: The same of the second likeliest, shape (n,), as voted.
        unseen: That the right answer is none of those given, shape (n,), as voted.
        support: Which of all columns gave the likeliest answer, shape (n, k).
    """

    code: Codes
    probability: Matrix
    runner_up: Matrix
    unseen: Matrix
    support: NDArray[np.bool_]


class AnswerPosterior(State):
    """A weighted vote whose weights depend on who was asked, and its calibration.

    For every subset of k models, answers compete in a conditional logit: an answer's score is the sum over its supporters of
    a weight and of the log-odds that the query gives them, plus a term for every pair of supporters, by which models that err
    alike count less than two; "none of these" competes with the log-odds of all that were asked. All terms are symmetric in the
    answers. A logistic regression on the winner's odds, its support and all models' log-odds makes its probability honest.
    A subset's weights are fitted on what exactly these models said, so they are right for any order of asking.
    """

    votes: tuple[Matrix, ...]
    odds: tuple[Matrix, ...]

    @classmethod
    def fit(cls, quality: Matrix, codes: Codes, right: Mask, worth: Matrix | None = None) -> Self:
        """Fit on n queries: expected quality, codes of answers, -1 for none, and which answers are right, each (n, k).

        `worth` is what reading each answer lets expect of it, where that is another than the quality expected beforehand.
        """
        k = codes.shape[1]
        votes, odds = [np.zeros(0)], [np.zeros(0)]
        for subset in range(1, 1 << k):
            asked = members(subset)
            expected = logit(quality if worth is None else informed(subset, quality, worth))
            ballot = _votes(codes[:, asked])
            votes.append(_fit_votes(ballot, expected[:, asked], right[:, asked]))
            belief, told = _read(votes[-1], None, ballot, expected, asked)
            odds.append(_fit_odds(told, right[np.arange(len(codes)), belief.code] & (belief.code >= 0)))
        return cls(votes=tuple(votes), odds=tuple(odds))

    def read(self, subset: int, quality: Matrix, codes: Codes) -> Belief:
        """Return the belief after a subset of models has answered, from quality `informed` by it and codes, each (n, k)."""
        asked = members(subset)
        return _read(self.votes[subset], self.odds[subset], _votes(codes[:, asked]), logit(quality), asked)[0]


def settled(quality: Matrix, codes: Codes, right: Mask) -> float:
    """Return how sure a vote of all k models is of its winner, on average over n queries: what one vote can be worth."""
    if not len(codes):
        return 0.0
    expected, ballot = logit(quality), _votes(codes)
    found, _ = _read(_fit_votes(ballot, expected, right), None, ballot, expected, list(range(codes.shape[1])))
    return float(found.probability.mean())


def _votes(codes: Codes) -> Matrix:
    """Return who (axis 1) said which answer (axis 2: the first who gave it), shape (n, s, s)."""
    same = (codes[:, :, None] == codes[:, None, :]) & (codes[:, :, None] >= 0)
    earlier = np.tril(np.ones(same.shape[1:], dtype=np.bool_), -1)
    first = ~(same & earlier).any(axis=2)
    votes: Matrix = (same & first[:, None, :]).astype(np.float64)
    return votes


def _scores(weights: Matrix, ballot: Matrix, expected: Matrix) -> Matrix:
    """Return the scores of each answer and of none, shape (n, s + 1); -inf where nobody gave the answer."""
    s = ballot.shape[1]
    scores = ((weights[:s] + weights[s : 2 * s] * expected)[:, :, None] * ballot).sum(axis=1)
    if s > 1:
        one, other = np.triu_indices(s, 1)
        scores = scores + (weights[3 * s + 1 :, None] * (ballot[:, one] * ballot[:, other])).sum(axis=1)
    scores = np.where(ballot.any(axis=1), scores, -np.inf)
    none = (weights[2 * s : 3 * s] * expected).sum(axis=1) + weights[3 * s]
    return np.concatenate([scores, none[:, None]], axis=1)


def _fit_votes(ballot: Matrix, expected: Matrix, right: Mask) -> Matrix:
    """Return the weights of a vote; where several answers are right, each is so in part, and where none is, none of them."""
    n, s, _ = ballot.shape
    good: Mask = np.array((ballot * right[:, :, None]).any(axis=1))
    none = ~np.array(good.any(axis=1))
    target = np.concatenate([good, none[:, None]], axis=1).astype(np.float64)
    target /= target.sum(axis=1, keepdims=True)
    one, other = np.triu_indices(s, 1)
    features = np.zeros((n, s + 1, 3 * s + 1 + len(one)))
    said = ballot.transpose(0, 2, 1)
    features[:, :s, :s], features[:, :s, s : 2 * s] = said, said * expected[:, None, :]
    features[:, s, 2 * s : 3 * s], features[:, s, 3 * s] = expected, 1.0
    features[:, :s, 3 * s + 1 :] = said[:, :, one] * said[:, :, other]
    group, slot = np.nonzero(np.concatenate([ballot.any(axis=1), np.ones((n, 1), dtype=np.bool_)], axis=1))
    prior = np.zeros(features.shape[2])
    prior[s : 2 * s], prior[2 * s : 3 * s] = 0.5, -0.5
    penalty = np.full(len(prior), _PENALTY)
    return conditional_logit(features[group, slot], group, target[group, slot], penalty, prior)


def _read(
    votes: Matrix, odds: Matrix | None, ballot: Matrix, expected: Matrix, asked: list[int]
) -> tuple[Belief, Matrix]:
    """Return the belief, and what its recalibration reads, shape (n, d); without `odds` the vote is taken as it is."""
    n, s, _ = ballot.shape
    scores = _scores(votes, ballot, expected[:, asked])
    mass = np.exp(scores - scores.max(axis=1, keepdims=True))
    share = mass / mass.sum(axis=1, keepdims=True)
    answers, rows = share[:, :s], np.arange(n)
    slot = (answers >= answers.max(axis=1, keepdims=True) - 1e-9).argmax(axis=1)  # nearly equal: who stands first
    given = answers[rows, slot] > 0
    top = answers[rows, slot]
    others = answers.copy()
    others[rows, slot] = 0.0
    supporters = (ballot[rows, :, slot] > 0) & given[:, None]
    support = np.zeros(expected.shape, dtype=np.bool_)
    support[:, asked] = supporters
    told = _told(top, others.max(axis=1), share[:, s], supporters, (ballot.any(axis=1)).sum(axis=1) == 1, expected)
    probability = top if odds is None else 1 / (1 + np.exp(-(told * odds).sum(axis=1)))
    belief = Belief(
        code=np.where(given, np.array(asked, dtype=np.intp)[slot], -1),
        probability=np.where(given, probability, 0.0),
        runner_up=others.max(axis=1),
        unseen=share[:, s],
        support=support,
    )
    return belief, told


def _told(
    top: Matrix, second: Matrix, unseen: Matrix, support: NDArray[np.bool_], alone: NDArray[np.bool_], expected: Matrix
) -> Matrix:
    """Return what the recalibration reads: 1, the odds, and what may bend them."""
    kept = np.clip(top, 1e-3, 1 - 1e-3)
    odds = np.clip(np.log(kept / (1 - kept)), -_SURE, _SURE)
    part = support.mean(axis=1)
    columns = [np.ones(len(top)), odds, second, unseen, 0.3 * odds * np.abs(odds), alone, part]
    return np.concatenate([np.stack(columns, axis=1), expected, support, expected * part[:, None]], axis=1)


def _fit_odds(told: Matrix, hit: NDArray[np.bool_]) -> Matrix:
    """Return the weights of a logistic regression, shrunken to the odds as they are."""
    prior = np.zeros(told.shape[1])
    prior[1] = 1.0
    n = len(told)
    both = np.zeros((2 * n, len(prior)))
    both[::2] = told
    right = np.zeros(2 * n)
    right[::2], right[1::2] = hit, ~hit
    return conditional_logit(both, np.repeat(np.arange(n), 2), right, np.full(len(prior), _ODDS), prior)
