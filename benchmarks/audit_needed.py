"""Whether "about N more labelled queries would settle it" is true: N more are added to the sample, which is audited again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from audit_claims import POWER, Claim, advice
from audit_truth import Population, Truth

from pointsman.selection.audit import Audit, audit

MARGIN = 0.05  # finer ones ask for more queries than the sets hold
LARGEST_SHARE = 0.6  # of a set, that the sample and what is added to it may take


def needed_claims(population: Population, n: int, draws: int) -> Iterator[Claim]:
    """Yield, of every sample whose audit asks for N more queries, what the audit says once it has them."""
    for seed in range(draws):
        drawn, rest = population.draw(n, np.random.default_rng([seed, n]))
        more = audit(population.data.take(drawn), margin=MARGIN).advice.more
        if more is None or len(drawn) + more > LARGEST_SHARE * len(population.data):
            yield Claim(name="N more: the set holds as many", stated=float("nan"), held=False)
            continue
        yield Claim(name="N more: the set holds as many", stated=float("nan"), held=True, width=more)
        drawn, rest = np.append(drawn, rest[:more]), rest[more:]
        yield from _answered(audit(population.data.take(drawn), margin=MARGIN), Truth.of(population, drawn, rest))


def _answered(report: Audit, truth: Truth) -> Iterator[Claim]:
    """Yield whether the question is settled: no more are asked for, and a gain of the margin is shown to be one.

    Each with the power that N is for. Few routers gain just the margin, so the gain that was found is moved by as much as the
    true one is away from it. Nor is a router that gains the margin ruled out by an advice of "single", with the same power.
    """
    yield Claim(name="N more: settled", stated=POWER, held=report.advice.kind != "more data")
    for trial in report.trials:
        found, gain = trial.first.difference, float(truth.first[trial.name].difference.mean())
        if found is not None:
            error = (found.estimate - gain) * truth.scale
            shown = MARGIN + error - (found.estimate - found.low) > 0
            yield Claim(name=f"N more: {trial.name} shows the margin", stated=POWER, held=shown)
    for claim in advice(report, truth):
        if claim.name.startswith("no false"):
            stated = POWER if "single" in claim.name else claim.stated
            yield Claim(name=f"N more: {claim.name}", stated=stated, held=claim.held)
