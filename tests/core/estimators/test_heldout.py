"""What estimators say of queries they have not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.estimators.clusters import Clusters
from pointsman.estimators.domain import Domain
from pointsman.estimators.heldout import HeldOut, bare, familiar_share
from pointsman.estimators.linear import Linear, LinearState
from pointsman.estimators.nearest import Nearest
from pointsman.estimators.stacked import Stacked
from pointsman.estimators.together import fitted_together, names_of
from pointsman.features.embedding import Embedding

Make = Callable[..., RoutingDataset]
GIVEN = Embedding(length="given")
MEMORY = Nearest(features=GIVEN, k=1)


def held_out(data: RoutingDataset, *members: Linear | Nearest, folds: int = 4) -> HeldOut:
    """Hold parts of the data out from the members."""
    rows = data.queries.embeddings
    assert rows is not None
    return HeldOut.of(members, data, rows, None, folds)


def test_a_group_is_predicted_by_those_who_have_not_seen_it(made_up: Make) -> None:
    """A member that remembers knows a query's twin by heart, yet nothing of it where both are held out together."""
    data = made_up(80)
    data = data.take(np.repeat(np.arange(80), 2)).canonical()
    held = held_out(data, MEMORY)
    assert all(len(set(held.fold[held.group == group].tolist())) == 1 for group in np.unique(held.group))
    said, real = held.said[0][:, 1:].ravel(), held.real[:, 1:].ravel()
    assert np.abs(np.corrcoef(said, real)[0, 1]) < 0.25
    torn = held_out(replace(data, groups=np.arange(len(data))), MEMORY)
    assert np.corrcoef(torn.said[0][:, 1:].ravel(), torn.real[:, 1:].ravel())[0, 1] > 0.5


def test_a_folds_own_outcomes_do_not_enter_its_estimates(made_up: Make) -> None:
    """Shares, trust and level of a fold come from the others: its own outcomes may be anything, theirs may not."""
    held = held_out(made_up(120, signal=0.3), Linear(features=GIVEN), MEMORY)
    mine, before = held.fold == 2, held.estimates()
    real, level = held.real.copy(), held.level_real.copy()
    real[mine], level[mine] = -3 * real[mine], 7.0
    after = replace(held, real=real, level_real=level).estimates()
    assert before.cautious is not None
    assert after.cautious is not None
    assert np.array_equal(before.quality[mine], after.quality[mine])
    assert np.array_equal(before.cautious()[mine], after.cautious()[mine])
    assert not np.array_equal(before.quality[~mine], after.quality[~mine])


def test_the_incumbent_is_ahead_by_two_points_where_caution_rules(made_up: Make) -> None:
    """With everything familiar, cautious quality is quality with a premium on the best single model."""
    held = held_out(made_up(120, signal=0.3), Linear(features=GIVEN))
    found = held.estimates()
    assert found.cautious is not None
    premium = np.zeros(3)
    premium[held.incumbent] = 0.03
    assert found.cautious() - found.quality == pytest.approx(np.tile(premium, (120, 1)))


def test_a_model_asked_in_one_fold_only_is_not_predicted_there(made_up: Make) -> None:
    """Where the others know nothing of a model, nothing differs; elsewhere members are held to account as ever."""
    data = made_up(120, signal=0.3)
    fold = held_out(data, MEMORY).fold
    quality = data.quality.copy()
    quality[fold != 1, 2] = np.nan
    held = held_out(replace(data, quality=quality), MEMORY)
    assert not held.said[:, fold == 1].any()
    assert held.said[:, fold != 1].any()
    assert np.isfinite(held.estimates().quality).all()


def test_recorded_seconds_are_predicted_too(made_up: Make) -> None:
    """A policy that minds time finds latency in held-out estimates where there was any."""
    data = made_up(60)
    assert held_out(data, MEMORY).estimates().latency_s is None
    timed = replace(data, latency_s=np.tile([1.0, 2.0, 3.0], (60, 1)))
    for found in (held_out(timed, MEMORY).estimates(), held_out(timed, MEMORY).alone(0)):
        assert found.latency_s == pytest.approx(np.tile([1.0, 2.0, 3.0], (60, 1)), rel=0.05)


def test_members_get_no_costs(made_up: Make) -> None:
    """What the members see of the data is quality and the shared features."""
    given = bare(made_up(10), np.ones((10, 2)))
    assert np.isnan(given.cost_usd).all()
    assert given.latency_s is None
    assert given.queries.embeddings is not None
    assert given.queries.embeddings.tolist() == np.ones((10, 2)).tolist()


def test_familiarity_counts_from_well_above_even_odds_on() -> None:
    """At .6 and below nothing of a query's own differences holds, at 1 everything."""
    assert familiar_share(np.array([0.0, 0.6, 0.8, 1.0])) == pytest.approx([0.0, 0.0, 0.5, 1.0])


@pytest.mark.parametrize("turned", [False, True], ids=["the table first", "the table last"])
def test_an_offset_that_is_a_member_is_fitted_once(made_up: Make, *, turned: bool) -> None:
    """Both members share one fitted table, in either order, and predict what they would if fitted apart."""
    data = made_up(60, signal=0.3, domains=3).canonical()
    table = Domain(features=GIVEN)
    members = (table, Linear(features=GIVEN, offset=Domain(features=GIVEN)))[:: -1 if turned else 1]
    fitted = fitted_together(members, data)
    linear, domain = sorted(fitted, key=lambda member: isinstance(member, Domain))
    assert linear.fitted(LinearState).offset is domain
    for member, found in zip(members, fitted, strict=True):
        assert type(found) is type(member)
        assert np.array_equal(
            found.predict(data.queries).quality, member.clone().fit(data).predict(data.queries).quality
        )
        assert member.state_ is None


def test_equal_members_are_fitted_once() -> None:
    """Members that are the same are one, and are told apart by number."""
    data = RoutingDataset.from_arrays(
        list("abcd"), {"x": [0, 1, 0, 1], "y": [1, 1, 0, 0]}, embeddings=np.arange(8.0).reshape(4, 2)
    )
    one, two = fitted_together((MEMORY, MEMORY.clone()), data)
    assert one is two
    assert names_of((MEMORY, Clusters(), MEMORY, Nearest())) == ("Nearest", "Clusters", "Nearest 2", "Nearest 3")


@pytest.mark.parametrize("stacked", [False, True], ids=["by clones", "by sharing work"])
def test_crossed_fits_are_fits(made_up: Make, small_stack: Stacked, *, stacked: bool) -> None:
    """`fit_crossed` leaves what `fit` leaves, and returns rows in canonical order that a part of the data did not see."""
    data = made_up(60, signal=0.3)
    estimator = small_stack if stacked else MEMORY
    crossed = estimator.clone()
    found = crossed.fit_crossed(data, folds=3)
    assert crossed.digest() == estimator.clone().fit(data).digest()
    assert len(found) == 60
    assert (found.cautious is not None) == stacked
    canonical = data.canonical()
    seen = crossed.predict(canonical.queries).quality
    assert not np.array_equal(found.quality, seen)
    turned = estimator.clone().fit_crossed(data.take(np.arange(60)[::-1]), folds=3)
    assert np.array_equal(found.quality, turned.quality)


def test_one_start_finds_the_clusters_that_are_there() -> None:
    """More starts never fit worse, and with clusters that lie apart a single one finds them."""
    rng = np.random.default_rng(0)
    points = np.repeat(np.array([[9.0, 0.0], [0.0, 9.0], [-9.0, 0.0]]), 20, axis=0) + 0.1 * rng.standard_normal((60, 2))
    right = np.repeat([0.0, 1.0, 0.5], 20)
    data = RoutingDataset.from_arrays([f"q{i}" for i in range(60)], {"x": right, "y": 1 - right}, embeddings=points)
    for starts in (1, 4):
        found = Clusters(features=GIVEN, clusters=3, nearest=1, prior=0.0, starts=starts).fit(data)
        assert found.predict(data.queries).quality[:, 0] == pytest.approx(right)


def test_fitting_on_a_fitted_offset_is_fitting(made_up: Make) -> None:
    """`fit_on` with the offset that `fit` would have fitted leaves the same state."""
    data = made_up(60, domains=3).canonical()
    linear, table = Linear(features=GIVEN, offset=Domain(features=GIVEN)), Domain(features=GIVEN).fit(data)
    assert linear.clone().fit_on(data, table).digest() == linear.clone().fit(data).digest()
