"""What an audit is made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pointsman.data import RoutingDataset
from pointsman.estimators.base import Estimates
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import mean_interval, proportion_interval
from pointsman.selection.auditing.ceiling import ceiling
from pointsman.selection.auditing.crossfit import CrossFit
from pointsman.selection.auditing.noise import ASSUMED_FLIPS, noise
from pointsman.selection.auditing.standings import near_tied, standings
from pointsman.selection.auditing.swap import swap
from pointsman.selection.auditing.trial import trials


def made(quality: np.ndarray, cost: np.ndarray | None = None) -> RoutingDataset:
    """Make a dataset of models m0, m1, ... on distinct texts."""
    n, m = quality.shape
    costs = np.tile(np.arange(1.0, m + 1), (n, 1)) if cost is None else cost
    names = [f"m{j}" for j in range(m)]
    columns = ({name: matrix[:, j] for j, name in enumerate(names)} for matrix in (quality, costs))
    return RoutingDataset.from_arrays([f"text {i}" for i in range(n)], *columns)


def draws(data: RoutingDataset, count: int = 400) -> Resampling:
    """Resample the groups of a dataset."""
    return Resampling(group=data.group_of, draws=count, random_state=0)


def coins(n: int, *chances: float, seed: int = 0) -> np.ndarray:
    """Outcomes that are right with the given chances, independently."""
    return (np.random.default_rng(seed).random((n, len(chances))) < chances).astype(float)


def test_standings_are_ordered_and_sure() -> None:
    """The best comes first; the chances of being best add up to one and are certain for a clear winner."""
    data = made(coins(500, 0.2, 0.9, 0.5))
    rows = standings(data, draws(data), level=0.95)
    assert [row.model for row in rows] == ["m1", "m2", "m0"]
    assert [row.chance_best for row in rows] == [1.0, 0.0, 0.0]
    assert near_tied(rows, level=0.95) == ("m1",)
    assert [row.observed for row in rows] == [1.0, 1.0, 1.0]


def test_twins_share_the_first_place() -> None:
    """Two models with the same outcomes are equally likely the best, and both may be."""
    quality = coins(100, 0.8, 0.3)
    data = made(quality[:, [0, 0, 1]])
    rows = standings(data, draws(data), level=0.95)
    assert [row.chance_best for row in rows] == [0.5, 0.5, 0.0]
    assert set(near_tied(rows, level=0.95)) == {"m0", "m1"}


def test_the_truly_best_is_among_the_tied() -> None:
    """The set that holds the best single model with 95 % probability holds it about that often."""
    held = 0
    for seed in range(100):
        data = made(coins(150, 0.5, 0.56, 0.48, seed=seed))
        held += "m1" in near_tied(standings(data, draws(data, 200), level=0.95), level=0.95)
    assert held >= 88


def test_domination_needs_one_strict_advantage() -> None:
    """A model is dominated by one that is no worse and no dearer, and better or cheaper; equals do not dominate."""
    quality = coins(100, 0.5)[:, [0, 0, 0]]
    data = made(quality, np.tile([1.0, 1.0, 2.0], (100, 1)))
    found = {row.model: row.dominated_by for row in standings(data, draws(data), level=0.95)}
    assert found == {"m0": None, "m1": None, "m2": "m0"}


def test_alone_best_is_counted_on_complete_queries() -> None:
    """The share of queries on which a model beats all others is over those that all answered."""
    quality = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], [np.nan, 1, 0]])
    data = made(quality)
    found = {row.model: row.alone for row in standings(data, draws(data), level=0.95)}
    assert found == {"m0": 0.25, "m1": 0.25, "m2": 0.0}


def test_cofailure_is_clopper_pearson() -> None:
    """β of right-or-wrong outcomes is the share of queries that nobody got right, with the exact interval."""
    data = made(coins(200, 0.5, 0.6))
    failed = int((data.quality.max(axis=1) == 0).sum())
    found = ceiling(data, 1, draws(data), level=0.95)
    assert found is not None
    assert found.binary
    assert found.cofailure == proportion_interval(failed, 200)
    assert found.oracle.estimate == pytest.approx(1 - failed / 200)
    assert found.headroom.estimate == pytest.approx((data.quality.max(axis=1) - data.quality[:, 1]).mean())


def test_graded_cofailure_is_what_the_best_misses() -> None:
    """β of graded outcomes is one minus the mean of the best, with its interval."""
    quality = np.random.default_rng(0).random((100, 3))
    found = ceiling(made(quality), 0, draws(made(quality)), level=0.95)
    assert found is not None
    assert not found.binary
    assert found.cofailure.estimate == pytest.approx(1 - quality.max(axis=1).mean())
    assert found.cofailure.high == pytest.approx(1 - found.oracle.low)


def test_no_failure_at_all_is_not_proof() -> None:
    """Where somebody was always right, β may still be what zero of n leaves open."""
    data = made(np.ones((30, 2)))
    found = ceiling(data, 0, draws(data), level=0.95)
    assert found is not None
    assert found.cofailure.estimate == 0
    assert found.cofailure.high == proportion_interval(0, 30).high


def test_repeats_widen_cofailure() -> None:
    """Queries that stand five times each tell of β what a fifth of them would."""
    data = made(coins(80, 0.5, 0.6))
    copies = data.take(np.repeat(np.arange(80), 5))
    once, many = (ceiling(part, 0, draws(part), level=0.95) for part in (data, copies))
    assert once is not None
    assert many is not None
    width = once.cofailure.high - once.cofailure.low
    assert many.cofailure.high - many.cofailure.low == pytest.approx(width, rel=0.1)


def test_only_complete_queries_bound() -> None:
    """A query that some model did not answer says nothing about the best possible answer."""
    quality = coins(100, 0.5, 0.6)
    quality[:40, 0] = np.nan
    found = ceiling(made(quality), 1, draws(made(quality)), level=0.95)
    assert found is not None
    assert found.queries == 60
    assert found.oracle.estimate == quality[40:].max(axis=1).mean()
    quality[:, 0] = np.nan
    assert ceiling(made(quality), 1, draws(made(quality)), level=0.95) is None
    assert noise(made(quality), 1, random_state=0) is None


def repeated(truth: np.ndarray, runs: int, seed: int) -> RoutingDataset:
    """Run every cell several times: its mean, and the variance between runs."""
    drawn = (np.random.default_rng(seed).random((runs, *truth.shape)) < truth).astype(float)
    data = made(drawn.mean(axis=0))
    counts = np.full(truth.shape, runs, dtype=np.int64)
    return replace(data, runs=counts, run_variance=drawn.var(axis=0, ddof=1))


@pytest.mark.parametrize("runs", [2, 5])
def test_luck_is_taken_out_by_repeated_runs(runs: int) -> None:
    """Models that differ by luck alone have no headroom left once they are scored on other runs than chosen on."""
    data = repeated(np.full((3000, 4), 0.5), runs, seed=0)
    found = noise(data, 0, random_state=0)
    assert found is not None
    assert (found.basis, found.queries) == ("runs", 3000)
    assert found.flips == pytest.approx(0.5, abs=0.02)
    assert found.headroom == pytest.approx(0, abs=0.02)
    assert data.quality.max(axis=1).mean() - data.quality[:, 0].mean() > 0.2


@pytest.mark.parametrize("runs", [2, 4])
def test_real_differences_survive(runs: int) -> None:
    """What is scored on the other half lies between the best single model and the oracle that knows every chance."""
    truth = np.random.default_rng(1).choice([0.05, 0.95], (3000, 3))
    data = repeated(truth, runs, seed=2)
    found = noise(data, 0, random_state=0)
    assert found is not None
    assert found.oracle <= truth.max(axis=1).mean() + 0.005
    assert found.headroom > 0.85 * (truth.max(axis=1).mean() - truth[:, 0].mean())


def test_the_assumption_is_what_another_run_would_give() -> None:
    """With outcomes that do flip as often as assumed, the assumed oracle is what hindsight's choices score in another run."""
    chance = (1 - np.sqrt(1 - 2 * ASSUMED_FLIPS)) / 2
    rng = np.random.default_rng(3)
    truth = np.where(rng.random((20_000, 3)) < 0.5, chance, 1 - chance)
    once = (rng.random(truth.shape) < truth).astype(float)
    again = (rng.random(truth.shape) < truth).astype(float)
    assert (once != again).mean() == pytest.approx(ASSUMED_FLIPS, abs=0.002)
    found = noise(made(once), 0, random_state=0)
    assert found is not None
    assert found.basis == "assumption"
    assert found.oracle == pytest.approx(again[np.arange(len(once)), once.argmax(axis=1)].mean(), abs=0.005)
    assert found.oracle < once.max(axis=1).mean()


def test_a_model_without_variance_repeats_its_mean() -> None:
    """A model that is always right stays right under the assumption."""
    found = noise(made(np.column_stack([np.ones(50), coins(50, 0.5)[:, 0]])), 0, random_state=0)
    assert found is not None
    assert found.oracle == pytest.approx(1)
    assert found.headroom == pytest.approx(0)


def test_equals_in_one_run_fall_to_the_better_model() -> None:
    """Where models often tie, the name decides nothing: a weak model that comes first takes nothing from the oracle."""
    truth = np.random.default_rng(4).random((2000, 1)) < np.array([0.6, 0.95])
    data = repeated(truth.astype(float), 2, seed=5)
    found = noise(data, 1, random_state=0)
    assert found is not None
    assert found.oracle == pytest.approx(truth.max(axis=1).mean())
    unsteady = noise(repeated(np.tile([0.6, 0.95], (5000, 1)), 2, seed=6), 1, random_state=0)
    assert unsteady is not None
    # The weak model is chosen only when it was right and the strong one wrong: 0.05 × 0.6 of the time.
    assert unsteady.headroom == pytest.approx(0.05 * 0.6 * (0.6 - 0.95), abs=0.01)


def test_few_repeats_are_not_enough() -> None:
    """Under thirty repeated queries the assumption stands in, and says so."""
    data = repeated(np.full((20, 2), 0.5), 2, seed=0)
    found = noise(data, 0, random_state=0)
    assert found is not None
    assert found.basis == "assumption"


def test_a_trial_does_not_see_what_it_is_judged_on() -> None:
    """Outcomes that follow from nothing give no gain: over many sets the intervals hold zero as often as they should."""
    held = 0
    for seed in range(20):
        data = made(coins(120, 0.5, 0.5, seed=seed), np.ones((120, 2)))
        (trial,) = trials(data, draws(data, 200), level=0.95, margin=0.01)
        difference = trial.first.difference
        assert difference is not None
        held += difference.low <= 0
    assert held >= 17


def test_the_best_single_model_is_that_of_the_training_folds() -> None:
    """The model to beat is chosen without the held-out queries, so two even models do not always lose to hindsight."""
    differences = []
    for seed in range(10):
        data = made(coins(100, 0.5, 0.5, seed=seed), np.ones((100, 2)))
        (trial,) = trials(data, draws(data, 100), level=0.95, margin=0.01)
        assert trial.first.quality is not None
        assert trial.first.difference is not None
        best_in_fold = trial.first.quality - trial.first.difference.estimate
        differences.append(data.mean_quality.max() - best_in_fold)
    assert min(differences) >= -1e-12
    assert max(differences) > 0.01


def test_the_frugal_setting_is_that_of_the_other_folds() -> None:
    """What a fold's own outcomes say cannot change how its queries are answered, only how the others' are."""
    rng = np.random.default_rng(0)
    data = made(coins(200, 0.7)[:, [0, 0]])
    guess = np.column_stack([rng.random(200), rng.random(200) + 0.1])
    estimates = Estimates(models=data.models, quality=guess, cost_usd=data.cost_usd)
    fold, best = np.arange(200) % 5, np.ones(5, dtype=np.intp)

    def settings(quality: np.ndarray) -> tuple[float | None, ...]:
        changed = replace(data, quality=quality)
        found = CrossFit(data=changed, routers=(estimates,) * 5, fold=fold, best=best).frugal()
        assert found is not None
        return found

    before, changed = settings(data.quality), data.quality.copy()
    changed[fold == 0] = [0.0, 1.0]
    after = settings(changed)
    assert before[0] == after[0]
    assert before[1:] != after[1:]


def test_trials_need_queries_and_models() -> None:
    """Under fifty groups, or with fewer than two models that were seen often enough, nothing is tried."""
    data = made(coins(49, 0.5, 0.6))
    assert trials(data, draws(data), level=0.95, margin=0.01) == ()
    quality = coins(100, 0.5, 0.6)
    quality[19:, 0] = np.nan
    data = made(quality)
    assert trials(data, draws(data), level=0.95, margin=0.01) == ()
    same = replace(made(coins(100, 0.5, 0.6)), groups=np.arange(100) // 4)
    assert trials(same, draws(same), level=0.95, margin=0.01) == ()


def test_a_router_that_never_differs_needs_as_many_as_exclude_the_margin() -> None:
    """Where no query differed, as many are needed as would have shown a difference of the margin with 97.5 %."""
    data = made(np.column_stack([np.ones(80), np.zeros(80)]))
    (trial,) = trials(data, draws(data), level=0.95, margin=0.01)
    assert trial.needed is not None
    assert 0.99**trial.needed.estimate <= 0.025 < 0.99 ** (trial.needed.estimate - 1)
    assert trial.first.difference is not None
    assert trial.first.difference.estimate == 0


def test_embeddings_are_used_where_there_are_any() -> None:
    """A trial reads the dataset's own vectors rather than its words."""
    easy = np.arange(200) % 2 == 0
    data = made(np.column_stack([easy, ~easy]).astype(float), np.ones((200, 2)))
    shuffled = replace(data, queries=replace(data.queries, texts=tuple(f"{hash((i, 'x'))}" for i in range(200))))
    vectors = np.column_stack([easy, ~easy]).astype(float)
    informed = replace(shuffled, queries=replace(shuffled.queries, embeddings=vectors))
    (trial,) = trials(informed, draws(informed), level=0.95, margin=0.01)
    assert trial.first.quality == 1.0


def test_swap_needs_proof() -> None:
    """A cheaper model takes the place of the best one only where it is shown to lose less than the margin."""
    same = coins(2000, 0.8)[:, [0, 0]]
    same[0] = [0.0, 1.0]
    data = made(same)
    found = swap(data, 1, draws(data), level=0.95, margin=0.01)
    assert found is not None
    assert found.model == "m0"
    assert found.beside.saving is not None
    assert found.beside.saving.estimate == pytest.approx(0.5)
    few = made(same[:120])
    assert swap(few, 1, draws(few), level=0.95, margin=0.01) is None
    worse = made(coins(2000, 0.7, 0.8))
    assert swap(worse, 1, draws(worse), level=0.95, margin=0.01) is None
    dearer = made(same, np.tile([2.0, 1.0], (2000, 1)))
    assert swap(dearer, 1, draws(dearer), level=0.95, margin=0.01) is None


def test_intervals_are_the_metrics() -> None:
    """The quality of a model has the interval that few groups ask for."""
    data = made(np.array([[0.2], [0.4], [0.9]]))
    (row,) = standings(data, draws(data), level=0.9)
    expected = mean_interval([0.2, 0.4, 0.9], level=0.9)
    assert row.quality is not None
    assert (row.quality.low, row.quality.high) == (max(expected.low, 0), min(expected.high, 1))
    assert row.alone is None
