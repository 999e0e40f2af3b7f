"""Material of the evaluation tests."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data import RoutingDataset


@pytest.fixture
def kinds() -> RoutingDataset:
    """600 queries of two kinds: the cheap model answers the easy half, the dear one both, and chance spoils one in ten."""
    rng = np.random.default_rng(0)
    easy = np.arange(600) % 2 == 0
    luck = rng.random((600, 2)) < 0.9
    return RoutingDataset.from_arrays(
        [f"{'add the numbers' if e else 'prove the theorem'} {i}" for i, e in enumerate(easy)],
        {"cheap": (easy & luck[:, 0]).astype(float), "dear": luck[:, 1].astype(float)},
        {"cheap": np.full(600, 0.001), "dear": np.full(600, 0.01)},
        domains=["sums" if e else "proofs" for e in easy],
    )
