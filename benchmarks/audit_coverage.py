"""Whether what an audit states holds: samples of real outcomes are audited, and every claim is checked on the rest.

python benchmarks/audit_coverage.py [--draws 100] [--sizes 100 300 1000] [--out FOLDER] [SET ...]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
from audit_claims import Claim, advice, claims
from audit_needed import needed_claims
from audit_noise import noise_claims
from audit_truth import Population, Truth
from rich.console import Console
from rich.table import Table

from pointsman.metrics import proportion_interval
from pointsman.selection.audit import audit

SETS = ("routellm_gsm8k", "alpaca_eval2", "math_vision", "llmrouter_nim", "routellm_mmlu", "mmlu_pro", "mot_samples")
REPEATED = "mot_samples"  # runs of every model on every query, which tell of noise and are too few queries for the rest
LARGEST_SHARE = 0.4  # of a set, that a sample may take
ASKING = {"llmrouter_nim": (100, 300), "mmlu_pro": (100, 300)}  # samples that get the queries that their audit asks for

Rows = dict[tuple[str, int], list[Claim]]


def main() -> None:
    """Print a table per set, and write every claim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--out", type=Path, default=Path("bench-results/audit"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.sets:
        started = time.perf_counter()
        found = run(name, options.sizes, options.draws)
        seconds = time.perf_counter() - started
        Console(width=130).print(table(f"{name}: {options.draws} samples of each size, {seconds:.0f} s", found))
        rows = [{"n": n} | asdict(claim) for (_, n), kept in found.items() for claim in kept]
        (options.out / f"{name}.json").write_text(json.dumps(rows))


def run(name: str, sizes: list[int], draws: int) -> Rows:
    """Return the claims of all audits, by name and sample size."""
    found: Rows = defaultdict(list)
    if name == REPEATED:
        for n, runs in product((100, 300), (1, 2, 4)):
            for claim in noise_claims(runs, n, draws):
                found[claim.name, n].append(claim)
        return found
    population = Population.read(name)
    for n in sizes:
        if n > LARGEST_SHARE * len(population.data):
            continue
        for seed in range(draws):
            for claim in _checked(population, n, seed):
                found[claim.name, n].append(claim)
        if n in ASKING.get(name, ()):
            for claim in needed_claims(population, n, draws):
                found[claim.name, n].append(claim)
    return found


def _checked(population: Population, n: int, seed: int) -> Iterator[Claim]:
    """Audit one sample, and one of outcomes that belong to other texts."""
    rng = np.random.default_rng([seed, n])
    drawn, rest = population.draw(n, rng)
    yield from claims(audit(population.data.take(drawn)), Truth.of(population, drawn, rest), rng)
    control = population.shuffled(rng)
    report = audit(control.data.take(drawn))
    known = None if report.advice.kind == "more data" else Truth.of(control, drawn, rest)
    for claim in advice(report, known):
        yield Claim(name=f"shuffled: {claim.name}", stated=claim.stated, held=claim.held)


def table(title: str, found: Rows) -> Table:
    """Lay out how often each claim held, with the exact 95 % interval; what fell short by more than chance is marked."""
    shown = Table(title=title)
    for heading in ("claim", "n", "stated", "held", "95 %", "of", "width", "error", ""):
        shown.add_column(heading, justify="left" if heading == "claim" else "right")
    for (name, n), kept in found.items():
        rate = proportion_interval(sum(claim.held for claim in kept), len(kept))
        stated = float(np.median([claim.stated for claim in kept]))
        error = np.mean([claim.estimate - claim.truth for claim in kept])
        shown.add_row(
            name,
            str(n),
            "" if np.isnan(stated) else f"{stated:.3f}",
            f"{rate.estimate:.3f}",
            f"{rate.low:.2f} to {rate.high:.2f}",
            str(len(kept)),
            _figure(float(np.median([claim.width for claim in kept]))),
            _figure(float(error)),
            "short" if rate.high < stated else "",
        )
    return shown


def _figure(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3g}"


if __name__ == "__main__":
    main()
