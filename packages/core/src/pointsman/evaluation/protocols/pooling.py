"""Pooling: one figure of several trials, with an interval over queries and one over the trials themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.protocols.trial import Bootstrap, Trial
from pointsman.evaluation.resampling import Resampling, percentile_interval
from pointsman.metrics import Interval, mean_interval

__all__ = ["over_queries", "over_trials", "pooled_gain"]

Vector = NDArray[np.float64]


def over_queries(
    values: Sequence[Vector], groups: Sequence[NDArray[np.int64]], bootstrap: Bootstrap
) -> Interval | None:
    """Return the mean of paired differences, a vector per trial, with its interval over the queries of all trials."""
    if not values:
        return None
    group = np.unique(np.concatenate(groups), return_inverse=True)[1].astype(np.int64)
    resampling = Resampling(group=group, draws=bootstrap.draws, random_state=bootstrap.random_state)
    return interval_of(np.concatenate(values), resampling, level=bootstrap.level, low=-1)


def over_trials(values: Sequence[float | None], level: float) -> Interval | None:
    """Return the plain mean of a figure of each trial, with Student's interval over trials; None for under two.

    >>> over_trials([0.1, 0.3, None], 0.95).estimate
    0.2
    """
    known = [value for value in values if value is not None and np.isfinite(value)]
    return mean_interval(known, level=level) if len(known) > 1 else None


def pooled_gain(trials: Sequence[Trial], bootstrap: Bootstrap) -> Interval | None:
    """Return the mean gain in AIQ over the Zero router, each trial counting by its queries, with its interval over queries."""
    known = [trial for trial in trials if trial.gain is not None and trial.gain_draws is not None]
    if not known:
        return None
    weights = np.array([len(trial.board.test) for trial in known], dtype=np.float64)
    weights /= weights.sum()
    gains = np.array([trial.gain for trial in known], dtype=np.float64)
    # Trials of disjoint queries: each draws on its own, so the i-th draws of all of them make one draw of the mean.
    drawn = np.array([_shuffled(trial, i, bootstrap) for i, trial in enumerate(known)])
    return percentile_interval(float(weights @ gains), weights @ drawn, bootstrap.level)


def _shuffled(trial: Trial, number: int, bootstrap: Bootstrap) -> Vector:
    """Return a trial's draws in an order of its own: the same seed must not tie the draws of different queries together."""
    draws = trial.gain_draws
    found = np.full(bootstrap.draws, np.nan) if draws is None else draws
    return np.random.default_rng([bootstrap.random_state, number]).permutation(found)
