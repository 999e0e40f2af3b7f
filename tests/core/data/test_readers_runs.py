"""Repeated runs of one cell become a mean, a count and a variance."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data import RoutingDataset


def cell(*rows: dict[str, object]) -> RoutingDataset:
    """Return a dataset of one cell made of these rows."""
    return RoutingDataset.from_rows([{"text": "a", "model": "m", **row} for row in rows])


def test_runs_are_averaged_and_their_variance_kept() -> None:
    """The mean, the number of runs, and the unbiased variance, as numpy has them."""
    scores = [0.1, 0.7, 0.4]
    data = cell(*({"quality": score, "run": i} for i, score in enumerate(scores)))
    assert data.quality[0, 0] == pytest.approx(np.mean(scores), abs=1e-15)
    assert data.runs is not None
    assert data.run_variance is not None
    assert data.runs[0, 0] == 3
    assert data.run_variance[0, 0] == pytest.approx(np.var(scores, ddof=1), abs=1e-15)


def test_rows_that_sum_up_runs_are_pooled_as_if_each_run_had_its_row() -> None:
    """Mean, count and variance of parts give those of the whole."""
    scores = np.array([0.0, 0.25, 1.0, 0.5, 0.5])
    parts = [scores[:3], scores[3:]]
    data = cell(*({"quality": p.mean(), "runs": len(p), "run_variance": p.var(ddof=1)} for p in parts))
    assert data.runs is not None
    assert data.run_variance is not None
    assert data.runs[0, 0] == 5
    assert data.quality[0, 0] == pytest.approx(scores.mean())
    assert data.run_variance[0, 0] == pytest.approx(scores.var(ddof=1))


def test_an_unknown_variance_makes_the_pooled_one_unknown() -> None:
    """Three runs whose spread nobody noted leave the spread of all unknown."""
    data = cell({"quality": 0.5, "runs": 3}, {"quality": 1.0})
    assert data.run_variance is not None
    assert np.isnan(data.run_variance[0, 0])


def test_costs_are_averaged_over_the_runs_that_have_one() -> None:
    """An unknown cost does not count as 0."""
    assert cell({"quality": 1, "cost_usd": 0.2}, {"quality": 0}, {"quality": 0, "cost_usd": 0.4}).cost_usd[
        0, 0
    ] == pytest.approx(0.3)


def test_equal_runs_give_exactly_their_value() -> None:
    """Averaging adds no rounding error of its own."""
    assert cell(*[{"quality": 0.1, "cost_usd": 0.3}] * 7).quality[0, 0] == 0.1


def test_a_mean_never_leaves_the_range_of_its_runs() -> None:
    """Not even by rounding, where one row stands for almost all runs."""
    assert cell({"quality": 0.31}, {"quality": 0.92, "runs": 10**17}).quality[0, 0] <= 0.92


def test_an_unscored_run_does_not_count_as_one() -> None:
    """Two scored runs and a failed one are two runs."""
    data = cell({"quality": 1}, {"quality": None}, {"quality": 0})
    assert data.runs is not None
    assert data.runs[0, 0] == 2
    assert data.quality[0, 0] == 0.5


def test_a_cell_of_unscored_runs_only_is_not_observed() -> None:
    """No score, no quality and no runs; what else is known stays."""
    data = cell({"quality": None, "cost_usd": 0.5}, {"quality": None})
    assert np.isnan(data.quality[0, 0])
    assert data.cost_usd[0, 0] == 0.5
    assert data.runs is None


def test_the_first_answer_stays() -> None:
    """Of several runs the answer kept is that of the first row that has one."""
    data = cell({"quality": 1}, {"quality": 1, "answer": "x"}, {"quality": 1, "answer": "y"})
    assert data.answers is not None
    assert data.answers[0, 0] == "x"


def test_single_runs_need_no_count() -> None:
    """Where every cell was run once, `runs` and `run_variance` are None."""
    data = cell({"quality": 1, "runs": 1})
    assert data.runs is data.run_variance is None
