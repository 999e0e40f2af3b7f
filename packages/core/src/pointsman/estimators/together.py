"""Together: several estimators fitted on the same rows, what they have in common only once."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pointsman.data.dataset import RoutingDataset
from pointsman.estimators.base import Estimator
from pointsman.estimators.linear import Linear

__all__ = ["fitted_together", "names_of"]


def fitted_together(members: Sequence[Estimator], data: RoutingDataset) -> tuple[Estimator, ...]:
    """Return fitted clones of the members; an offset that is a member too is not fitted twice."""
    done: dict[str, Estimator] = {}
    for member in sorted(members, key=lambda member: _offset(member) is not None):
        clone, key, given = member.clone(), _key(member), _offset(member)
        offset = None if given is None else done.get(_key(given))
        if key not in done:
            done[key] = (
                clone.fit_on(data, offset) if isinstance(clone, Linear) and offset is not None else clone.fit(data)
            )
    return tuple(done[_key(member)] for member in members)


def names_of(members: Sequence[Estimator]) -> tuple[str, ...]:
    """Return the members' types, numbered where several are of one: "Linear", "Clusters", "Linear 2"."""
    names: list[str] = []
    for member in members:
        kind = type(member).__name__
        times = sum(type(other) is type(member) for other in members[: len(names)])
        names.append(f"{kind} {times + 1}" if times else kind)
    return tuple(names)


def _offset(member: Estimator) -> Estimator | None:
    return member.offset if isinstance(member, Linear) else None


def _key(estimator: Estimator) -> str:
    return json.dumps(estimator.spec(), sort_keys=True)
