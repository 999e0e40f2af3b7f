"""Whether "about N more labelled queries would settle it" is true: N more are added to the sample, which is audited again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from audit_claims import POWER, Claim, advice
from audit_truth import Population, Truth

from pointsman.selection.audit import audit

MARGINS = (0.05, 0.03)  # a point would ask for more queries than the sets hold
LARGEST_SHARE = 0.6  # of a set, that the sample and what is added to it may take


def needed_claims(population: Population, n: int, draws: int) -> Iterator[Claim]:
    """Yield, of every sample whose audit asks for N more queries, what the audit says once it has them.

    The advice should no longer ask for more, and a router that gains the margin should be shown to gain something, each with
    the power that N is for. The second is checked with the truth moved to the margin, since few routers gain just that.
    """
    for margin in MARGINS:
        for seed in range(draws):
            rng = np.random.default_rng([seed, n])
            drawn, rest = population.draw(n, rng)
            more = audit(population.data.take(drawn), margin=margin).advice.more
            if more is None or len(drawn) + more > LARGEST_SHARE * len(population.data):
                continue
            drawn, rest = np.append(drawn, rest[:more]), rest[more:]
            report, truth = audit(population.data.take(drawn), margin=margin), Truth.of(population, drawn, rest)
            said = f"N more, margin {margin}"
            yield Claim(name=f"{said}: settled", stated=POWER, held=report.advice.kind != "more data", width=more)
            for trial in report.trials:
                found = trial.first.difference
                if found is not None:
                    gain = float(truth.first[trial.name].difference.mean())
                    low = found.low + (gain - found.estimate) * (1 - truth.scale)
                    yield Claim(name=f"{said}: {trial.name} shows it", stated=POWER, held=low - gain + margin > 0)
            for claim in advice(report, truth):
                if claim.name.startswith("no false"):
                    yield Claim(name=f"{said}: {claim.name}", stated=claim.stated, held=claim.held)
