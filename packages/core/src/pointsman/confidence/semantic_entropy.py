"""SemanticEntropy: how many different things a model says when it is asked again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.confidence.base import Confidence, Scored
from pointsman.confidence.codes import ABSENT, MUTE
from pointsman.confidence.equivalence import Equivalence, KeyedEquivalence
from pointsman.confidence.matches import NormalisedMatch
from pointsman.confidence.sampling import grouped_samples, recorded_samples
from pointsman.data.dataset import RoutingDataset
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["SemanticEntropy"]

_DIGITS = 12  # that sums of the same terms in another order, and so thresholds, agree on


class SemanticEntropy(Confidence):
    """One less the entropy of the meanings of a response and further samples, as a share of what it can be.

    SE = −Σ_c p(c) log p(c) over groups c of equivalent answers; divided by log of the number of answers it is in [0, 1]
    ("Detecting hallucinations in large language models using semantic entropy", Nature 2024). Unlike `SelfConsistency` it does
    not ask whether the response is with the majority. An answer that cannot be compared is a meaning of its own. None when all
    samples fail.

    Parameters:
        samples: Further answers to ask for, all at once.
        equivalence: Which answers say the same.
        temperature: What they are sampled at.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"text", "samples"})

    samples: Annotated[int, Ge(1)] = 5
    equivalence: Equivalence = NormalisedMatch()
    temperature: Annotated[float, Ge(0)] = 1.0

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that takes three samples."""
        return (cls(samples=3),)

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Sample, and measure how far the answers are spread over meanings."""
        groups = yield from grouped_samples(query, responses[-1], self.samples, self.temperature, self.equivalence)
        return None if groups is None else round(1 - _entropy(groups) / log(len(groups)), _DIGITS) + 0.0

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Return how decided it was, all rows at once where answers can be compared by what is read out of them."""
        known = ran and dataset.samples is not None and set(ran) <= set(dataset.models)
        if not known or not isinstance(self.equivalence, KeyedEquivalence):
            return super().recorded(dataset, ran)
        return recorded_samples(dataset, ran, self.samples, self.equivalence, _decided)


def _entropy(groups: Sequence[int | None]) -> float:
    counts = [*Counter(group for group in groups if group is not None).values(), *(1 for g in groups if g is None)]
    return -sum(count / len(groups) * log(count / len(groups)) for count in counts)


def _decided(drawn: NDArray[np.int64], own: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one less the entropy of each row's samples and response, as a share of what it can be."""
    codes = np.column_stack([drawn, own])
    known = codes != ABSENT
    total = np.maximum(known.sum(axis=1), 2)
    same = (codes[:, :, None] == codes[:, None, :]) & known[:, :, None] & known[:, None, :]
    size = np.where(codes == MUTE, 1, same.sum(axis=2))
    # Each answer adds -log(its group's share) / n, so that a group of c answers adds c times that.
    spread = np.where(known, -np.log(np.maximum(size, 1) / total[:, None]), 0.0).sum(axis=1) / total
    return np.asarray(np.round(1 - spread / np.log(total), _DIGITS) + 0.0)
