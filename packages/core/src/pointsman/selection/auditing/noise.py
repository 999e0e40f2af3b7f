"""Noise: how much of the headroom would be there again if every model were asked once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset

__all__ = ["ASSUMED_FLIPS", "Noise", "noise"]

Matrix = NDArray[np.float64]

ASSUMED_FLIPS = 0.05
"""Share of outcomes assumed to differ between two runs where nobody ran anything twice; about what repeated runs have shown."""

_ROWS = 30
_SPLITS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """The headroom that is not luck.

    Parameters:
        basis: "runs" where the models were run repeatedly: models are chosen on one half of the runs and scored on the other.
            "assumption" where they were not, and nothing about it is measured: `flips` is assumed.
        flips: Share of outcomes that differ between two runs (for graded quality: twice the variance between runs).
        queries: Queries that this rests on.
        oracle: Mean quality, in another run, of the models that hindsight would choose.
        headroom: That minus the best single model's.
    """

    basis: Literal["runs", "assumption"]
    flips: float
    queries: int
    oracle: float
    headroom: float


def noise(dataset: RoutingDataset, best: int, *, random_state: int) -> Noise | None:
    """Return how much headroom over column `best` repeats; None when no query was answered by every model."""
    repeated = _repeated(dataset, best, random_state)
    return repeated if repeated is not None else _assumed(dataset.quality, best)


def _repeated(dataset: RoutingDataset, best: int, random_state: int) -> Noise | None:
    """Choose on half of the runs and score on the other; None when too few queries were run twice by every model.

    A cell's runs have mean μ and variance s² (r of them). Its two halves are taken to be μ ± s/√r with a random sign: exact
    for two runs, and of the right mean and spread, uncorrelated, for more.
    """
    if dataset.runs is None or dataset.run_variance is None:
        return None
    twice = (np.isfinite(dataset.run_variance) & np.isfinite(dataset.quality)).all(axis=1)
    rows = np.flatnonzero(twice)
    if len(rows) < _ROWS:
        return None
    # Of models that did equally well in a half, hindsight takes the better on average, not the first by name.
    order = np.argsort(-dataset.quality[rows].mean(axis=0), kind="stable")
    mean, variance = dataset.quality[rows][:, order], dataset.run_variance[rows][:, order]
    half = np.sqrt(variance / dataset.runs[rows][:, order])
    rng, at = np.random.default_rng(random_state), np.arange(len(rows))
    found = []
    for _ in range(_SPLITS):
        sign = rng.choice([-1.0, 1.0], size=mean.shape)
        found.append(float((mean - sign * half)[at, (mean + sign * half).argmax(axis=1)].mean()))
    oracle = float(np.mean(found))
    return Noise(
        basis="runs",
        flips=2 * float(variance.mean()),
        queries=len(rows),
        oracle=oracle,
        headroom=oracle - float(dataset.quality[rows, best].mean()),
    )


def _assumed(quality: Matrix, best: int) -> Noise | None:
    """Expect each outcome to fall back towards its model's mean, as much as the assumed flips make it.

    Two runs that differ with probability f, and have the same mean, correlate by ρ = 1 − f / (2 var), so that an outcome q is
    expected to be mean + ρ (q − mean) in another run.
    """
    complete = quality[np.isfinite(quality).all(axis=1)]
    if not len(complete):
        return None
    mean, variance = complete.mean(axis=0), complete.var(axis=0)
    repeats = np.clip(1 - np.divide(ASSUMED_FLIPS / 2, variance, out=np.ones_like(variance), where=variance > 0), 0, 1)
    oracle = float((mean + repeats * (complete - mean)).max(axis=1).mean())
    return Noise(
        basis="assumption",
        flips=ASSUMED_FLIPS,
        queries=len(complete),
        oracle=oracle,
        headroom=oracle - float(mean[best]),
    )
