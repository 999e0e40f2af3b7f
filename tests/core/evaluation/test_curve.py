"""Curves, baselines and their resampled heights."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.evaluation.baselines import always, random, single_models, zero_router
from pointsman.evaluation.curve import Curve, Span, _areas, aiq_gain
from pointsman.evaluation.informed import domain_table, oracle
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import aiq, area, frontier_score, model_points


def three(n: int = 400, seed: int = 0) -> RoutingDataset:
    """Three models of rising quality and cost, independent queries."""
    rng = np.random.default_rng(seed)
    skill = {"a": 0.4, "b": 0.7, "c": 0.8}
    return RoutingDataset.from_arrays(
        [f"q{seed}-{i}" for i in range(n)],
        {name: (rng.random(n) < p).astype(float) for name, p in skill.items()},
        {name: rng.uniform(0.5, 1.5, n) * price for name, price in {"a": 1.0, "b": 2.0, "c": 8.0}.items()},
    )


def span_of(data: RoutingDataset) -> Span:
    """From the cheapest model's costs to the best one's."""
    return Span(low=data.cost_usd[:, 0], high=data.cost_usd[:, 2])


def test_the_zero_routers_height_is_frontier_score() -> None:
    """The single models' curve has the height that the metrics give the hull chosen on validation data."""
    test, val = three(seed=0), three(seed=1)
    curve = single_models(test, val)
    assert curve is not None
    low, high = test.cost_usd[:, 0].mean(), test.cost_usd[:, 2].mean()
    points = [model_points(part.cost_usd, part.quality) for part in (val, test)]
    assert curve.height(span_of(test)) == pytest.approx(frontier_score(points[0], points[1], low, high), abs=1e-12)
    assert list(curve.points) == ["a", "b", "c"]


def test_without_validation_all_settings_count() -> None:
    """Without validation data no setting is dropped, also not one below the hull."""
    data = three()
    data.quality[:, 1] = 0.0
    settings = [(name, [always(name, data)]) for name in data.models]
    curve = Curve.of(settings)
    assert curve is not None
    assert curve.kept.tolist() == [0, 1, 2]
    assert curve.peak is None
    assert curve.cheapest_reaching(0.0) is None
    cost, quality = model_points(data.cost_usd, data.quality).T
    low, high = data.cost_usd[:, 0].mean(), data.cost_usd[:, 2].mean()
    assert curve.height(span_of(data)) == pytest.approx(area(cost, quality, low, high), abs=1e-12)
    assert (curve.height(span_of(data)) or 1) < (aiq(cost, quality, low, high) or 0)


def test_repeated_and_unpriced_settings_are_left_out() -> None:
    """Two settings that decide alike count once, and one whose costs nobody knows cannot be placed."""
    data = three()
    data.cost_usd[:, 1] = np.nan
    settings = [(1.0, [always("a", data)]), (2.0, [always("a", data)]), (3.0, [always("b", data)])]
    curve = Curve.of(settings)
    assert curve is not None
    assert curve.points == (1.0,)
    assert Curve.of([(3.0, [always("b", data)])]) is None


def test_settings_are_selected_on_validation() -> None:
    """The peak and the cheapest good setting are those of the validation data, whatever the test data say."""
    test, val = three(seed=0), three(seed=1)
    val.quality[:, 1] = 1.0
    curve = single_models(test, val)
    assert curve is not None
    assert curve.peak is not None
    assert curve.points[curve.peak] == "b"
    assert curve.cheapest_reaching(0.9) == curve.points.index("b")
    assert curve.cheapest_reaching(1.1) is None


def test_the_order_of_addition_does_not_decide() -> None:
    """A setting that is as good as the target reaches it, in whatever order the mean was added up."""
    test, val = three(seed=0), three(seed=1)
    val.quality[:, 2] = np.random.default_rng(0).random(len(val))
    val.quality[:, :2] = 0.0
    alone = single_models(test, val)
    assert alone is not None
    assert all(
        alone.cheapest_reaching(float(np.random.default_rng(order).permutation(val.quality[:, 2]).mean())) == 2
        for order in range(20)
    )


def test_an_empty_interval_has_no_height() -> None:
    """Where the best model is the cheapest there is nothing to average over."""
    data = three()
    curve = single_models(data, data)
    assert curve is not None
    assert curve.height(Span(low=data.cost_usd[:, 0], high=data.cost_usd[:, 0])) is None


def test_a_curve_gains_nothing_on_itself() -> None:
    """The paired difference of a curve with itself is exactly zero in every draw."""
    data = three()
    curve = single_models(data, data)
    assert curve is not None
    gain = aiq_gain(curve, curve, span_of(data), Resampling(group=data.group_of, draws=100, random_state=0), 0.95)
    assert gain is not None
    assert (gain.low, gain.estimate, gain.high) == (0, 0, 0)


def test_the_interval_of_a_gain_is_about_right() -> None:
    """The bootstrap interval of an AIQ is as wide as the spread of AIQ over fresh data."""
    heights = []
    for seed in range(60):
        data = three(seed=seed)
        curve = single_models(data, data)
        assert curve is not None
        heights.append(curve.height(span_of(data)))
    data = three(seed=99)
    curve = single_models(data, data)
    assert curve is not None
    drawn = curve.heights(span_of(data), Resampling(group=data.group_of, draws=400, random_state=0))
    spread = np.std([height for height in heights if height is not None])
    assert drawn.std() == pytest.approx(spread, rel=0.3)


def test_the_zero_router_meets_the_cost() -> None:
    """Mixing two neighbours on the hull spends exactly the cost asked for, and stays within the ends."""
    data = three()
    curve = single_models(data, data)
    assert curve is not None
    cost = float(data.cost_usd[:, 1:].mean())
    mixed = zero_router(curve, cost)
    assert mixed.cost_usd.mean() == pytest.approx(cost)
    assert set(mixed.shares) == {"b", "c"}
    assert sum(mixed.shares.values()) == pytest.approx(1)
    expected = np.interp(cost, data.cost_usd.mean(axis=0), data.quality.mean(axis=0))
    assert mixed.quality.mean() == pytest.approx(expected)
    assert zero_router(curve, 1e9).shares == {"c": 1.0}
    assert zero_router(curve, 0.0).shares == {"a": 1.0}


def test_random_is_the_mean_over_models() -> None:
    """Picking at random expects the mean over the models that were observed."""
    data = three()
    data.quality[0, 0] = np.nan
    found = random(data)
    assert found.quality[0] == data.quality[0, 1:].mean()
    assert np.allclose(found.quality[1:], data.quality[1:].mean(axis=1))
    assert found.shares == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


def test_the_oracle_takes_the_cheapest_of_the_best() -> None:
    """Hindsight takes each query's highest score, and the lowest cost among those."""
    data = three()
    found = oracle(data, None, "a")
    assert np.array_equal(found.quality, data.quality.max(axis=1))
    best = data.quality == data.quality.max(axis=1, keepdims=True)
    assert np.array_equal(found.cost_usd, np.where(best, data.cost_usd, np.inf).min(axis=1))


def test_the_oracle_never_takes_an_unobserved_cell() -> None:
    """A cell that nobody observed is not the best of its query while another was observed."""
    data = three()
    data.quality[::2, 2] = np.nan
    found = oracle(data, None, "a")
    assert not np.isnan(found.quality).any()
    assert np.array_equal(found.quality, np.nanmax(data.quality, axis=1))


def test_the_domain_table_learns_from_training_data_only(kinds: RoutingDataset) -> None:
    """Each domain gets the model that is best there in training, even if the test data say otherwise."""
    train, test = kinds.take(range(400)), kinds.take(range(400, 600))
    train.quality[:, 0] = [domain == "sums" for domain in train.queries.domains]
    train.quality[:, 1] = [domain == "proofs" for domain in train.queries.domains]
    found = domain_table(test, None, train, "cheap")
    assert found is not None
    assert found.model is not None
    chosen = [test.models[j] for j in found.model]
    assert chosen == [{"sums": "cheap", "proofs": "dear"}[domain or ""] for domain in test.queries.domains]


def test_a_single_domain_makes_no_table(kinds: RoutingDataset) -> None:
    """With one domain there is nothing to tell apart, and no such baseline."""
    one = kinds.take([i for i, domain in enumerate(kinds.queries.domains) if domain == "sums"])
    assert domain_table(kinds, None, one, "cheap") is None


def test_resampled_means_are_those_of_drawn_groups() -> None:
    """Over many draws the resampled means have the mean of the data and the standard error of a mean."""
    rng = np.random.default_rng(0)
    values = rng.random((300, 2))
    values[::3, 1] = np.nan
    draws = Resampling(group=np.arange(300), draws=2000, random_state=1)
    found = draws.means(values)
    assert found.shape == (2000, 2)
    assert np.allclose(found.mean(axis=0), np.nanmean(values, axis=0), atol=0.002)
    errors = np.nanstd(values, axis=0) / np.sqrt([300, 200])
    assert np.allclose(found.std(axis=0), errors, rtol=0.1)
    assert np.array_equal(found, draws.means(values))


def test_rows_of_one_group_are_drawn_together() -> None:
    """Repeating every row within its group leaves the resampled means as they are."""
    values = np.random.default_rng(0).random((50, 1))
    once = Resampling(group=np.arange(50), draws=200, random_state=0).means(values)
    thrice = Resampling(group=np.repeat(np.arange(50), 3), draws=200, random_state=0).means(
        np.repeat(values, 3, axis=0)
    )
    assert np.allclose(once, thrice)


def test_the_areas_of_many_curves_are_the_area_of_each() -> None:
    """Ties in cost, points outside the interval and intervals outside the points included."""
    rng = np.random.default_rng(0)
    for k in (1, 2, 9):
        cost, quality = rng.integers(0, 8, (100, k)) / 7, rng.random((100, k))
        low = rng.uniform(-0.3, 1.2, 100)
        high = low + rng.uniform(0.01, 0.9, 100)
        each = [area(cost[i], quality[i], low[i], high[i]) for i in range(100)]
        assert _areas(cost, quality, low, high) == pytest.approx(np.array(each), abs=1e-12)
