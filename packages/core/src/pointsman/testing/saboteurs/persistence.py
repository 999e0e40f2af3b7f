"""Saboteurs of persistence: what they know is not in their state, or their state is not plain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pointsman.components import State
from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.base import Estimates
from pointsman.testing.saboteurs.honest import HonestEstimator, HonestFeatures

__all__ = ["ForgetsParameters", "HashesTexts", "HoardsObjects", "KeepsSecrets"]


class ForgetsParameters(HonestFeatures):
    """Leaves a parameter out of its spec."""

    breaks: ClassVar = ("check_specs_survive_json",)

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        """Return one whose parameter is not the default."""
        return (cls(scale=2.0),)

    def spec(self) -> dict[str, Any]:
        """Return the type only."""
        return {"type": type(self).__name__}


class HoardState(State):
    """Objects of any kind."""

    objects: NDArray[np.object_]


class HoardsObjects(HonestFeatures):
    """Keeps Python objects in an array, which only a pickle could hold."""

    breaks: ClassVar = ("check_artefacts_hold_no_pickle",)

    def fit(self, queries: Queries) -> Self:
        """Keep every query as it is."""
        return self.with_state(HoardState(objects=np.array(list(queries), dtype=object)))

    def transform(self, queries: Queries) -> NDArray[np.float64]:
        """Return how many of the kept texts are longer, and shorter."""
        kept = [len(query.text) for query in self.fitted(HoardState).objects]
        rows = [[sum(n > len(text) for n in kept), sum(n < len(text) for n in kept)] for text in queries.texts]
        return np.array(rows, dtype=np.float64).reshape(-1, 2)


class KeepsSecrets(HonestEstimator):
    """Keeps a part of what it learnt beside its state."""

    breaks: ClassVar = ("check_artefacts_restore_behaviour",)

    def fit(self, dataset: RoutingDataset) -> Self:
        """Learn, and keep the number of rows to itself."""
        object.__setattr__(self, "_rows", len(dataset))
        return super().fit(dataset)

    def predict(self, queries: Queries) -> Estimates:
        """Return estimates that are a little better the more rows there were."""
        found = super().predict(queries)
        return replace(found, quality=found.quality + 1e-3 * self.__dict__.get("_rows", 0))


class HashesTexts(HonestEstimator):
    """Rests on the hash of a text, which is another one in every process."""

    breaks: ClassVar = ("check_fresh_processes_agree",)

    def predict(self, queries: Queries) -> Estimates:
        """Return estimates with a little of the hash in them."""
        found = super().predict(queries)
        noise = np.array([hash(text) % 1000 for text in queries.texts]) * 1e-6
        return replace(found, quality=found.quality + noise[:, None])
