"""LearnedConfidence: the chance that an answer is right, learnt from the query, the answer, and who agrees with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from pointsman.components import State, Tags
from pointsman.confidence.base import Confidence, Scored, by_cost, free, prefixes
from pointsman.confidence.codes import ABSENT, keys_of, texts_of
from pointsman.confidence.equivalence import KeyedEquivalence, numbered
from pointsman.confidence.logit import fit_logistic, sigmoid
from pointsman.confidence.matches import NormalisedMatch
from pointsman.confidence.reading import said
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.data.statistics import text_statistics
from pointsman.errors import DataError
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["LearnedConfidence"]

Matrix = NDArray[np.float64]


class LearnedState(State):
    """The fitted features of queries, the models, the scale of every column, and the weights."""

    features: Features
    models: tuple[str, ...]
    center: Matrix
    scale: Matrix
    weights: Matrix


class LearnedConfidence(Confidence):
    """The probability that the last response is right, by a logistic regression over all that is known by then.

    Its columns are the query's features, statistics of the response's text, the pattern of agreement (how many answered before,
    which share of them says the same, how large the largest other camp is), who answered, and how much agreement with that
    model counts. A scorer of the query and the answer together is what FrugalGPT (TMLR 2024, arXiv 2305.05176) and CRE-Router
    (arXiv 2606.27457) escalate by; agreement is what it gains most from.

    Parameters:
        features: Features of the query; cloned by `fit`.
        equivalence: Which answers say the same.
        penalty: Strength of the ridge penalty on all weights but the intercept.
    """

    tags: ClassVar[Tags] = Tags(
        when=frozenset({"post-generation"}), what=frozenset({"query", "response"}), how=frozenset({"supervised"})
    )
    needs: ClassVar[frozenset[str]] = frozenset({"text", "responses"})

    features: Features = Lexical(bits=14, components=32)
    equivalence: KeyedEquivalence = NormalisedMatch()
    penalty: Annotated[float, Gt(0)] = 10.0

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one with few features."""
        return (cls(features=Lexical(bits=10, components=4), penalty=1.0),)

    def fit(self, dataset: RoutingDataset, order: Sequence[str] | None = None) -> Self:
        """Learn from every response that was kept and scored, and return self."""
        data = dataset.canonical()
        order = by_cost(data) if order is None else tuple(order)
        features = self.features.clone()
        about = features.fit_transform(data.queries)
        models = tuple(sorted(order))
        blocks, labels = [], []
        for ran in prefixes(order):
            quality = data.quality[:, data.models.index(ran[-1])]
            keys, texts = self._kept(data, ran)
            rows = np.flatnonzero((keys != ABSENT).all(axis=1) & np.isfinite(quality))
            wrote = [texts[i] for i in rows]
            blocks.append(_columns(about[rows], wrote, keys[rows], models, ran[-1]))
            labels.append(quality[rows])
        columns, right = np.concatenate(blocks), np.concatenate(labels)
        if not len(right):
            raise DataError("LearnedConfidence needs responses that were kept and scored; the dataset has none.")
        center, scale = columns.mean(axis=0), columns.std(axis=0) + 1e-6
        design = np.column_stack([(columns - center) / scale, np.ones(len(columns))])
        penalty = np.r_[np.full(columns.shape[1], self.penalty), 0.0]
        weights = fit_logistic(design, right, penalty=penalty)
        return self.with_state(
            LearnedState(features=features, models=models, center=center, scale=scale, weights=weights)
        )

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Return the probability that the last response is right."""
        yield from ()
        about = self.fitted(LearnedState).features.transform(Queries.of(query))
        groups = numbered(self.equivalence.key(said(response)) for response in responses)
        keys = np.array([[-1 if group is None else group for group in groups]])
        return float(self._chance(about, [responses[-1].text], keys, responses[-1].model)[0])

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Return the probabilities of all rows at once."""
        if not ran or set(ran) - set(dataset.models):
            return super().recorded(dataset, ran)
        keys, texts = self._kept(dataset, ran)
        about = self.fitted(LearnedState).features.transform(dataset.queries)
        score = self._chance(about, texts, keys, ran[-1])
        kept = (keys != ABSENT).all(axis=1)
        return free(np.where(kept, score, np.nan))

    def _kept(self, dataset: RoutingDataset, ran: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
        """Return what each model's answers say, shape (n, r), and the texts of the last one's."""
        keys = np.column_stack([keys_of(dataset, name, self.equivalence) for name in ran])
        return keys, texts_of(dataset, ran[-1])

    def _chance(self, about: Matrix, texts: Sequence[str], keys: NDArray[np.int64], model: str) -> Matrix:
        state = self.fitted(LearnedState)
        columns = _columns(about, texts, keys, state.models, model)
        return sigmoid(((columns - state.center) / state.scale) @ state.weights[:-1] + state.weights[-1])


def _columns(about: Matrix, texts: Sequence[str], keys: NDArray[np.int64], models: Sequence[str], model: str) -> Matrix:
    """Return all that is known of n responses of one model, shape (n, p)."""
    camps = _camps(keys)
    who = np.tile(np.array([name == model for name in models], dtype=np.float64), (len(about), 1))
    return np.hstack([about, text_statistics(texts), camps, who, who * camps[:, 1:2]])


def _camps(keys: NDArray[np.int64]) -> Matrix:
    """Return how many answered before, the share of them that says the same as the last, and that of the largest other camp."""
    before, last = keys[:, :-1], keys[:, -1:]
    count = before.shape[1]
    if not count:
        return np.zeros((len(keys), 3))
    same = ((before == last) & (last >= 0)).mean(axis=1)
    other = [((before == before[:, [i]]) & (before[:, [i]] >= 0) & (before != last)).mean(axis=1) for i in range(count)]
    return np.column_stack([np.full(len(keys), np.log1p(count)), same, np.max(other, axis=0)])
