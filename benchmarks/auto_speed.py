"""What AutoRouter takes on mmlu_pro's 11,954 × 28 outcomes: time and memory to fit, size on disk, time to decide.

python benchmarks/auto_speed.py

Each choice of features has a process of its own, so that memory is its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from protocol import load, words_only
from speed import line

from pointsman.artifacts import save
from pointsman.data import RoutingDataset
from pointsman.selection.auto import AutoRouter
from pointsman.types import Query

FIT_S, PEAK_GB, ARTEFACT_MB = 30.0, 1.5, 2.0
DECIDE_S, DECIDE_P95_S = 0.0003, 0.0008
PROMPT_WORDS = 100


def main() -> int:
    """Measure in two processes, or, told which features, in this one; return the number of bounds missed."""
    if len(sys.argv) > 1:
        return measure(sys.argv[1])
    runs = (subprocess.run([sys.executable, __file__, features], check=False) for features in ("words", "vectors"))  # noqa: S603
    return sum(done.returncode for done in runs)


def measure(features: str) -> int:
    """Print what the router takes with words only, or with vectors too."""
    data = load("mmlu_pro") if features == "vectors" else words_only(load("mmlu_pro"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    router = AutoRouter().fit(data)
    held = [line(f"fit AutoRouter, {features}, {len(data)} × {len(data.models)}", time.perf_counter() - started, FIT_S)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    held.append(bound("peak memory of the process", peak, PEAK_GB, "GB"))
    print(f"{'... of which before the fit':72s} {before / 1e6:10.3f} GB")
    with tempfile.TemporaryDirectory() as folder:
        size = save(router, Path(folder) / "router.pointsman").stat().st_size / 1e6
    if features == "words":
        held.append(bound("artefact", size, ARTEFACT_MB, "MB"))
        held += decisions(router, data)
    else:
        print(f"{'artefact':72s} {size:10.3f} MB")
    return held.count(False)


def decisions(router: AutoRouter, data: RoutingDataset) -> list[bool]:
    """Print how long one decision takes on prompts of 100 words."""
    words = np.array([word for text in data.queries.texts[:3000] for word in text.split()])
    rng = np.random.default_rng(0)
    prompts = [" ".join(rng.choice(words, PROMPT_WORDS)) for _ in range(2000)]
    times = []
    for i, prompt in enumerate(prompts):
        started = time.perf_counter()
        router.decide(Query(text=prompt, id=str(i)))
        times.append(time.perf_counter() - started)
    p50, p95 = np.quantile(times[200:], (0.5, 0.95)).tolist()
    return [line("one decision, words, 100-word prompt, p50", p50, DECIDE_S), line("... p95", p95, DECIDE_P95_S)]


def bound(what: str, value: float, limit: float, unit: str) -> bool:
    """Print a measurement beside its bound; return whether it holds."""
    print(f"{what:72s} {value:10.3f} {unit}   bound {limit:8.2f} {unit}   {'ok' if value < limit else 'MISSED'}")
    return value < limit


if __name__ == "__main__":
    raise SystemExit(main())
