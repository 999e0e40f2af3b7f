"""Clusters and kinds: no more of them than there are rows to tell apart."""

from __future__ import annotations

import numpy as np

from pointsman.data.dataset import RoutingDataset
from pointsman.estimators.clusters import Clusters
from pointsman.estimators.kinds import distinct_rows
from pointsman.features.lexical import Lexical


def test_rounding_tells_no_rows_apart() -> None:
    """Rows that differ in their last bits only are one row."""
    rows = np.repeat(np.eye(3), 5, axis=0)
    noisy = rows + np.random.default_rng(0).normal(0, 1e-15, rows.shape)
    assert len(np.unique(noisy, axis=0)) > 3
    assert distinct_rows(noisy) == 3


def test_texts_that_are_the_same_to_the_features_are_fitted_silently() -> None:
    """Questions that differ in a number alone are few kinds of rows, and k-means has nothing to warn of."""
    texts = [f"question {i}" for i in range(60)]
    data = RoutingDataset.from_arrays(texts, {"a": [float(i % 2) for i in range(60)], "b": [1.0] * 60})
    fitted = Clusters(features=Lexical(components=8), clusters=30).fit(data)
    assert fitted.predict(data.queries).quality.shape == (60, 2)
