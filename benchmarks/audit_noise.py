"""What repeated runs tell of luck, checked where every model's chance on every query is known from many more runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from audit_claims import Claim
from protocol import load

from pointsman.data import RoutingDataset
from pointsman.selection.audit import audit

DOMAIN = "date-understanding"
FRESH = 200


def noise_claims(runs: int, n: int, draws: int) -> Iterator[Claim]:
    """Yield what the audit says of n queries with a few runs each; the pass rates of all samples are the chances."""
    data = load("mot_samples")
    rows = [i for i, domain in enumerate(data.queries.domains) if domain == DOMAIN]
    chances = data.take(rows).only([name for name in data.models if "greedy" not in name])
    for seed in range(draws):
        rng = np.random.default_rng([seed, n, runs])
        report = audit(_run(chances.take(rng.choice(len(rows), n, replace=False)), runs, rng))
        if report.noise is None:
            continue
        best = chances.models.index(report.best_single)
        oracle = _chosen_by_half(chances.quality, runs, rng)
        headroom = oracle - float(chances.quality[:, best].mean())
        flips = float((2 * chances.quality * (1 - chances.quality)).mean())
        for name, told, truth in (
            ("oracle", report.noise.oracle, oracle),
            ("headroom", report.noise.headroom, headroom),
            ("flips", report.noise.flips, flips),
        ):
            what = f"noise by {report.noise.basis}, {runs} runs: {name}"
            yield Claim(
                name=what, stated=float("nan"), held=abs(told - truth) < report.margin, estimate=told, truth=truth
            )


def _run(chances: RoutingDataset, runs: int, rng: np.random.Generator) -> RoutingDataset:
    drawn = (rng.random((runs, *chances.quality.shape)) < chances.quality).astype(float)
    if runs == 1:
        return replace(chances, quality=drawn[0])
    counts = np.full(chances.quality.shape, runs, dtype=np.int64)
    return replace(chances, quality=drawn.mean(axis=0), runs=counts, run_variance=drawn.var(axis=0, ddof=1))


def _chosen_by_half(chances: np.ndarray, runs: int, rng: np.random.Generator) -> float:
    """Return the mean chance of the models that half of the runs would choose; the better on average of equals."""
    half, order = max(1, runs // 2), np.argsort(-chances.mean(axis=0))
    known, n = chances[:, order], np.arange(len(chances))
    drawn = (rng.random((FRESH, half, *known.shape)) < known).mean(axis=1)
    return float(np.mean([known[n, once.argmax(axis=1)].mean() for once in drawn]))
