"""AutoRouter, one default configuration, on every data set: beside the simple methods, at equal quality and at quality first.

python benchmarks/auto.py [--splits 20] [--fresh] [SET ...]

Words and vectors where a set has vectors, and words only. The setting of equal quality is the router's own, chosen on its
held-out training queries, and beside it the one chosen on the validation part; neither has seen the test part.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from kept import Kept, asked_for, spread, states
from protocol import Split, at, load, reference, score, score_zero, words_only
from rich.console import Console
from rich.table import Table

from pointsman.data import RoutingDataset
from pointsman.metrics import bootstrap_interval
from pointsman.policies.equal_quality import EqualQuality
from pointsman.selection.auto import AutoRouter, AutoState
from pointsman.types import Context

SETS = ("mmlu_pro", "llmrouter_nim", "routellm", "alpaca_eval2", "math_vision")
GIVEN = "true domain (label given)"  # more information than a router has


def measure(split: Split) -> dict[str, Any]:
    """Return the figures of one split."""
    started = time.perf_counter()
    router = AutoRouter().fit(split.train)
    seconds = time.perf_counter() - started
    state = router.fitted(AutoState)
    val, test = (state.estimator.predict(part.queries) for part in (split.val, split.test))
    found, zero = score(split, val, test), score_zero(split)
    own = state.policy.state_.weight
    chosen = EqualQuality().fit(val, split.val.only(val.models)).state_.weight
    best = split.train.models.index(split.train.best_single)
    incumbent = split.test.quality[:, best]
    rows = np.arange(len(split.test))
    columns = [split.test.models.index(name) for name in state.pool]
    first = np.array(columns)[router.decide_many(split.test.queries, Context(operating_point=0.0)).model]
    ahead = split.test.quality[rows, first] - incumbent
    return {
        "aiq": found.aiq,
        "zero": zero.aiq,
        "peak": found.peak,
        "own": at(split, test, own),
        "validation": at(split, test, chosen),
        "first": float(ahead.mean()),
        "moved": float((first != best).mean()),
        "queries": dict(zip(split.test.queries.ids, ahead.tolist(), strict=True)),
        "trust": state.findings.trust,
        "seconds": seconds,
    }


def main() -> None:
    """Print a table per set."""
    options = asked_for(__doc__, sets=SETS, splits=20)
    for name in options.sets:
        kept = Kept(Path(f"bench-results/auto-{name}.json"), fresh=options.fresh)
        data = load(name)
        found = {
            features: [whole(kept, features, part, seed) for seed in range(options.splits)]
            for features, part in {"words and vectors": data, "words only": words_only(data)}.items()
        }
        Console(width=130).print(table(name, f"{states(data)}, {options.splits} splits", found))
        show_floors(name, found)


def whole(kept: Kept, features: str, data: RoutingDataset, seed: int) -> dict[str, Any]:
    """Return the figures of one split, trained on all of its training part; measured once."""
    key = f"{'words' if features == 'words only' else 'vectors'} {seed}"
    found: dict[str, Any] = kept.get(key, lambda: measure(Split.of(data, seed)))
    return found


def table(name: str, size: str, found: dict[str, list[dict[str, Any]]]) -> Table:
    """Lay out the means over splits with 95 % intervals; quality in points, cost relative to the best single model's."""
    shown = Table(title=f"{name}: {size}; points, 95 % intervals over splits")
    for heading in (
        "AutoRouter on",
        "AIQ − zero",
        "equal quality: cost, dq",
        "set on validation",
        "quality first",
        "s",
    ):
        shown.add_column(heading)
    for features, rows in found.items():
        shown.add_row(
            features,
            spread([row["aiq"] - row["zero"] for row in rows]),
            *(
                f"{np.mean([row[way][0] for row in rows]):.3f}, {spread([row[way][1] for row in rows])}"
                for way in ("own", "validation")
            ),
            f"{spread([row['first'] for row in rows])}; over queries {over_queries(rows)}",
            f"{np.mean([row['seconds'] for row in rows]):.0f}",
        )
    return shown


def over_queries(rows: list[dict[str, Any]]) -> str:
    """Return the interval over queries: each one's mean difference over the splits in which it was tested."""
    each = defaultdict(list)
    for row in rows:
        for query, difference in row["queries"].items():
            each[query].append(difference)
    interval = bootstrap_interval([100 * float(np.mean(values)) for values in each.values()])
    return f"[{interval.low:+.2f}, {interval.high:+.2f}]"


def show_floors(name: str, found: dict[str, list[dict[str, Any]]]) -> None:
    """Print AIQ less that of each simple method on the same splits and features."""
    rows = found.get("words and vectors", [])
    for method, figures in reference(name).items():
        if method in {"Zero router", GIVEN} or len(figures) < len(rows):
            continue
        gaps = [row["aiq"] - floor["aiq"] for row, floor in zip(rows, figures, strict=False)]
        print(f"  AIQ − {method:30} {spread(gaps)}")


if __name__ == "__main__":
    main()
