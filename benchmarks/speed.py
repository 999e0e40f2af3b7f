"""How long things take: import, first decision, one decision, many, a fit. Each line says whether its bound holds.

python benchmarks/speed.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pointsman.artifacts import save
from pointsman.data import Queries, RoutingDataset
from pointsman.estimators.linear import Linear
from pointsman.features.embedding import Embedding
from pointsman.policies.utility import Utility
from pointsman.routers.estimated import EstimatedRouter
from pointsman.types import Query

MODELS, ROWS, SIZE = 28, 12_000, 384
WORDS = 3000

FIRST_DECISION = """
import sys, time
started = time.perf_counter()
from pointsman.artifacts import load
from pointsman.types import Query
decision = load(sys.argv[1]).decide(Query(text="What is the capital of France, and why is it so large?"))
print(time.perf_counter() - started, "sklearn" in sys.modules or "scipy" in sys.modules)
"""
IMPORT = """
import time
started = time.perf_counter()
import pointsman
print(time.perf_counter() - started)
"""


def made_up(rng: np.random.Generator) -> RoutingDataset:
    """Return outcomes of 28 models on 12,000 made-up texts of about 100 words."""
    words = np.array(
        ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), rng.integers(3, 11))) for _ in range(WORDS)]
    )
    rank = 1 / np.arange(1, WORDS + 1)
    texts = [" ".join(rng.choice(words, rng.integers(60, 140), p=rank / rank.sum())) for _ in range(ROWS)]
    quality = (rng.random((ROWS, MODELS)) < np.linspace(0.3, 0.8, MODELS)).astype(float)
    cost = rng.lognormal(-9, 0.3, (ROWS, MODELS)) * np.linspace(1, 20, MODELS)
    queries = Queries.from_texts(texts, embeddings=rng.standard_normal((ROWS, SIZE)))
    names = tuple(f"model-{j:02d}" for j in range(MODELS))
    return RoutingDataset(queries=queries, models=names, quality=quality, cost_usd=cost)


def line(what: str, seconds: float, bound: float) -> bool:
    """Print a measurement beside its bound; return whether it holds."""
    holds = seconds < bound
    print(f"{what:72s} {seconds * 1000:10.3f} ms   bound {bound * 1000:8.2f} ms   {'ok' if holds else 'MISSED'}")
    return holds


def fresh(code: str, *arguments: str, runs: int = 5) -> list[list[str]]:
    """Run code in new interpreters; return what each printed, the fastest first."""
    command = [sys.executable, "-c", code, *arguments]
    printed = (subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() for _ in range(runs))  # noqa: S603
    return sorted(printed, key=lambda words: float(words[0]))


def timed(work: Callable[[], object], runs: int = 1) -> float:
    """Return how long a piece of work takes, the best of several runs."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> int:
    """Measure everything; return the number of bounds missed."""
    rng = np.random.default_rng(0)
    data = made_up(rng)
    held = [line("import pointsman, fresh process (median of 5)", float(fresh(IMPORT)[2][0]), 0.1)]
    router = EstimatedRouter(estimator=Linear(), policy=Utility(cost_weight=10.0))
    held.append(
        line(f"fit, linear on words, {ROWS} texts × {MODELS} (best of 3)", timed(lambda: router.fit(data), 3), 3.0)
    )
    vectors = EstimatedRouter(estimator=Linear(features=Embedding()), policy=Utility(cost_weight=10.0))
    held.append(
        line(
            f"fit, linear on {SIZE}-d vectors, {ROWS} × {MODELS} (best of 3)", timed(lambda: vectors.fit(data), 3), 3.0
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        path = save(router, Path(folder) / "router.pointsman")
        print(f"artefact: {path.stat().st_size / 1e6:.2f} MB")
        seconds, imported = fresh(FIRST_DECISION, str(path))[2]
        held.append(line("first decision of a saved router, fresh process (median of 5)", float(seconds), 0.6))
        held.append(imported == "False")
        print(f"{'... without importing sklearn or scipy':72s} {'ok' if held[-1] else 'MISSED'}")
    prompts = [Query(text=" ".join(data.queries.texts[i].split()[:100]), id=str(i)) for i in range(2000)]
    times = np.array([timed(lambda query=query: router.decide(query)) for query in prompts][200:])
    held.append(line("one decision, words, 100-word prompt, p50", float(np.median(times)), 0.00025))
    held.append(line("one decision, words, 100-word prompt, p95", float(np.quantile(times, 0.95)), 0.0008))
    many = Queries.from_texts([""] * 100_000, embeddings=rng.standard_normal((100_000, SIZE)))
    held.append(
        line(
            f"100,000 decisions on {SIZE}-d vectors × {MODELS} (best of 3)",
            timed(lambda: vectors.decide_many(many), 3),
            1.0,
        )
    )
    return held.count(False)


if __name__ == "__main__":
    raise SystemExit(main())
