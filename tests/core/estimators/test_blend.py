"""A blend says what averaging its members' predictions says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.estimators.base import Estimator
from pointsman.estimators.blend import Blend
from pointsman.estimators.clusters import Clusters
from pointsman.estimators.contrasts import centred, row_means
from pointsman.estimators.domain import Domain
from pointsman.estimators.linear import Linear
from pointsman.estimators.nearest import Nearest
from pointsman.estimators.together import fitted_together, offsets_of
from pointsman.features.lexical import Lexical

WORDS = Lexical(bits=10, components=8)
TABLE = Domain(features=WORDS, source="predicted")
MEMBERS: dict[str, tuple[Estimator, ...]] = {
    "one that is another's offset": (TABLE, Linear(features=WORDS, offset=TABLE), Clusters(features=WORDS, clusters=4)),
    "an offset of its own": (Linear(features=WORDS, offset=TABLE), Nearest(features=WORDS, k=5)),
    "a logistic one": (Linear(features=WORDS, loss="logistic"), TABLE),
    "the same twice": (TABLE, TABLE),
}


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS.keys())
def test_a_blend_is_the_average_of_its_members(
    members: tuple[Estimator, ...], made_up: Callable[..., RoutingDataset]
) -> None:
    """Contrasts are averaged by the shares, levels equally and times the slope, both beyond the means."""
    data, new = made_up(90, signal=0.3), made_up(20, seed=1).queries
    fitted, shares, means = fitted_together(members, data), np.linspace(0.7, 0.4, len(members)), data.mean_quality
    blend = Blend.of(fitted, offsets_of(members), shares=shares, level=1.3, means=means)
    beyond = np.stack([member.predict(new).quality for member in fitted]) - means
    contrasts, level = blend(new)
    assert np.allclose(contrasts, centred(np.tensordot(shares, beyond, axes=1)), atol=1e-12)
    assert np.allclose(level, 1.3 * row_means(beyond).mean(axis=0), atol=1e-12)
