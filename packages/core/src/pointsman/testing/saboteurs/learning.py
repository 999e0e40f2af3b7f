"""Saboteurs of learning: fits that depend on chance, on order, on names, or on the past, and that leave traces."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import DataError
from pointsman.testing.saboteurs.honest import HonestEstimator, TableState

__all__ = [
    "AddsToThePast",
    "ChangesData",
    "FitsClones",
    "FitsPartsInPlace",
    "FitsTwice",
    "JittersFits",
    "PrefersFirstRows",
    "PrefersNames",
    "RefusesHoles",
]


class FitsClones(HonestEstimator):
    """Fits a copy of itself and hands that out."""

    breaks: ClassVar = ("check_fit_returns_itself",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Return another component."""
        return self.clone().with_state(super().fit(dataset).state_)


class JittersFits(HonestEstimator):
    """Learns a little noise, different each time."""

    breaks: ClassVar = ("check_fit_repeats", "check_saving_repeats")

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn, and shake."""
        state = super().fit(dataset).fitted(TableState)
        return self.with_state(
            replace(state, quality=state.quality + np.random.default_rng().normal(size=state.quality.shape))
        )


class AddsToThePast(HonestEstimator):
    """Averages what it learns with what it knew."""

    breaks: ClassVar = ("check_fit_forgets_the_past",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn half of it anew."""
        before = self.state_
        state = super().fit(dataset).fitted(TableState)
        if isinstance(before, TableState):
            state = replace(state, quality=(state.quality + before.quality) / 2)
        return self.with_state(state)


class FitsTwice(HonestEstimator):
    """Learns half of the data first, and shows it."""

    breaks: ClassVar = ("check_failed_fits_change_nothing",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn from the even rows, then from all."""
        super().fit(dataset.take(range(0, len(dataset), 2)))
        return super().fit(dataset)


class FitsPartsInPlace(HonestEstimator):
    """Fits the feature map it was given."""

    breaks: ClassVar = ("check_fit_leaves_the_parts_alone",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn, and let the part learn too."""
        self.features.fit(dataset.queries)
        return super().fit(dataset)


class ChangesData(HonestEstimator):
    """Centres the qualities in place."""

    breaks: ClassVar = ("check_fit_leaves_the_data_alone",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn from data that are not what they were."""
        dataset.quality[:] *= 0.5
        return super().fit(dataset)


class PrefersFirstRows(HonestEstimator):
    """Learns from the first half of the rows."""

    breaks: ClassVar = ("check_training_order_is_irrelevant",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn until tired."""
        return super().fit(dataset.take(range(len(dataset) // 2)))


class PrefersNames(HonestEstimator):
    """Likes models that are called large."""

    breaks: ClassVar = ("check_model_names_are_irrelevant",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn, with a bonus for the name."""
        state = super().fit(dataset).fitted(TableState)
        bonus = np.array([0.1 * (name == "large") for name in state.models])
        return self.with_state(replace(state, quality=state.quality + bonus))


class RefusesHoles(HonestEstimator):
    """Wants every model to have answered every query."""

    breaks: ClassVar = ("check_missing_outcomes_are_tolerated",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn from complete data only."""
        if np.isnan(dataset.quality).any():
            raise DataError("Every cell must be observed.")
        return super().fit(dataset)
