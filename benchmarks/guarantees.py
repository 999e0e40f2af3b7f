"""Do guarantees hold? Two hundred calibration sets a row, drawn from real outcomes whose true loss is known.

    python benchmarks/guarantees.py [draws]

The outcomes of a data set stand for the whole population: a calibration set is drawn from it with replacement, so that the loss
at the threshold it leads to is known exactly. Conformal risk control promises that this loss is at most epsilon on average over
calibration sets, learn then test that it exceeds epsilon for at most a share delta of them. Savings are those of the
population, and 0 where the drafts pay for nothing, as then the reference answers alone; sets that are too small are refused and
count as saving nothing.

mmlu_pro: three models by agreement of options, 500 calibration queries. gsm8k: Llama-2-13B, by the agreement of eight samples
of its programs with its first one, then GPT-4; 200 calibration queries. Both need POINTSMAN_DATA.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pointsman.confidence.agreement import Agreement
from pointsman.confidence.base import Confidence, prefixes
from pointsman.confidence.consistency import SelfConsistency
from pointsman.confidence.matches import ChoiceMatch, NumericMatch
from pointsman.data.dataset import RoutingDataset
from pointsman.metrics import rows_for_certainty, rows_for_expectation, settings_in_expectation, settings_with_certainty
from pointsman.routers.ladder import Ladder
from pointsman.routers.risk_controlled import settings

Matrix = NDArray[np.float64]
DELTA = 0.1


@dataclass(frozen=True)
class Population:
    """Losses (n, k) of n queries at k thresholds, the safest first; their mean costs (k,), the reference's; a set's size."""

    losses: Matrix
    cost: Matrix
    full: float
    size: int

    @classmethod
    def of(cls, data: RoutingDataset, order: tuple[str, ...], confidence: Confidence, size: int) -> Population:
        """Replay a cascade at every threshold; the last model is the reference."""
        scored = [confidence.recorded(data, ran) for ran in prefixes(order)[:-1]]
        ladder = Ladder.of(data, order, scored)
        climbs = [ladder.climb([limit] * (len(order) - 1)) for limit in settings()]
        losses = np.column_stack([np.maximum(ladder.quality[:, -1] - climb.quality, 0) for climb in climbs])
        known = np.isfinite(losses).all(axis=1)
        cost = np.array([climb.cost_usd[known].mean() for climb in climbs])
        return cls(losses[known], cost, float(ladder.cost_usd[known, -1].mean()), size)


def folder() -> Path:
    """Return where the outcomes are."""
    return Path(os.environ.get("POINTSMAN_DATA", "shared/data"))


def mmlu_pro() -> Population:
    """Return a small model, a cheap one that has to agree with it, and the best one."""
    order = ("Phi-3-mini-4k-instruct", "gemini-1.5-flash-002", "gemini-1.5-pro-002")
    data = RoutingDataset.read(folder() / "mmlu_pro")
    return Population.of(data, order, Agreement(equivalence=ChoiceMatch()), 500)


def gsm8k() -> Population:
    """Return a small model whose first program is checked by eight more, and GPT-4."""
    order = ("llama-2-13b-chat|pot2", "gpt-4|cot2|greedy")
    data = RoutingDataset.read(folder() / "mot_samples").only(order)
    data = data.take(np.flatnonzero([domain == "math-grade-school" for domain in data.queries.domains]))
    samples, scores, kept = data.samples, data.sample_quality, data.answers
    if samples is None or scores is None or kept is None:
        raise SystemExit("mot_samples has no samples.")
    first, ran = samples[:, 0, 0], np.flatnonzero(np.isfinite(scores[:, 0, 0]))
    answers, quality = kept.copy(), data.quality.copy()
    answers[:, 0], quality[:, 0] = np.where(first == None, "", first), scores[:, 0, 0]  # noqa: E711 - elementwise
    once = replace(data, answers=answers, quality=quality, samples=samples[:, :, 1:], sample_quality=scores[:, :, 1:])
    return Population.of(once.take(ran), order, SelfConsistency(samples=8, equivalence=NumericMatch()), 200)


def row(people: Population, epsilon: float, delta: float | None, draws: int) -> tuple[float, float, float, int]:
    """Return the mean loss, the share of sets whose loss is above epsilon, the mean saving, and how many were refused."""
    rng = np.random.default_rng(0)
    risk, saving, refused = np.zeros(draws), np.zeros(draws), 0
    truth = people.losses.mean(axis=0)
    for draw in range(draws):
        chosen = people.losses[rng.integers(len(people.losses), size=people.size)]
        if delta is None:
            too_few = people.size < rows_for_expectation(epsilon)
            passed = 0 if too_few else settings_in_expectation(chosen, epsilon)
        else:
            too_few = people.size < rows_for_certainty(epsilon, delta)
            passed = 0 if too_few else settings_with_certainty(chosen, epsilon, delta)
        refused += not passed
        if passed and (best := int(np.argmin(people.cost[:passed]))) and people.cost[best] < people.full:
            risk[draw], saving[draw] = truth[best], 1 - people.cost[best] / people.full
    return float(risk.mean()), float((risk > epsilon).mean()), float(saving.mean()), refused


def main() -> None:
    """Print a row for every population, form and epsilon."""
    logging.disable(logging.WARNING)
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{'data':9} {'form':22} {'epsilon':>7} {'mean loss':>9} {'sets above':>10} {'saving':>7} {'refused':>7}")
    for name, make in (("mmlu_pro", mmlu_pro), ("gsm8k", gsm8k)):
        people = make()
        for delta in (None, DELTA):
            form = "in expectation" if delta is None else f"with probability {1 - delta:g}"
            for epsilon in (0.02, 0.05, 0.1):
                loss, above, saving, refused = row(people, epsilon, delta, draws)
                print(f"{name:9} {form:22} {epsilon:7.2f} {loss:9.4f} {above:10.1%} {saving:7.1%} {refused:7d}")


if __name__ == "__main__":
    main()
