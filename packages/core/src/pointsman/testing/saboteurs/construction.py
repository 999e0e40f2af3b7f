"""Saboteurs of construction: parameters that lie, clones that share, components that know before they learn."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from pointsman.components import Tags
from pointsman.data.queries import Queries
from pointsman.errors import NotFittedError
from pointsman.estimators.base import Estimates
from pointsman.testing.saboteurs.honest import HonestEstimator, HonestFeatures

__all__ = [
    "ChangesParameters",
    "ClonesWithState",
    "GuessesBeforeFit",
    "HidesParameters",
    "KnowsBeforeFit",
    "SharesParts",
    "SpeaksOwnWords",
    "TakesAnything",
    "TakesPositions",
]


class TakesPositions(HonestFeatures):
    """Takes its parameter by position."""

    breaks: ClassVar = ("check_parameters_are_keyword_only",)

    scale: float = 0.5

    def __init__(self, scale: float = 0.5) -> None:
        object.__setattr__(self, "scale", scale)


class HidesParameters(HonestFeatures):
    """Does not report its parameter."""

    breaks: ClassVar = ("check_parameters_are_reported",)

    def params(self) -> dict[str, Any]:
        """Return nothing."""
        return {}


class ChangesParameters(HonestFeatures):
    """Lets its parameters be changed."""

    breaks: ClassVar = ("check_parameters_cannot_be_changed",)


type.__setattr__(ChangesParameters, "__setattr__", object.__setattr__)


class TakesAnything(HonestFeatures):
    """Validates nothing."""

    breaks: ClassVar = ("check_wrong_parameters_are_named",)

    def __post_init__(self) -> None:
        """Look away."""


class KnowsBeforeFit(HonestFeatures):
    """Has a state from the start."""

    breaks: ClassVar = ("check_nothing_is_learnt_at_construction",)

    def __post_init__(self) -> None:
        """Validate, then learn from one text that is always the same."""
        super().__post_init__()
        self.fit(Queries.from_texts(["to be or not to be"]))


class GuessesBeforeFit(HonestEstimator):
    """Makes up estimates where it should refuse."""

    breaks: ClassVar = ("check_unfitted_use_is_refused",)

    def predict(self, queries: Queries) -> Estimates:
        """Return what was learnt, or one half for everything."""
        try:
            return super().predict(queries)
        except NotFittedError:
            half = np.full((len(queries), 3), 0.5)
            return Estimates(models=("large", "medium", "small"), quality=half, cost_usd=half)


class ClonesWithState(HonestEstimator):
    """Takes what it learnt along into its clones."""

    breaks: ClassVar = ("check_clones_are_equal_and_unfitted",)

    def clone(self, **changes: Any) -> Self:
        """Return a copy that is fitted already."""
        return super().clone(**changes).with_state(self.state_)


class SharesParts(HonestEstimator):
    """Hands its own parts to its clones."""

    breaks: ClassVar = ("check_clones_share_no_parts",)

    def clone(self, **changes: Any) -> Self:
        """Return a copy with the same feature map."""
        return type(self)(**{**self.params(), **changes})


class SpeaksOwnWords(HonestFeatures):
    """Has tags of its own invention."""

    breaks: ClassVar = ("check_tags_are_the_surveys_words",)

    tags = Tags(how=frozenset({"magic"}))
