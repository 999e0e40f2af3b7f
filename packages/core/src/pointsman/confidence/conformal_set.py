"""ConformalSet: how many answers a model cannot rule out, at a coverage that is guaranteed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import Ge, Gt, Lt

from pointsman.components import State, Tags
from pointsman.confidence.base import Confidence, by_cost
from pointsman.confidence.equivalence import Equivalence
from pointsman.confidence.matches import NormalisedMatch
from pointsman.confidence.sampling import grouped_samples
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["ConformalSet"]


class ConformalSetState(State):
    """The models that were calibrated, and the least share of samples, of each and overall, that an answer in the set needs."""

    models: tuple[str, ...]
    least: np.ndarray


class ConformalSet(Confidence):
    """1 divided by the size of the set of answers that cannot be ruled out; 0 where the response is not among them.

    An answer is in the set when a large enough share of the model's samples gives it; the share is set on queries with
    scored samples, by split conformal prediction, so that a right answer is in the set with probability 1 − alpha wherever the
    model gives one. A set of one answer is what CP-Router (AAAI 2026, arXiv 2505.19970) keeps a model's answer for; it reads
    the probabilities of options, which samples stand for here, so any model and any kind of answer will do.

    Parameters:
        samples: Further answers to ask for, all at once.
        alpha: How often a right answer may be missing from the set.
        equivalence: Which answers say the same.
        temperature: What they are sampled at.
    """

    tags: ClassVar[Tags] = Tags(
        when=frozenset({"post-generation"}), what=frozenset({"query", "response"}), how=frozenset({"supervised"})
    )
    needs: ClassVar[frozenset[str]] = frozenset({"text", "samples"})

    samples: Annotated[int, Ge(1)] = 5
    alpha: Annotated[float, Gt(0), Lt(1)] = 0.1
    equivalence: Equivalence = NormalisedMatch()
    temperature: Annotated[float, Ge(0)] = 0.7

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that takes three samples."""
        return (cls(samples=3, alpha=0.2),)

    def fit(self, dataset: RoutingDataset, order: Sequence[str] | None = None) -> Self:
        """Set the share that an answer needs, for each model and for all together; return self.

        Raises:
            DataError: Where no samples are scored.
        """
        data = dataset.canonical()
        order = by_cost(data) if order is None else tuple(order)
        if data.sample_quality is None:
            raise DataError("ConformalSet learns from scored samples (sample_quality); the dataset has none.")
        shares = [_right_shares(data.sample_quality[:, data.models.index(name), : self.samples]) for name in order]
        known = [(name, share) for name, share in zip(order, shares, strict=True) if len(share)]
        if not known:
            raise DataError("ConformalSet needs queries with a right sample; there are none.")
        together = np.concatenate([share for _, share in known])
        least = [_least(share, self.alpha) for _, share in known]
        return self.with_state(
            ConformalSetState(
                models=tuple(name for name, _ in known), least=np.array([*least, _least(together, self.alpha)])
            )
        )

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Sample, and count the answers that cannot be ruled out."""
        state, name = self.fitted(ConformalSetState), responses[-1].model
        least = float(state.least[state.models.index(name) if name in state.models else -1])
        groups = yield from grouped_samples(query, responses[-1], self.samples, self.temperature, self.equivalence)
        if groups is None:
            return None
        *drawn, own = groups
        counts = Counter(group for group in drawn if group is not None)
        kept = {group for group, count in counts.items() if count >= least * len(drawn) - 1e-9}
        return 1 / len(kept) if own in kept else 0.0


def _right_shares(scores: np.ndarray) -> np.ndarray:
    """Return the share of right samples of each query that has one: what its right answer's share is."""
    known = np.isfinite(scores)
    share = np.where(known, scores, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    right: np.ndarray = share[share > 0]
    return right


def _least(shares: np.ndarray, alpha: float) -> float:
    """Return 1 − q̂: the ⌈(n + 1)(1 − alpha)⌉-th smallest of 1 − share gives q̂, which is 1 where n is too small for that."""
    place = ceil((len(shares) + 1) * (1 - alpha))
    return 0.0 if place > len(shares) else float(np.sort(shares)[::-1][place - 1])
