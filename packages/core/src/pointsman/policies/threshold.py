"""Threshold: the strong model where it is expected to gain enough over the weak one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError, choices
from pointsman.estimators.base import Estimates
from pointsman.policies.base import Policy

__all__ = ["Threshold"]

Matrix = NDArray[np.float64]
_OUT = -1e6  # finite, so that a third model can still answer when neither of the two may


class ThresholdState(State):
    """The two models, and the threshold in force."""

    strong: str
    weak: str
    threshold: float


class Threshold(Policy):
    """Call the strong model when its expected gain over the weak one reaches a threshold, the weak one otherwise.

    RouteLLM's rule (ICLR 2025, arXiv 2406.18665). The operating point is the threshold, in quality.

    Parameters:
        strong: The dear model; by default the best single one of the data.
        weak: The cheap model; by default the cheapest of the data.
        threshold: Expected gain in quality at which the strong model is called.
        strong_share: Sets the threshold so that this share of the fitted queries goes to the strong model.
    """

    needs_fit: ClassVar[bool] = True

    strong: str | None = None
    weak: str | None = None
    threshold: float = 0.0
    strong_share: Annotated[float, Ge(0), Le(1)] | None = None

    def fit(self, estimates: Estimates, dataset: RoutingDataset) -> Self:
        """Settle the two models and the threshold, and return self."""
        strong, weak = self.strong or dataset.best_single, self.weak or dataset.cheapest
        for name in (strong, weak):
            if name not in estimates.models:
                raise ConfigError(f"Threshold names unknown model {name!r}; there are {choices(estimates.models)}.")
        threshold = self.threshold
        if self.strong_share is not None:
            threshold = _upper_quantile(_gain(estimates, strong, weak), self.strong_share)
        return self.with_state(ThresholdState(strong=strong, weak=weak, threshold=threshold))

    def points(self, estimates: Estimates) -> tuple[float, ...]:
        """Return up to 201 thresholds: the quantiles of the expected gain, so that the shares of strong calls are spread."""
        state = self.fitted(ThresholdState)
        if not len(estimates):
            return ()
        gain = _gain(estimates, state.strong, state.weak)
        return (*np.unique(np.quantile(gain, np.linspace(0, 1, 200))).tolist(), float("inf"))

    def scores(self, estimates: Estimates, point: float | None = None) -> Matrix:
        """Return the gain for the strong model, the threshold for the weak one, and far less for all others."""
        state = self.fitted(ThresholdState)
        scores = estimates.quality + _OUT
        scores[:, estimates.models.index(state.weak)] = 0.0
        bar = state.threshold if point is None else point
        # Reaching the bar is enough, but a tie in score goes to the cheaper model: so the gain is compared here.
        gain = _gain(estimates, state.strong, state.weak) - bar
        if state.strong != state.weak:
            scores[:, estimates.models.index(state.strong)] = np.where(gain >= 0, gain + 1, gain - 1)
        return scores


def _gain(estimates: Estimates, strong: str, weak: str) -> Matrix:
    quality = estimates.quality
    gain: Matrix = quality[:, estimates.models.index(strong)] - quality[:, estimates.models.index(weak)]
    return gain


def _upper_quantile(gain: Matrix, share: float) -> float:
    """Return the bar that the given share of gains reaches; with ties, no more than that share."""
    count = int(share * len(gain) + 1e-9)
    if count == 0:
        return float("inf")
    ordered = np.sort(gain)[::-1]
    if count == len(gain) or ordered[count] < ordered[count - 1]:
        return float(ordered[count - 1])
    above = ordered[ordered > ordered[count]]
    return float(above[-1]) if len(above) else float("inf")
