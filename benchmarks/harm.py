"""Does AutoRouter do harm, and does it act? Quality first beside the best single model, from 50 training queries to all.

python benchmarks/harm.py [--splits 20] [--fresh] [SET ...]

The single model is the best one on the same training rows. With 1,000 rows and with all, AIQ over the Zero router tells what
share of the full gain is realised. Five models are drawn anew for each split.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from auto import SETS, whole
from kept import Kept, asked_for
from protocol import Split, load, score, score_zero

from pointsman.data import RoutingDataset
from pointsman.metrics import mean_interval
from pointsman.selection.auto import AutoRouter, AutoState
from pointsman.types import Context

SIZES: tuple[int | None, ...] = (50, 100, 300, 1000, None)
FEW = 5
ENOUGH = 1000


def main() -> None:
    """Print a line per set, number of models and number of rows."""
    options = asked_for(__doc__, sets=SETS, splits=20)
    for name in options.sets:
        kept = Kept(Path(f"bench-results/harm-{name}.json"), fresh=options.fresh)
        full = Kept(Path(f"bench-results/auto-{name}.json"), fresh=False)
        data, some = load(name), None
        for models, size in _cells(data):
            rows = [cell(kept, full, data, models, size, seed) for seed in range(options.splits)]
            print(line(name, models, size, rows), flush=True)
            gains = [row["gain"] for row in rows if row["gain"] is not None]
            if size is None and some is not None:
                share = np.mean(some) / np.mean(gains)
                print(f"{name}: {ENOUGH:,} rows realise {share:.0%} of the AIQ gain of all rows", flush=True)
            some = gains or None


def cell(
    kept: Kept, full: Kept, data: RoutingDataset, models: int | None, size: int | None, seed: int
) -> dict[str, Any]:
    """Return the figures of one split; those of all models on all rows are a part of what `auto.py` measures."""
    if models is None and size is None:
        row = whole(full, "words and vectors", data, seed)
        return {
            "difference": row["first"],
            "moved": row["moved"],
            "trust": row["trust"],
            "gain": row["aiq"] - row["zero"],
        }
    found: dict[str, Any] = kept.get(f"{models} {size} {seed}", lambda: measure(data, seed, models, size))
    return found


def _cells(data: RoutingDataset) -> Iterator[tuple[int | None, int | None]]:
    """Yield the numbers of models and of rows that a set has enough of."""
    for models in (FEW, None) if len(data.models) > FEW else (None,):
        for size in SIZES:
            if size is None or size < 0.6 * len(data):
                yield models, size


def measure(data: RoutingDataset, seed: int, models: int | None, size: int | None) -> dict[str, Any]:
    """Return what quality first gains over the best single model of the same rows, and AIQ over the Zero router."""
    rng = np.random.default_rng([seed, models or 0, size or 0])
    if models is not None:
        data = data.only(sorted(rng.choice(data.models, models, replace=False).tolist()))
    split = Split.of(data, seed)
    train = split.train if size is None else split.train.take(rng.permutation(len(split.train))[:size])
    router = AutoRouter().fit(train)
    state = router.fitted(AutoState)
    chosen = router.decide_many(split.test.queries, Context(operating_point=0.0)).names
    columns = np.array([data.models.index(name) for name in chosen])
    test, best = split.test.quality, data.models.index(train.best_single)
    ahead = test[np.arange(len(test)), columns] - test[:, best]
    gain = None
    if models is None and size == ENOUGH:
        val, on_test = (state.estimator.predict(part.queries) for part in (split.val, split.test))
        gain = score(split, val, on_test).aiq - score_zero(split).aiq
    return {
        "difference": float(ahead.mean()),
        "moved": float((columns != best).mean()),
        "trust": state.findings.trust,
        "gain": gain,
    }


def line(name: str, models: int | None, size: int | None, rows: list[dict[str, Any]]) -> str:
    """Say what quality first gains, and whether it does harm beyond a fifth of a point, or beyond what can be told."""
    gains = [100 * row["difference"] for row in rows]
    mean, error = float(np.mean(gains)), float(np.std(gains, ddof=1) / np.sqrt(len(gains)))
    verdict = "holds" if mean >= -0.2 else "too small to tell" if mean >= -2 * error else "HARM"
    found = mean_interval(gains)
    return (
        f"{name:14}{models or 'all':>4} models {size or 'all':>5} rows  {found.estimate:+.2f} "
        f"[{found.low:+.2f}, {found.high:+.2f}]  moved {np.mean([row['moved'] for row in rows]):.2f}  "
        f"trust {np.mean([row['trust'] for row in rows]):.2f}  {verdict}"
    )


if __name__ == "__main__":
    main()
