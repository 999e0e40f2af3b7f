"""Together: several estimators on the same rows, what they have in common only once."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.data.queries import Queries
from pointsman.estimators.base import Estimator
from pointsman.estimators.linear import Linear

__all__ = ["fitted_together", "offsets_of", "said_together"]

Matrix = NDArray[np.float64]


def offsets_of(members: Sequence[Estimator]) -> tuple[int | None, ...]:
    """Return for each member which one before it is its offset, None where none is.

    >>> from pointsman.estimators.constant import Constant
    >>> offsets_of([Constant(), Linear(), Linear(offset=Constant())])
    (None, None, 0)
    """
    specs = [json.dumps(member.spec(), sort_keys=True) for member in members]
    found: list[int | None] = []
    for i, member in enumerate(members):
        offset = member.offset if isinstance(member, Linear) else None
        spec = None if offset is None else json.dumps(offset.spec(), sort_keys=True)
        found.append(specs.index(spec) if spec in specs[:i] else None)
    return tuple(found)


def fitted_together(members: Sequence[Estimator], data: RoutingDataset) -> tuple[Estimator, ...]:
    """Return fitted clones of the members; one that is another's offset is fitted for both."""
    fitted: list[Estimator] = []
    for member, at in zip(members, offsets_of(members), strict=True):
        clone = member.clone()
        if at is not None and isinstance(clone, Linear):
            fitted.append(clone.fit_on(data, fitted[at]))
        else:
            fitted.append(clone.fit(data))
    return tuple(fitted)


def said_together(members: Sequence[Estimator], offsets: Sequence[int | None], queries: Queries) -> list[Matrix]:
    """Return the quality (n, m) that each of the fitted members predicts; one that is another's offset is asked once."""
    said: list[Matrix] = []
    for member, at in zip(members, offsets, strict=True):
        if at is not None and isinstance(member, Linear):
            said.append(member.predict_on(queries, said[at]).quality)
        else:
            said.append(member.predict(queries).quality)
    return said
