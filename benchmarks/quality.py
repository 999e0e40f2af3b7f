"""Every estimator on real outcome data, beside the simple method it has to reach, split by split.

python benchmarks/quality.py [--splits 20] [--rows 300] [--out FILE] [SET ...]

With --rows, estimators learn from that many rows of the training part, drawn at random; the reference rows learnt from all.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from protocol import Split, load, reference, score_estimator, score_zero
from rich.console import Console
from rich.table import Table

from pointsman.estimators.base import Estimator
from pointsman.estimators.clusters import Clusters
from pointsman.estimators.domain import Domain
from pointsman.estimators.factor import Factor
from pointsman.estimators.linear import Linear
from pointsman.estimators.nearest import Nearest
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.features.union import Union
from pointsman.metrics import mean_interval

VECTORS, WORDS = Embedding(), Lexical()
BOTH = Union(parts=(VECTORS, WORDS))

# (name, estimator, the reference row it is held against on the same features)
ROWS: tuple[tuple[str, Estimator, str | None], ...] = (
    ("nearest", Nearest(features=VECTORS), "kNN-100"),
    ("clusters", Clusters(features=VECTORS), "k-means-32"),
    ("linear, levels", Linear(features=VECTORS, target="levels"), "ridge"),
    ("linear", Linear(features=BOTH), "contrast ridge"),
    ("linear, logistic", Linear(features=BOTH, loss="logistic"), "contrast ridge"),
    ("factor", Factor(features=BOTH), "contrast ridge"),
    ("domain, predicted", Domain(features=BOTH, source="predicted"), "predicted domain"),
    ("domain, given", Domain(features=BOTH), "true domain (label given)"),
    (
        "linear on domain",
        Linear(features=BOTH, offset=Domain(features=BOTH, source="predicted")),
        "domain + contrast residual",
    ),
    ("nearest, words only", Nearest(), None),
    ("clusters, words only", Clusters(), None),
    ("linear, words only", Linear(), None),
    ("factor, words only", Factor(), None),
    ("domain, words only", Domain(source="predicted"), None),
)


def main() -> None:
    """Print a table per set, and write the figures of every split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["mmlu_pro", "llmrouter_nim"])
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--out", type=Path, default=Path("bench-results/quality.json"))
    options = parser.parse_args()
    kept = {}
    for name in options.sets:
        kept[name] = run(name, options.splits, options.rows)
        Console(width=130).print(table(name, kept[name]))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(kept, indent=1))


def run(name: str, splits: int, rows: int | None) -> dict[str, list[dict[str, float]]]:
    """Return the figures of every method on every split."""
    data, results = load(name), {}
    for seed in range(splits):
        split = Split.of(data, seed)
        if rows is not None:
            some = np.random.default_rng(seed).permutation(len(split.train))[:rows]
            split = replace(split, train=split.train.take(some))
        results.setdefault("Zero router", []).append(asdict(score_zero(split)))
        for row, estimator, _ in ROWS:
            started = time.perf_counter()
            figures = asdict(score_estimator(estimator, split)) | {"seconds": time.perf_counter() - started}
            results.setdefault(row, []).append(figures)
    return results


def table(name: str, results: dict[str, list[dict[str, float]]]) -> Table:
    """Lay out the means over splits, and the paired difference to the reference row with its 95 % interval."""
    floors, zero = reference(name), _column(results["Zero router"], "aiq")
    shown = Table(title=f"{name}: zero AIQ {zero.mean():.4f}, {len(zero)} splits; quality in points")
    for heading in (
        "method",
        "AIQ - zero",
        "peak %",
        "cost@best",
        "dq",
        "reference row",
        "AIQ - reference [95 %]",
        "s",
    ):
        shown.add_column(heading, justify="left" if heading in {"method", "reference row"} else "right")
    for row, _, against in ROWS:
        figures = results[row]
        aiq = _column(figures, "aiq")
        versus = ""
        if against in floors and len(floors[against]) >= len(aiq):
            gap = mean_interval(100 * (aiq - _column(floors[against][: len(aiq)], "aiq")))
            versus = f"{gap.estimate:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}]"
        shown.add_row(
            row,
            f"{100 * (aiq - zero).mean():+.2f}",
            f"{100 * _column(figures, 'peak').mean():+.1f}",
            f"{_column(figures, 'cost').mean():.2f}",
            f"{100 * _column(figures, 'dq').mean():+.1f}",
            against or "",
            versus,
            f"{_column(figures, 'seconds').mean():.1f}",
        )
    return shown


def _column(figures: list[dict[str, float]], key: str) -> np.ndarray:
    return np.array([row[key] for row in figures])


if __name__ == "__main__":
    main()
