"""Together: several estimators fitted on the same rows, what they have in common only once."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pointsman.data.dataset import RoutingDataset
from pointsman.estimators.base import Estimator
from pointsman.estimators.linear import Linear

__all__ = ["fitted_together"]


def fitted_together(members: Sequence[Estimator], data: RoutingDataset) -> tuple[Estimator, ...]:
    """Return fitted clones of the members; an offset that is a member too is not fitted twice."""
    done: dict[str, Estimator] = {}
    for member in members:
        clone, key = member.clone(), _key(member)
        offset = None if not isinstance(member, Linear) or member.offset is None else done.get(_key(member.offset))
        if key not in done:
            done[key] = (
                clone.fit_on(data, offset) if isinstance(clone, Linear) and offset is not None else clone.fit(data)
            )
    return tuple(done[_key(member)] for member in members)


def _key(estimator: Estimator) -> str:
    return json.dumps(estimator.spec(), sort_keys=True)
