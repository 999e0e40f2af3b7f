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

__all__ = ["fitted_together", "names_of", "offsets_of", "said_together"]

Matrix = NDArray[np.float64]
Offsets = dict[int, int | None]


def offsets_of(members: Sequence[Estimator]) -> Offsets:
    """Return for each member which other one is its offset, None where none is; an offset comes before those that need it.

    >>> from pointsman.estimators.constant import Constant
    >>> offsets_of([Linear(offset=Constant()), Constant(), Linear()])
    {1: None, 2: None, 0: 1}
    """
    specs = [_key(member) for member in members]
    order = sorted(range(len(members)), key=lambda i: _offset(members[i]) is not None)
    found: Offsets = {}
    for i in order:
        offset = _offset(members[i])
        spec = None if offset is None else _key(offset)
        found[i] = next((j for j in found if specs[j] == spec), None)
    return found


def fitted_together(members: Sequence[Estimator], data: RoutingDataset) -> tuple[Estimator, ...]:
    """Return fitted clones of the members; equal ones, and one that is another's offset, are fitted once."""
    fitted: dict[int, Estimator] = {}
    for i, at in offsets_of(members).items():
        clone, offset = members[i].clone(), None if at is None else fitted[at]
        same = next((done for j, done in fitted.items() if _key(members[j]) == _key(members[i])), None)
        if same is not None:
            fitted[i] = same
        elif offset is not None and isinstance(clone, Linear):
            fitted[i] = clone.fit_on(data, offset)
        else:
            fitted[i] = clone.fit(data)
    return tuple(fitted[i] for i in range(len(members)))


def said_together(members: Sequence[Estimator], offsets: Offsets, queries: Queries) -> list[Matrix]:
    """Return the quality (n, m) that each of the fitted members predicts; one that is another's offset is asked once."""
    said: dict[int, Matrix] = {}
    for i, at in offsets.items():
        member = members[i]
        if at is not None and isinstance(member, Linear):
            said[i] = member.quality_on(member.rows(queries), said[at])
        else:
            said[i] = member.predict_quality(queries)
    return [said[i] for i in range(len(members))]


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
