"""Agreement: how many of the models that were asked say what the last one says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from pointsman.confidence.base import Confidence, Scored, free
from pointsman.confidence.codes import ABSENT, keys_of
from pointsman.confidence.equivalence import Equivalence, KeyedEquivalence, share_of_last
from pointsman.confidence.matches import ChoiceMatch, NormalisedMatch
from pointsman.confidence.reading import said
from pointsman.data.dataset import RoutingDataset
from pointsman.flow import Plan
from pointsman.types import Context, Query, Response

__all__ = ["Agreement"]


class Agreement(Confidence):
    """The share of all responses so far, the last one included, that say what the last one says.

    It costs nothing beyond the responses (agreement-based cascades, arXiv 2407.02348), but tells nothing of the first response:
    there it is None.

    Parameters:
        equivalence: Which answers say the same.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"text", "responses"})

    equivalence: Equivalence = NormalisedMatch()

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one that compares texts, and one that compares options."""
        return cls(), cls(equivalence=ChoiceMatch())

    def assess(self, query: Query, responses: Sequence[Response], context: Context = Context()) -> Plan[float | None]:  # noqa: B008 - frozen
        """Count who agrees with the last response."""
        if len(responses) < 2:  # noqa: PLR2004 - one cannot agree
            return None
        groups = yield from self.equivalence.groups(query, [said(response) for response in responses])
        return share_of_last(groups)

    def recorded(self, dataset: RoutingDataset, ran: Sequence[str]) -> Scored:
        """Return the shares, all rows at once where answers can be compared by what is read out of them."""
        if not isinstance(self.equivalence, KeyedEquivalence) or not ran or set(ran) - set(dataset.models):
            return super().recorded(dataset, ran)
        columns = [keys_of(dataset, name, self.equivalence) for name in ran]
        n = len(dataset)
        if len(ran) < 2:  # noqa: PLR2004
            return free(np.full(n, np.nan))
        last = columns[-1]
        same = np.sum([(column == last) & (column >= 0) for column in columns], axis=0)
        share = np.where(last < 0, 1, same) / len(ran)
        kept = np.all([column != ABSENT for column in columns], axis=0)
        return free(np.where(kept, share, np.nan))
