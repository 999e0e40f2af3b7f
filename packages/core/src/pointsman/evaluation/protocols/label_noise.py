"""Label noise: would the router have decided alike if the same models had been run and scored again?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.data.dataset import RoutingDataset
from pointsman.errors import ConfigError, DataError
from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.plain import plain
from pointsman.evaluation.protocols.pooling import over_trials
from pointsman.evaluation.protocols.trial import Bootstrap, Parts, Trial, checked
from pointsman.metrics import Interval
from pointsman.routers.base import Router

__all__ = ["LabelNoise", "NoisyFit", "RerunNoise", "flip_outcomes", "label_noise", "redraw_runs"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyFit:
    """Routers fitted on spoilt outcomes beside the one fitted on the outcomes as they are.

    Parameters:
        share: The share of training outcomes that were turned round.
        flips: The share of test queries that a spoilt router sends to another model.
        quality_change: Mean quality of the spoilt routers' answers minus that of the unspoilt one's.
        aiq_gain: Mean AIQ above the Zero router of the same spoilt outcomes, over repeats; None where costs are unknown.
    """

    share: float
    flips: Interval | None
    quality_change: Interval | None
    aiq_gain: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunNoise:
    """Routers fitted on outcomes drawn again from the runs on record.

    Parameters:
        runs: How many runs each cell was given: "as recorded", or "1".
        flips: The share of test queries on which two such routers disagree.
        quality_change: Mean quality of their answers minus that of the router fitted on the record.
        aiq_gains: AIQ above the Zero router, mean and interval over redraws.
    """

    runs: str
    flips: Interval | None
    quality_change: Interval | None
    aiq_gains: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNoise:
    """How stable a router's decisions are under noise in what it learns from.

    Parameters:
        level: Coverage of the intervals, over test queries.
        queries: Test queries.
        repeats: Fits behind each entry.
        aiq_gain: AIQ above the Zero router of the router fitted on the outcomes as they are.
        simulated: One entry per share of outcomes turned round.
        reruns: One entry per number of runs; () for data without repeated runs.
        repeated: Share of cells with several runs.
    """

    level: float
    queries: int
    repeats: int
    aiq_gain: Interval | None
    simulated: tuple[NoisyFit, ...]
    reruns: tuple[RerunNoise, ...]
    repeated: float

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON data."""
        data: dict[str, Any] = plain(self)
        return data

    def __str__(self) -> str:
        from pointsman.evaluation.protocols.tables import noise_text

        return noise_text(self)


def label_noise(
    router: Router,
    dataset: RoutingDataset,
    *,
    shares: Sequence[float] = (0.02, 0.05, 0.1, 0.2),
    repeats: int = 3,
    level: float = 0.95,
    draws: int = 1000,
    random_state: int = 0,
) -> LabelNoise:
    """Return how often noise in training outcomes changes a decision, and what that costs, on untouched test outcomes.

    About one outcome in twenty flips between identical runs (2608.23023). Simulated noise turns outcomes round, q → 1 − q, in
    the training and the validation part. Where cells were run several times, their means are drawn again too: once with as many
    runs as were made, once with a single one, which shows what repeating runs is worth.

    Args:
        router: An unfitted router, judged at its own setting.
        dataset: Outcomes; with repeated runs, `runs` and `run_variance` are used.
        shares: Shares of outcomes to turn round, in [0, 1].
        repeats: Fits of each kind, at least 2.
        level: Coverage of the intervals.
        draws: Bootstrap resamples, at least 100.
        random_state: The seed of everything.

    Raises:
        ConfigError: A number is out of range.
        DataError: The data are too few to be split.
    """
    if repeats < 2:  # noqa: PLR2004 - a disagreement takes two
        raise ConfigError(f"repeats must be at least 2, got {repeats}.")
    checked("shares", shares, low=0, high=1)
    bootstrap, data = Bootstrap(level=level, draws=draws, random_state=random_state), dataset.canonical()
    parts, _ = Parts.of(data, random_state).observed()
    bench = _Bench(clean=Trial.of(router, parts, bootstrap), router=router, parts=parts, bootstrap=bootstrap)
    several = np.zeros(data.quality.shape, dtype=np.bool_) if data.runs is None else data.runs > 1
    ways: Mapping[str, int | None] = {"as recorded": None, "1": 1} if several.any() else {}
    return LabelNoise(
        level=level,
        queries=len(parts.test),
        repeats=repeats,
        aiq_gain=bench.clean.gain_interval,
        simulated=tuple(bench.noisy(share, repeats) for share in sorted(set(shares))),
        reruns=tuple(bench.rerun(name, runs, repeats) for name, runs in ways.items()),
        repeated=float(several.mean()),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Bench:
    """The unspoilt trial, and how to make spoilt ones."""

    clean: Trial
    router: Router
    parts: Parts
    bootstrap: Bootstrap

    def noisy(self, share: float, repeats: int) -> NoisyFit:
        """Fit on outcomes of which a share is turned round."""
        trials = list(self._trials(repeats, lambda data, seed: flip_outcomes(data, share, seed)))
        flips = [trial.outcomes.model != self.clean.outcomes.model for trial in trials]
        gains = [trial.gain for trial in trials if trial.gain is not None]
        return NoisyFit(
            share=share,
            flips=self._share(flips),
            quality_change=self._change(trials),
            aiq_gain=float(np.mean(gains)) if gains else None,
        )

    def rerun(self, name: str, runs: int | None, repeats: int) -> RerunNoise:
        """Fit on outcomes drawn again."""
        trials = list(self._trials(repeats, lambda data, seed: redraw_runs(data, runs, seed)))
        flips = [a.outcomes.model != b.outcomes.model for a, b in combinations(trials, 2)]
        return RerunNoise(
            runs=name,
            flips=self._share(flips),
            quality_change=self._change(trials),
            aiq_gains=over_trials([trial.gain for trial in trials], self.bootstrap.level),
        )

    def _trials(self, repeats: int, spoil: Any) -> Iterator[Trial]:
        for repeat in range(repeats):
            seeds = [(self.bootstrap.random_state, repeat, part) for part in (0, 1)]
            train, validation = (
                spoil(part, seed) for part, seed in zip((self.parts.train, self.parts.validation), seeds, strict=True)
            )
            spoilt = Parts(train=train, validation=validation, test=self.parts.test)
            yield Trial.of(self.router, spoilt, self.bootstrap)

    def _share(self, flips: Sequence[NDArray[np.bool_]]) -> Interval | None:
        resampling = self.bootstrap.over(self.parts.test)
        return interval_of(np.mean(flips, axis=0), resampling, level=self.bootstrap.level)

    def _change(self, trials: Sequence[Trial]) -> Interval | None:
        quality = np.mean([trial.outcomes.quality for trial in trials], axis=0)
        resampling = self.bootstrap.over(self.parts.test)
        return interval_of(quality - self.clean.outcomes.quality, resampling, level=self.bootstrap.level, low=-1)


def flip_outcomes(data: RoutingDataset, share: float, seed: Sequence[int]) -> RoutingDataset:
    """Return the data with this share of observed outcomes turned round at random: q becomes 1 − q."""
    drawn = np.random.default_rng(seed).random(data.quality.shape) < share
    return replace(data, quality=np.where(drawn, 1 - data.quality, data.quality), groups=data.group_of)


def redraw_runs(data: RoutingDataset, runs: int | None, seed: Sequence[int]) -> RoutingDataset:
    """Return the data with the mean of each repeatedly run cell drawn again, as of `runs` runs; None: as many as there were.

    The mean of r runs has the cell's mean and its variance between runs divided by r; it is drawn from the beta distribution of
    these two, and from 0 and 1 where they leave nothing else. Cells that were run once, or never varied, stay what they are.

    Raises:
        DataError: The data have no repeated runs.
    """
    if data.runs is None or data.run_variance is None:
        raise DataError("There are no repeated runs to draw again: the dataset has no runs and run_variance.")
    mean, count = data.quality, data.runs if runs is None else np.full(data.runs.shape, runs)
    with np.errstate(invalid="ignore"):
        varied = (data.runs > 1) & (data.run_variance > 0) & (mean > 0) & (mean < 1)
    rng = np.random.default_rng(seed)
    p = np.where(varied, mean, 0.5)
    # Between runs the variance of a mean p is at most p(1 − p); the unbiased estimate may say a little more.
    spread = np.minimum(np.where(varied, data.run_variance, 0.0) / np.maximum(count, 1) / (p * (1 - p)), 1.0)
    sharp = np.where(spread < 1, 1 / np.maximum(spread, 1e-12) - 1, 1.0)
    drawn = np.where(spread < 1, rng.beta(p * sharp + 1e-12, (1 - p) * sharp + 1e-12), rng.random(p.shape) < p)
    return replace(data, quality=np.where(varied, np.clip(drawn, 0, 1), mean), groups=data.group_of)
