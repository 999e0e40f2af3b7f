"""Ladders: where recorded queries stop, what they pay, which thresholds are best, and when a rung pays."""

from __future__ import annotations

from itertools import product
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.metrics.cascade import break_even_escalation
from pointsman.routers.economics import rungs_of
from pointsman.routers.ladder import ALWAYS, NEVER, Ladder
from pointsman.routers.thresholds import Goal, candidates, measured, search


def ladder_of(score: object, quality: object, cost: object, check: object = 0.0, kept: object = 1) -> Ladder:
    """Return a ladder of rows of scores, qualities and costs."""
    scores, scored = np.array(score, dtype=float), np.array(quality, dtype=float)
    return Ladder(
        score=scores,
        quality=scored,
        cost_usd=np.broadcast_to(np.array(cost, dtype=float), scored.shape),
        check_usd=np.broadcast_to(np.array(check, dtype=float), scores.shape),
        checks=np.where(np.broadcast_to(np.array(check, dtype=float), scores.shape) > 0, 2.0, 0.0),
        kept=np.broadcast_to(np.array(kept, dtype=bool), scored.shape),
    )


def test_climbing_by_hand() -> None:
    """A score that reaches its threshold stops, NaN goes on, all that ran is paid, and what is taken unseen is not checked."""
    ladder = ladder_of(
        [[0.9, 0.1], [0.5, 0.6], [nan, nan], [0.2, 0.9]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1]],
        [1, 10, 100],
        0.5,
    )
    found = ladder.climb([0.5, 0.7])
    assert found.rung.tolist() == [0, 0, 2, 1]
    assert found.quality.tolist() == [1, 0, 1, 0]
    assert found.cost_usd.tolist() == [1.5, 1.5, 112, 12]
    assert found.calls.tolist() == [3, 3, 7, 6]
    assert ladder.climb([ALWAYS, 0.7]).cost_usd.tolist() == [1] * 4
    assert ladder.climb([NEVER, ALWAYS]).cost_usd.tolist() == [11.5] * 4
    assert ladder.climb([NEVER, NEVER]).rung.tolist() == [2] * 4
    assert ladder.accepts([0.5, ALWAYS]).tolist() == [[True, True], [True, True], [False, True], [False, True]]
    assert ladder.take(np.array([3])).climb([0.5, 0.7]).rung.tolist() == [1]


def test_what_was_not_kept() -> None:
    """Where a text on the way is unknown nobody knows how it goes on; one unchecked call's outcome is known all the same."""
    kept = [[True, True], [False, True], [True, False], [False, False]]
    ladder = ladder_of([[nan]] * 4, [[0, 1]] * 4, [1, 10], 0.0, kept)
    np.testing.assert_array_equal(ladder.climb([0.5]).quality, [1, nan, nan, nan])
    np.testing.assert_array_equal(ladder.climb([0.5]).cost_usd, [11, nan, nan, nan])
    np.testing.assert_array_equal(ladder.climb([ALWAYS]).quality, [0] * 4)


def test_unknown_money() -> None:
    """The cost of what ran is unknown where that of a part is; of what did not run it does not matter."""
    ladder = ladder_of([[0.9], [0.1]], [[0, 1]] * 2, [[1, nan], [1, nan]])
    np.testing.assert_array_equal(ladder.climb([0.5]).cost_usd, [1, nan])
    checked = ladder_of([[0.9], [0.1]], [[0, 1]] * 2, [1, 10], nan)
    assert np.isnan(checked.climb([0.5]).cost_usd).all()
    assert checked.climb([ALWAYS]).cost_usd.tolist() == [1, 1]


def brute_force(ladder: Ladder, goal: Goal) -> tuple[bool, float, float]:
    """Return the rank of the best of all settings that differ on these rows."""
    each = [[ALWAYS, *sorted(set(column[np.isfinite(column)].tolist())), NEVER] for column in ladder.score.T]
    tried = (measured(ladder, setting) for setting in product(*each))
    return max(goal.rank(one.quality, one.cost_usd) for one in tried)


scores = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, nan])
qualities = st.sampled_from([0.0, 0.5, 1.0])


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Draw a ladder of one to three rungs over a few queries."""
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 3))

    def matrix(cells: st.SearchStrategy[float], width: int) -> np.ndarray:
        return np.array(draw(st.lists(cells, min_size=n * width, max_size=n * width))).reshape(n, width)

    cost = draw(st.lists(st.sampled_from([0.0, 1.0, 3.0, 10.0]), min_size=m, max_size=m))
    return ladder_of(matrix(scores, m - 1), matrix(qualities, m), cost, draw(st.sampled_from([0.0, 0.5])))


goals = st.builds(lambda q: Goal(quality=q), st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0])) | st.builds(
    lambda usd: Goal(usd=usd), st.sampled_from([0.1, 1.0, 2.5, 6.0, 20.0])
)


@given(ladders(), goals)
def test_search_is_brute_force_on_small_ladders(ladder: Ladder, goal: Goal) -> None:
    """No setting is better than the one that is found, and it comes to what is said of it."""
    found = search(ladder, goal)
    assert goal.rank(found.quality, found.cost_usd) == brute_force(ladder, goal)
    assert found == measured(ladder, found.thresholds)
    assert len(found.thresholds) == ladder.rungs - 1


@given(ladders(), goals, st.randoms(use_true_random=False))
def test_search_knows_no_order_of_rows(ladder: Ladder, goal: Goal, random: object) -> None:
    """Shuffled queries have the same thresholds, as sums of so few are exact."""
    order = list(range(len(ladder)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert search(ladder.take(np.array(order)), goal).thresholds == search(ladder, goal).thresholds


@given(ladders(), st.sampled_from([0.1, 1.0, 2.5, 6.0, 20.0]), st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]))
def test_goals_are_met_where_anything_meets_them(ladder: Ladder, usd: float, quality: float) -> None:
    """A budget holds and a quality is kept on the data, whenever any one model would."""
    singles = [(ladder.cost_usd[:, i].mean(), ladder.quality[:, i].mean()) for i in range(ladder.rungs)]
    if singles[0][0] <= usd:
        assert search(ladder, Goal(usd=usd)).cost_usd <= usd * (1 + 1e-9)
    if max(singles[0][1], singles[-1][1]) >= quality:
        assert search(ladder, Goal(quality=quality)).quality >= quality - 1e-9


@pytest.mark.parametrize("rungs", [6, 8, 12, 28])
def test_many_rungs_are_searched_in_no_time(rungs: int) -> None:
    """However long the ladder, few settings are tried, and it is not worse than one threshold for all."""
    rng = np.random.default_rng(0)
    quality = (rng.random((100, rungs)) < np.linspace(0.4, 0.9, rungs)).astype(float)
    score = np.clip(quality[:, :-1] * 0.5 + rng.random((100, rungs - 1)) * 0.5, 0, 1).round(2)
    ladder = ladder_of(score, quality, np.linspace(1, 50, rungs))
    goal = Goal(quality=0.85)
    found = search(ladder, goal)
    assert found.quality >= 0.85
    for value in (0.2, 0.4, 0.5, 0.6, 0.8):
        common = measured(ladder, [float(np.nanquantile(score, value))] * (rungs - 1))
        assert goal.rank(found.quality, found.cost_usd) >= goal.rank(common.quality, common.cost_usd)


def test_candidates() -> None:
    """They are always, never, and scores that occur, as many as make a grid of the trials."""
    ladder = ladder_of([[i / 100, 0.5] for i in range(100)], [[0, 0, 1]] * 100, [1, 2, 3])
    first, second = candidates(ladder, trials=100)
    assert second == [ALWAYS, 0.5, NEVER]
    assert len(first) == 10
    assert (first[0], first[1], first[-2], first[-1]) == (ALWAYS, 0.0, 0.99, NEVER)


def test_costs_known_in_part_still_count() -> None:
    """A query whose cost nobody knows does not make the cost of a setting unknown."""
    ladder = ladder_of([[0.9], [0.1], [0.9]], [[1, 1]] * 3, [[1, 10], [1, 10], [nan, 10]])
    found = measured(ladder, [0.5])
    assert found.cost_usd == (1 + 11) / 2
    assert search(ladder, Goal(quality=0.9)).thresholds == (ALWAYS,)
    assert np.isnan(measured(ladder_of([[0.9]], [[1, 1]], [nan, 1]), [0.5]).cost_usd)


def test_goals() -> None:
    """Meeting the goal comes first; then the cost counts, or the quality within the budget; unknown costs are the highest."""
    keep, budget = Goal(quality=0.5), Goal(usd=2.0)
    assert keep.rank(0.5, 9) > keep.rank(0.4, 1)
    assert keep.rank(0.6, 1) > keep.rank(0.9, 2) > keep.rank(0.9, nan)
    assert keep.rank(0.4, 9) > keep.rank(0.3, 1)
    assert budget.rank(0.1, 2) > budget.rank(0.9, 2.1) > budget.rank(0.9, nan)
    assert budget.rank(0.9, 2) > budget.rank(0.8, 1)
    assert budget.rank(0.8, 1) > budget.rank(0.8, 2)
    assert Goal().rank(0.1, 1) > Goal().rank(0.9, 2)


@given(
    st.integers(0, 8),
    st.sampled_from([0.5, 1.0, 2.0, 6.0]),
    st.sampled_from([0.0, 0.5, 3.0]),
    st.sampled_from([1.0, 5.0, 8.0]),
)
def test_a_rung_pays_below_the_break_even(escalated: int, weak: float, check: float, strong: float) -> None:
    """Calling the cheap model first pays iff p_esc < 1 − (c_S + c_check) / c_L, told from costs that are the same for all."""
    score = [[0.0]] * escalated + [[1.0]] * (8 - escalated)
    (rung,) = rungs_of(ladder_of(score, [[1, 1]] * 8, [weak, strong], check), [0.5])
    share = escalated / 8
    assert rung.escalated == share
    assert (rung.own_usd, rung.rest_usd) == (weak + check, strong)
    assert rung.pays == (share < 1 - (weak + check) / strong)
    even = break_even_escalation(weak=weak, verification=check, strong=strong)
    assert rung.pays == (even is not None and share < even)
    assert f"{share:.0%} of w's answers would go on to s" in rung.told("w", "s")
    assert ("never" in rung.told("w", "s")) == (even is None or even <= 0)


def test_economics_of_three_rungs() -> None:
    """What comes after a rung is what the rungs above cost as they are used; unchecked answers cost no check."""
    ladder = ladder_of([[0.0, 1.0], [0.0, 0.0], [1.0, 1.0], [1.0, 0.0]], [[1, 1, 1]] * 4, [1, 4, 20], 1)
    first, second = rungs_of(ladder, [0.5, 0.5])
    assert (first.own_usd, first.rest_usd, first.escalated) == (2, (5 + 25 + 5 + 25) / 4, 0.5)
    assert (second.own_usd, second.rest_usd, second.escalated) == (5, 20, 0.5)
    assert first.pays
    assert second.pays
    unchecked, _ = rungs_of(ladder, [ALWAYS, 0.5])
    assert (unchecked.own_usd, unchecked.escalated) == (1, 0)


def test_rungs_that_nobody_reaches() -> None:
    """A rung behind one that takes everything saves nothing, and is told as what it is; an unknown cost is no reason."""
    ladder = ladder_of([[1.0, 1.0]] * 2, [[1, 1, 1]] * 2, [1, 4, 20])
    _, second = rungs_of(ladder, [ALWAYS, 0.5])
    assert not second.pays
    assert second.told("b", "c") == "no query would go on to b"
    (unknown,) = rungs_of(ladder_of([[1.0]], [[1, 1]], [nan, 20]), [0.5])
    assert unknown.pays
    assert unknown.rest_usd is None


def test_no_thresholds_for_a_single_rung() -> None:
    """One model alone has nothing to set."""
    ladder = ladder_of(np.zeros((2, 0)), [[1], [0]], [3])
    assert search(ladder, Goal(usd=1.0)) == measured(ladder, ())
    assert measured(ladder, ()).cost_usd == 3
    assert candidates(ladder) == []
