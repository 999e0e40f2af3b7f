"""Whether "about N more labelled queries would settle it" is true: N more are added to the sample, which is audited again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from audit_claims import POWER, Claim, advice
from audit_truth import Population, Truth

from pointsman.selection.audit import Audit, audit

MARGIN = 0.05  # finer ones ask for more queries than the sets hold
SAVING = 0.1  # of the cost, that is worth a router
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
    true one is away from it. Savings are not what N is for: how often "single" misses one is told beside it.
    """
    yield Claim(name="N more: settled", stated=POWER, held=report.advice.kind != "more data")
    for trial in report.trials:
        found, gain = trial.first.difference, float(truth.first[trial.name].difference.mean())
        if found is not None:
            error = (found.estimate - gain) * truth.scale
            shown = MARGIN + error - (found.estimate - found.low) > 0
            yield Claim(name=f"N more: {trial.name} shows the margin", stated=POWER, held=shown)
    router = next(claim.held for claim in advice(report, truth) if claim.name == "no false 'router'")
    yield Claim(name="N more: no false 'router'", stated=report.level, held=router)
    if report.advice.kind == "single":
        column = truth.rest.models.index(report.advice.model)
        quality, cost = truth.rest.mean_quality[column], truth.rest.mean_cost_usd[column]
        routers = (*truth.first.values(), *truth.frugal.values())
        gained = any(each.quality - quality >= MARGIN for each in routers)
        saved = any(each.quality > quality and each.cost <= (1 - SAVING) * cost for each in routers)
        yield Claim(name="N more: 'single' misses no gain", stated=POWER, held=not gained)
        yield Claim(name="N more: 'single' misses no saving", stated=float("nan"), held=not saved)
