"""Saboteurs of purity: components that remember, count, look aside, or write where they should read."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import count
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pointsman.data.queries import Queries
from pointsman.estimators.base import Estimates
from pointsman.testing.saboteurs.honest import NOW, HonestEstimator, HonestFeatures, HonestRouter, TableState
from pointsman.types import Context, Decision, Query

__all__ = [
    "CentresBatches",
    "CountsQuestions",
    "LearnsFromUse",
    "MixesThreads",
    "RemembersLastQuery",
    "ScalesQueries",
]

_ASKED = count(1)


class CountsQuestions(HonestEstimator):
    """Expects a little less each time it is asked."""

    breaks: ClassVar = ("check_use_repeats",)

    def predict(self, queries: Queries) -> Estimates:
        """Return estimates that wear off."""
        found = super().predict(queries)
        return replace(found, quality=found.quality - 1e-6 * next(_ASKED))


class LearnsFromUse(HonestEstimator):
    """Shifts its state a little whenever it is used."""

    breaks: ClassVar = ("check_use_changes_nothing",)

    def predict(self, queries: Queries) -> Estimates:
        """Return the estimates and change the means they shrink to."""
        found = super().predict(queries)
        state = self.fitted(TableState)
        self.with_state(replace(state, quality=state.quality * (1 + 1e-9)))
        return found


class RemembersLastQuery(HonestFeatures):
    """Adds the length of the text before."""

    breaks: ClassVar = ("check_query_order_is_irrelevant",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return features that trail behind."""
        before: int = self.__dict__.get("_before", 0)
        object.__setattr__(self, "_before", len(queries.texts[-1]) if len(queries) else 0)
        return super().transform(queries) + before


class CentresBatches(HonestFeatures):
    """Subtracts the mean of the batch."""

    breaks: ClassVar = ("check_batches_agree_with_single_queries",)

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return features whose columns have mean zero, whatever was asked."""
        rows = super().transform(queries)
        return rows - rows.mean(axis=0) if len(rows) else rows


class ScalesQueries(HonestRouter):
    """Scales the query's own vector in place."""

    breaks: ClassVar = ("check_queries_are_left_alone",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide on the vector, twice as long afterwards."""
        if query.embedding is not None and query.embedding.flags.writeable:
            query.embedding[:] *= 2
        return super().decide(query, context)


class MixesThreads(HonestRouter):
    """Keeps the query on itself while it thinks."""

    breaks: ClassVar = ("check_threads_agree",)

    def decide(self, query: Query, context: Context = NOW) -> Decision:
        """Decide on whatever query stands there after a moment."""
        object.__setattr__(self, "_query", query)
        time.sleep(0.001)
        kept: Any = self.__dict__["_query"]
        return super().decide(kept, context)
