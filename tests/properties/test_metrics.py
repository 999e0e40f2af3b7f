"""Properties of the metrics that hold for any data."""

from __future__ import annotations

from itertools import permutations
from random import Random

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pointsman.metrics import (
    aiq,
    apgr,
    area,
    auroc,
    bootstrap_interval,
    brier_parts,
    call_share_curve,
    choice_entropy,
    choice_points,
    cpt,
    ece,
    ece_equal_mass,
    equal_mass_edges,
    frontier,
    frontier_score,
    hull,
    mean_interval,
    model_points,
    needless_strong_rate,
    pgr,
    rank_score,
    regret,
    regret_parts,
    reliability_table,
    zero_router,
)

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats, Floats]
Outcomes = tuple[NDArray[np.int64], Floats, Floats]

unit = st.floats(0, 1, allow_subnormal=False)
eighths = st.integers(0, 8).map(lambda i: i / 8)
sizes = st.integers(1, 12)
intervals = st.tuples(unit, unit).map(sorted)


@st.composite
def point_sets(draw: st.DrawFn, values: st.SearchStrategy[float] = unit) -> Floats:
    """(k, 2) points, ties included."""
    return draw(arrays(float, (draw(sizes), 2), elements=st.one_of(eighths, values)))


@st.composite
def pairs_of_models(draw: st.DrawFn, rows: st.SearchStrategy[int] = sizes) -> Pair:
    """(score, weak, strong) of equal length whose means differ."""
    n = draw(rows)
    score, weak, strong = (draw(arrays(float, n, elements=eighths)) for _ in range(3))
    assume(abs(weak.mean() - strong.mean()) > 1e-6)
    return score, weak, strong


@st.composite
def outcomes(draw: st.DrawFn) -> Outcomes:
    """(picks, cost, quality) of a few queries and models."""
    n, m = draw(sizes), draw(st.integers(1, 5))
    cost, quality = (draw(arrays(float, (n, m), elements=eighths)) for _ in range(2))
    return draw(arrays(np.int64, n, elements=st.integers(0, m - 1))), cost, quality


@given(point_sets())
def test_hull_is_concave_rising_and_above_every_point(points: Floats) -> None:
    """Cost and quality rise along it, slopes never do, and no point lies above it."""
    kept = points[hull(points)]
    steps = np.diff(kept, axis=0)
    assert (steps > 0).all()
    slopes = steps[:, 1] / np.maximum(steps[:, 0], 1e-300)
    assert (np.diff(slopes) <= 1e-9 * np.abs(slopes[1:])).all()
    right = points[points[:, 0] >= kept[0, 0]]
    assert (np.interp(right[:, 0], kept[:, 0], kept[:, 1]) >= right[:, 1] - 1e-9).all()
    assert set(hull(points)) <= set(frontier(points))


@given(point_sets(), st.randoms(use_true_random=False))
def test_the_order_of_settings_never_matters(points: Floats, random: Random) -> None:
    """Shuffled settings have the same hull points and the same area."""
    order = list(range(len(points)))
    random.shuffle(order)
    assert points[order][hull(points[order])].tolist() == points[hull(points)].tolist()
    assert area(*points[order].T, 0.1, 0.9) == area(*points.T, 0.1, 0.9)


@given(point_sets(), st.tuples(unit, unit, unit).map(sorted))
def test_area_adds_up_over_adjacent_intervals(points: Floats, cuts: list[float]) -> None:
    """The integral over [a, c] is the integral over [a, b] plus the one over [b, c]."""
    a, b, c = cuts
    whole, left, right = (area(*points.T, lo, hi) or 0.0 for lo, hi in ((a, c), (a, b), (b, c)))
    assert abs(whole * (c - a) - left * (b - a) - right * (c - b)) < 1e-12


@given(point_sets(), intervals)
def test_area_lies_between_the_lowest_and_the_highest_point(points: Floats, ends: list[float]) -> None:
    """A mean height is one, and AIQ is never below the plain curve's from its cheapest point on."""
    low, high = ends
    assume(high - low > 1e-6)
    height = area(*points.T, low, high)
    assert points[:, 1].min() - 1e-9 <= height <= points[:, 1].max() + 1e-9
    start = max(low, points[:, 0].min())
    assume(high - start > 1e-6)
    assert aiq(*points.T, start, high) >= area(*points.T, start, high) - 1e-9


@given(point_sets(), intervals)
def test_frontier_score_on_the_same_data_is_aiq(points: Floats, ends: list[float]) -> None:
    """Choosing and scoring on the same points is the published form."""
    low, high = ends
    assert frontier_score(points, points, low, high) == aiq(*points.T, low, high)


@given(outcomes())
def test_no_mixture_of_models_beats_the_zero_router(data: Outcomes) -> None:
    """Any choice that ignores the query lies on or under the Zero router's curve, and its models are single models."""
    _, cost, quality = data
    curve, singles = zero_router(cost, quality), model_points(cost, quality)
    assert (np.interp(singles[:, 0], *curve.T) >= singles[:, 1] - 1e-9).all()
    constant = choice_points([np.full(len(cost), m) for m in range(cost.shape[1])], cost, quality)
    assert np.allclose(constant, singles)


@given(pairs_of_models())
def test_a_score_that_says_nothing_has_an_apgr_of_one_half(models: Pair) -> None:
    """Constant scores mix the models at random: exactly .5, and PGR equals the share of calls."""
    _, weak, strong = models
    assert abs(apgr(np.zeros(len(weak)), weak, strong) - 0.5) < 1e-9
    assert abs(cpt(np.zeros(len(weak)), weak, strong, 0.3) - 0.3) < 1e-9


@given(pairs_of_models(rows=st.integers(1, 5)))
@settings(max_examples=40, deadline=None)
def test_random_orders_have_a_mean_apgr_of_one_half(models: Pair) -> None:
    """Over all orders of the queries the mean APGR is .5 exactly."""
    _, weak, strong = models
    every = [apgr(np.array(order, float), weak, strong) for order in permutations(range(len(weak)))]
    assert abs(np.mean(every) - 0.5) < 1e-7


@given(pairs_of_models())
def test_a_reversed_score_has_the_complementary_apgr(models: Pair) -> None:
    """What a score gains, its opposite loses: the two sum to 1, ties included."""
    score, weak, strong = models
    assert abs(apgr(score, weak, strong) + apgr(-score, weak, strong) - 1) < 1e-7


@given(pairs_of_models())
def test_apgr_depends_on_the_order_of_scores_only(models: Pair) -> None:
    """A strictly rising transformation of the score changes nothing."""
    score, weak, strong = models
    assert apgr(score, weak, strong) == apgr(np.exp(score) * 3 - 7, weak, strong)


@given(pairs_of_models())
def test_no_order_beats_the_order_of_true_gains(models: Pair) -> None:
    """Sending over first what gains most is the best any score can do, in the direction of the gap."""
    score, weak, strong = models
    best = apgr((strong - weak) * np.sign(strong.mean() - weak.mean()), weak, strong)
    assert apgr(score, weak, strong) <= best + 1e-9


@given(pairs_of_models(), st.floats(-1, 2))
def test_cpt_is_the_first_share_that_reaches_its_target(models: Pair, target: float) -> None:
    """The curve has the target there and nowhere before; None where it has it nowhere."""
    score, weak, strong = models
    curve = call_share_curve(score, weak, strong)
    recovered = np.array([pgr(q, weak.mean(), strong.mean()) for q in curve[:, 1]])
    found = cpt(score, weak, strong, target)
    if found is None:
        assert (recovered < target).all()
        return
    assert np.interp(found, curve[:, 0], recovered) >= target - 1e-6
    assert (recovered[curve[:, 0] < found - 1e-9] < target).all()


@given(st.lists(st.tuples(eighths, st.booleans()), min_size=1, max_size=30))
def test_auroc_of_a_reversed_score_is_complementary(answers: list[tuple[float, float]]) -> None:
    """Reversing the score swaps the roles of right and wrong; it is None only without one of them."""
    score, right = (np.array(column, float) for column in zip(*answers, strict=True))
    value = auroc(score, right)
    assert (value is None) == (right.min() == right.max())
    if value is not None:
        assert 0 <= value <= 1
        assert abs(value + auroc(-score, right) - 1) < 1e-12


@given(st.lists(st.tuples(st.one_of(eighths, unit), unit), min_size=1, max_size=40), st.integers(1, 8))
def test_calibration_errors_are_bounded_and_their_bins_complete(answers: list[tuple[float, float]], bins: int) -> None:
    """Errors lie in [0, 1], are at least the gap of the means, and bins lose no answer."""
    confidence, correct = (np.array(column) for column in zip(*answers, strict=True))
    overall = abs(confidence.mean() - correct.mean())
    for error in (ece(confidence, correct, bins), ece_equal_mass(confidence, correct, bins)):
        assert overall - 1e-9 <= error <= 1 + 1e-9
    edges = equal_mass_edges(confidence, bins)
    assert len(edges) <= bins + 1
    assert reliability_table(confidence, correct, edges).count.sum() == len(confidence)
    parts = brier_parts(confidence, correct, edges)
    assert abs(parts.score - (parts.reliability - parts.resolution + parts.uncertainty + parts.within)) < 1e-9


@given(outcomes(), st.integers(0, 4))
def test_regret_parts_always_add_up(data: Outcomes, best: int) -> None:
    """Regret is never negative, headroom never negative, and the parts sum to the whole."""
    picks, _, quality = data
    best %= quality.shape[1]
    parts = regret_parts(picks, quality, best)
    assert (regret(picks, quality) >= 0).all()
    assert parts.headroom >= 0
    assert abs(parts.total - parts.headroom - parts.shortfall) < 1e-12


@given(outcomes(), st.randoms(use_true_random=False))
def test_renaming_models_changes_no_collapse_figure(data: Outcomes, random: Random) -> None:
    """Entropy and the needless-strong rate do not depend on the order of the models."""
    picks, cost, quality = data
    new = list(range(quality.shape[1]))
    random.shuffle(new)
    where = np.argsort(new)
    price = cost.mean(axis=0)
    assert abs(choice_entropy(picks, len(new)) - choice_entropy(where[picks], len(new))) < 1e-12
    assert needless_strong_rate(picks, quality, price) == needless_strong_rate(
        where[picks], quality[:, new], price[new]
    )


@given(unit, st.tuples(st.floats(1.1, 90), st.floats(1.1, 90)).map(sorted))
def test_rank_score_rewards_cheapness_and_stays_in_range(accuracy: float, costs: list[float]) -> None:
    """At equal accuracy the cheaper router never scores less, and scores lie in [0, 1]."""
    cheap, dear = (rank_score(accuracy, cost, low=1, high=100) for cost in costs)
    assert 0 <= dear <= cheap + 1e-12 <= 1 + 1e-9


@given(st.lists(st.tuples(unit, st.integers(0, 6)), min_size=2, max_size=25), st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_intervals_ignore_the_order_of_rows_and_the_names_of_groups(
    rows: list[tuple[float, int]], random: Random
) -> None:
    """Shuffled rows with renamed groups have the same intervals, to rounding, and they hold the estimate."""
    assume(len({group for _, group in rows}) > 1)
    shuffled = list(rows)
    random.shuffle(shuffled)
    (values, groups), (again, renamed) = zip(*rows, strict=True), zip(*shuffled, strict=True)
    renamed = [f"group {9 - group}" for group in renamed]
    for make in (bootstrap_interval, mean_interval):
        options = {"draws": 100} if make is bootstrap_interval else {}
        one, two = make(values, groups=groups, **options), make(again, groups=renamed, **options)
        assert np.allclose((one.estimate, one.low, one.high), (two.estimate, two.low, two.high), rtol=0, atol=1e-9)
        assert one.low <= one.high
    assert mean_interval(values, groups=groups).excludes(np.mean(values)) is False
