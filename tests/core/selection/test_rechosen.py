"""How much it adds to a gain's interval that the best single model was chosen on the same queries."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.estimators.base import Estimates
from pointsman.evaluation.resampling import Resampling
from pointsman.selection.auditing.crossfit import CrossFit
from pointsman.selection.auditing.rechosen import Rechosen


def coins(n: int, chances: list[float], seed: int = 0) -> RoutingDataset:
    """Make models that are right with these chances, whatever the query."""
    right = (np.random.default_rng(seed).random((n, len(chances))) < chances).astype(float)
    names = [f"m{j}" for j in range(len(chances))]
    return RoutingDataset.from_arrays(
        [f"text {i}" for i in range(n)], {name: right[:, j] for j, name in enumerate(names)}
    )


def averages(data: RoutingDataset) -> Callable[[RoutingDataset], Estimates]:
    """Expect of every query what the models do on average."""
    mean = data.mean_quality
    return lambda held: Estimates(
        models=held.models,
        quality=np.tile(mean, (len(held), 1)),
        cost_usd=np.full((len(held), len(mean)), np.nan),
    )


def rechosen(data: RoutingDataset) -> Rechosen:
    """Fit the averages, and choose the best single model anew in 250 draws."""
    resampling = Resampling(group=data.group_of, draws=1000, random_state=0)
    return Rechosen.of(CrossFit.of(averages, data, 0), resampling)


def test_a_clear_best_model_adds_nothing() -> None:
    """Where one model is the best in every draw, the rows' interval misses nothing."""
    data = coins(200, [0.2, 0.8])
    found = rechosen(data)
    assert (found.best == 1).all()
    assert found.excess(data.quality[:, 0], data.quality[:, 1]) == pytest.approx(0.0, abs=1e-9)


def test_models_that_tie_add_what_the_choice_varies_by() -> None:
    """With models that are alike, the interval and the excess together hold what fresh samples vary by."""
    errors, stated = [], []
    for seed in range(60):
        data = coins(100, [0.5, 0.5, 0.5, 0.5], seed)
        found = rechosen(data)
        mine = np.full(100, 0.5)
        theirs = data.quality[np.arange(100), found.fit.best[found.fit.fold]]
        errors.append((mine - theirs).mean())
        stated.append(np.hypot((mine - theirs).std() / 10, found.excess(mine, theirs)))
    assert np.std(errors) <= np.mean(stated) <= 2 * np.std(errors)


def test_unknown_outcomes_count_for_nothing() -> None:
    """A model that is known on few queries is compared on those; one that nobody knows is never the best."""
    data = coins(200, [0.5, 0.5, 0.9])
    data.quality[:, 2] = np.nan
    data.quality[:100, 0] = np.nan
    found = rechosen(data)
    assert set(np.unique(found.best).tolist()) == {0, 1}
    assert np.isfinite(found.excess(data.quality[:, 1], data.quality[:, 0]))
