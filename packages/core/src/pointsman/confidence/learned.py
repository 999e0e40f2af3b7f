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
from pointsman.confidence.signs import signs
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.data.statistics import text_statistics
from pointsman.errors import DataError, choices
from pointsman.features.base import Features
from pointsman.features.lexical import Lexical
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["LearnedConfidence"]

Matrix = NDArray[np.float64]

_FAR = 4.0


class LearnedState(State):
    """The fitted features of queries and of responses, the models, the scale of every column, and the weights."""

    features: Features
    wording: Features | None
    models: tuple[str, ...]
    center: Matrix
    scale: Matrix
    weights: Matrix


class LearnedConfidence(Confidence):
    """The probability that the last response is right, by a logistic regression over all that is known by then.

    Its columns are the query's features, statistics and `signs` of the response's text (whether its arithmetic is right, it
    stops in the middle, or never uses a number of the question), its wording, the pattern of agreement (how many answered
    before, which share of them says the same, how large the largest other camp is), who answered, and how much agreement with
    that model counts. A scorer of the query and the answer together is what FrugalGPT (TMLR 2024, arXiv
    2305.05176) and CRE-Router (arXiv 2606.27457) escalate by. Where answers can be compared, agreement is what it gains most
    from; where a model shows its work, its text.

    Parameters:
        features: Features of the query; cloned by `fit`.
        wording: Features of the response's text; cloned by `fit`. None leaves its words out.
        equivalence: Which answers say the same.
        penalty: Strength of the ridge penalty on all weights but the intercept.
    """

    tags: ClassVar[Tags] = Tags(
        when=frozenset({"post-generation"}), what=frozenset({"query", "response"}), how=frozenset({"supervised"})
    )
    needs: ClassVar[frozenset[str]] = frozenset({"text", "responses"})

    features: Features = Lexical(bits=14, components=32)
    wording: Features | None = Lexical(bits=14, components=32)
    equivalence: KeyedEquivalence = NormalisedMatch()
    penalty: Annotated[float, Gt(0)] = 10.0

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one with few features, and one that reads words too."""
        few = Lexical(bits=10, components=4)
        return cls(features=few, wording=None, penalty=1.0), cls(features=few, wording=few)

    def fit(self, dataset: RoutingDataset, order: Sequence[str] | None = None) -> Self:
        """Learn from every response that was kept and scored, and return self.

        Raises:
            DataError: When there is none.
        """
        data = dataset.canonical()
        order = by_cost(data) if order is None else tuple(order)
        lists = prefixes(order)
        kept = [self._kept(data, ran) for ran in lists]
        right = [data.quality[:, data.models.index(ran[-1])] for ran in lists]
        rows = [
            np.flatnonzero((k != ABSENT).all(axis=1) & np.isfinite(q)) for (k, _), q in zip(kept, right, strict=True)
        ]
        wrote = [[texts[i] for i in here] for (_, texts), here in zip(kept, rows, strict=True)]
        if not any(wrote):
            raise DataError(
                f"LearnedConfidence needs responses that were kept and scored; there are none of {choices(order)}."
            )
        features, wording = self.features.clone(), None if self.wording is None else self.wording.clone()
        about = features.fit_transform(data.queries)
        words = np.zeros((sum(map(len, wrote)), 0))
        if wording is not None:
            words = wording.fit_transform(Queries.from_texts([text for each in wrote for text in each]))
        models, ends, blocks = tuple(sorted(order)), np.cumsum([0, *map(len, wrote)]), []
        for i, (here, texts, ran) in enumerate(zip(rows, wrote, lists, strict=True)):
            known = np.hstack([about[here], words[ends[i] : ends[i + 1]]])
            asked = [data.queries.texts[row] for row in here]
            blocks.append(_columns(known, asked, texts, kept[i][0][here], models, ran[-1]))
        labels = np.concatenate([quality[here] for quality, here in zip(right, rows, strict=True)])
        center, scale, weights = _weighed(np.concatenate(blocks), labels, self.penalty)
        return self.with_state(
            LearnedState(features=features, wording=wording, models=models, center=center, scale=scale, weights=weights)
        )

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Return the probability that the last response is right."""
        yield from ()
        groups = numbered(self.equivalence.key(said(response)) for response in responses)
        keys = np.array([[-1 if group is None else group for group in groups]])
        return float(self._chance(Queries.of(query), [responses[-1].text], keys, responses[-1].model)[0])

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Return the probabilities of all rows at once."""
        if not ran or set(ran) - set(dataset.models):
            return super().recorded(dataset, ran)
        keys, texts = self._kept(dataset, ran)
        score = self._chance(dataset.queries, texts, keys, ran[-1])
        kept = (keys != ABSENT).all(axis=1)
        return free(np.where(kept, score, np.nan))

    def _kept(self, dataset: RoutingDataset, ran: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
        """Return what each model's answers say, shape (n, r), and the texts of the last one's."""
        keys = np.column_stack([keys_of(dataset, name, self.equivalence) for name in ran])
        return keys, texts_of(dataset, ran[-1])

    def _chance(self, queries: Queries, texts: Sequence[str], keys: NDArray[np.int64], model: str) -> Matrix:
        state = self.fitted(LearnedState)
        known = state.features.transform(queries)
        if state.wording is not None:
            known = np.hstack([known, state.wording.transform(Queries.from_texts(texts))])
        columns = _columns(known, queries.texts, texts, keys, state.models, model)
        return sigmoid(_scaled(columns, state.center, state.scale) @ state.weights[:-1] + state.weights[-1])


def _weighed(columns: Matrix, right: Matrix, penalty: float) -> tuple[Matrix, Matrix, Matrix]:
    """Return the centre and scale of columns (n, p), and the weights and intercept that tell what is right, shape (n,)."""
    center, scale = columns.mean(axis=0), columns.std(axis=0) + 1e-6
    design = np.column_stack([_scaled(columns, center, scale), np.ones(len(columns))])
    weights = fit_logistic(design, right, penalty=np.r_[np.full(columns.shape[1], penalty), 0.0])
    return center, scale, weights


def _scaled(columns: Matrix, center: Matrix, scale: Matrix) -> Matrix:
    """Return columns in standard deviations, as many as `_FAR` at most: what was rare in training must not decide alone."""
    return np.clip((columns - center) / scale, -_FAR, _FAR)


def _columns(
    known: Matrix,
    asked: Sequence[str],
    texts: Sequence[str],
    keys: NDArray[np.int64],
    models: Sequence[str],
    model: str,
) -> Matrix:
    """Return all that is known of n responses of one model, shape (n, p), beside what features tell."""
    camps = _camps(keys)
    who = np.tile(np.array([name == model for name in models], dtype=np.float64), (len(texts), 1))
    return np.hstack([known, text_statistics(texts), signs(asked, texts), camps, who, who * camps[:, 1:2]])


def _camps(keys: NDArray[np.int64]) -> Matrix:
    """Return how many answered before, the share of them that says the same as the last, and that of the largest other camp."""
    before, last = keys[:, :-1], keys[:, -1:]
    count = before.shape[1]
    if not count:
        return np.zeros((len(keys), 3))
    same = ((before == last) & (last >= 0)).mean(axis=1)
    other = [((before == before[:, [i]]) & (before[:, [i]] >= 0) & (before != last)).mean(axis=1) for i in range(count)]
    return np.column_stack([np.full(len(keys), np.log1p(count)), same, np.max(other, axis=0)])
