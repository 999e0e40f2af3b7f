"""SelfConsistency: how often a model says the same when it is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from pointsman.confidence.base import Confidence, Scored
from pointsman.confidence.codes import ABSENT, MUTE
from pointsman.confidence.equivalence import Equivalence, KeyedEquivalence
from pointsman.confidence.matches import NormalisedMatch, NumericMatch
from pointsman.confidence.sampling import grouped_samples, recorded_samples
from pointsman.data.dataset import RoutingDataset
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["SelfConsistency"]


class SelfConsistency(Confidence):
    """The share of further samples of the model that say what its response says.

    The cheapest sign that needs nothing but text ("Self-Consistency Improves Chain of Thought Reasoning", ICLR 2023, arXiv
    2203.11171); it costs `samples` calls. None when all of them fail.

    Parameters:
        samples: Further answers to ask for, all at once.
        equivalence: Which answers say the same.
        temperature: What they are sampled at.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"text", "samples"})

    samples: Annotated[int, Ge(1)] = 5
    equivalence: Equivalence = NormalisedMatch()
    temperature: Annotated[float, Ge(0)] = 0.7

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that compares texts and one that compares numbers."""
        return cls(samples=3), cls(samples=2, equivalence=NumericMatch())

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Sample, and count who agrees with the last response."""
        groups = yield from grouped_samples(query, responses[-1], self.samples, self.temperature, self.equivalence)
        if groups is None:
            return None
        *drawn, own = groups
        return 0.0 if own is None else sum(group == own for group in drawn) / len(drawn)

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Return the shares, all rows at once where answers can be compared by what is read out of them."""
        known = ran and dataset.samples is not None and set(ran) <= set(dataset.models)
        if not known or not isinstance(self.equivalence, KeyedEquivalence):
            return super().recorded(dataset, ran)
        return recorded_samples(dataset, ran, self.samples, self.equivalence, _shares)


def _shares(drawn: NDArray[np.int64], own: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of each row's samples that say what the response says."""
    number = np.maximum((drawn != ABSENT).sum(axis=1), 1)
    same = (drawn == own[:, None]) & (own[:, None] != MUTE)
    return np.asarray(same.sum(axis=1) / number)
