"""Saboteurs of estimates: columns in disorder, numbers off the scale, and inventions where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.base import Estimates
from pointsman.testing.saboteurs.honest import HonestEstimator, TableState
from pointsman.types import Query

__all__ = [
    "AlwaysAnswers",
    "AveragesHoles",
    "EarnsMoney",
    "ExplainsWithObjects",
    "InventsACompetitor",
    "InventsLatencies",
    "MakesUnknownCostsFree",
    "NeedsLatinLetters",
    "ReversesModels",
    "ScoresInPercent",
    "SwapsColumns",
    "TransposesDraws",
]


class ReversesModels(HonestEstimator):
    """Has the models in the reverse order."""

    breaks: ClassVar = ("check_models_are_sorted",)

    def predict(self, queries: Queries) -> Estimates:
        """Return everything the other way round."""
        found = super().predict(queries)
        return Estimates(models=found.models[::-1], quality=found.quality[:, ::-1], cost_usd=found.cost_usd[:, ::-1])


class TransposesDraws(HonestEstimator):
    """Has draws with models in rows."""

    breaks: ClassVar = ("check_columns_are_the_models",)

    def predict(self, queries: Queries) -> Estimates:
        """Return draws of the wrong shape."""
        found = super().predict(queries)
        return replace(found, draws=np.stack([found.quality.T] * 4))


class AlwaysAnswers(HonestEstimator):
    """Has estimates even when nobody asks."""

    breaks: ClassVar = ("check_no_queries_give_no_rows",)

    def predict(self, queries: Queries) -> Estimates:
        """Return at least one row."""
        found = super().predict(queries)
        if len(found):
            return found
        return replace(found, quality=np.zeros((1, len(found.models))), cost_usd=np.zeros((1, len(found.models))))


class NeedsLatinLetters(HonestEstimator):
    """Knows nothing of other scripts."""

    breaks: ClassVar = ("check_unusual_texts_have_estimates",)

    def predict(self, queries: Queries) -> Estimates:
        """Return nothing for texts it cannot read."""
        found = super().predict(queries)
        readable = np.array([text.isascii() for text in queries.texts], dtype=np.bool_)
        return replace(found, quality=np.where(readable[:, None], found.quality, np.nan))


class ScoresInPercent(HonestEstimator):
    """Expects quality in percent."""

    breaks: ClassVar = ("check_qualities_stay_near_the_scale",)

    def predict(self, queries: Queries) -> Estimates:
        """Return a hundred times the quality."""
        found = super().predict(queries)
        return replace(found, quality=100 * found.quality)


class SwapsColumns(HonestEstimator):
    """Gives each model the quality of its neighbour."""

    breaks: ClassVar = ("check_dominant_models_are_recognised",)

    def predict(self, queries: Queries) -> Estimates:
        """Return qualities one column further."""
        found = super().predict(queries)
        return replace(found, quality=np.roll(found.quality, 1, axis=1))


class InventsACompetitor(HonestEstimator):
    """Cannot do with one model, so it makes up another."""

    breaks: ClassVar = ("check_single_models_are_estimated",)

    def predict(self, queries: Queries) -> Estimates:
        """Return at least two columns."""
        found = super().predict(queries)
        if len(found.models) > 1:
            return found
        twice = np.hstack([found.quality] * 2)
        return Estimates(models=(*found.models, "nobody"), quality=twice, cost_usd=np.hstack([found.cost_usd] * 2))


class EarnsMoney(HonestEstimator):
    """Expects to be paid for calls."""

    breaks: ClassVar = ("check_costs_are_not_negative",)

    def predict(self, queries: Queries) -> Estimates:
        """Return costs a dollar too low."""
        found = super().predict(queries)
        return replace(found, cost_usd=found.cost_usd - 1)


class MakesUnknownCostsFree(HonestEstimator):
    """Takes an unknown cost for nothing."""

    breaks: ClassVar = ("check_unknown_costs_stay_unknown",)

    def predict(self, queries: Queries) -> Estimates:
        """Return zeros for what nobody recorded."""
        found = super().predict(queries)
        return replace(found, cost_usd=np.nan_to_num(found.cost_usd))


class InventsLatencies(HonestEstimator):
    """Expects a second of every model."""

    breaks: ClassVar = ("check_unrecorded_latencies_stay_unknown",)

    def predict(self, queries: Queries) -> Estimates:
        """Return latencies that nobody measured."""
        found = super().predict(queries)
        return replace(found, latency_s=np.ones_like(found.quality))


class AveragesHoles(HonestEstimator):
    """Averages over what was not observed."""

    breaks: ClassVar = ("check_missing_cells_have_estimates",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn means that one missing cell makes unknown."""
        state = super().fit(dataset).fitted(TableState)
        return self.with_state(replace(state, quality=state.quality * 0 + dataset.canonical().quality.mean(axis=0)))


class ExplainsWithObjects(HonestEstimator):
    """Explains itself in objects that no log can hold."""

    breaks: ClassVar = ("check_explanations_are_plain_data",)

    def explain(self, query: Query) -> dict[str, Any]:
        """Return a moment in time."""
        return {"asked": datetime(2025, 1, 1, tzinfo=UTC)}
