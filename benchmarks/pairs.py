"""APGR of the RouteLLM pair: one AutoRouter trained on GSM8K and MMLU together, measured on each; 50 half splits.

python benchmarks/pairs.py [--splits 50] [--fresh]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from kept import Kept, asked_for, spread
from protocol import load, words_only

from pointsman.data import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.metrics import apgr
from pointsman.selection.auto import AutoRouter, AutoState

STRONG, WEAK = "gpt-4-1106-preview", "mistralai/Mixtral-8x7B-Instruct-v0.1"
PARTS = ("GSM8K", "MMLU")


def measure(data: RoutingDataset, seed: int) -> dict[str, float]:
    """Return APGR on each part of the half that was not trained on."""
    train, test = grouped_split(data, (0.5, 0.5), random_state=seed)
    estimator = AutoRouter().fit(train).fitted(AutoState).estimator
    found = estimator.predict(test.queries)
    columns = {name: found.models.index(name) for name in (STRONG, WEAK)}
    win = found.quality[:, columns[STRONG]] - found.quality[:, columns[WEAK]]
    scores = [test.quality[:, test.models.index(name)] for name in (WEAK, STRONG)]
    maths = np.array([domain == "gsm8k" for domain in test.queries.domains])
    return {part: float(apgr(win[rows], *(s[rows] for s in scores)) or 0) for part, rows in zip(PARTS, (maths, ~maths))}  # noqa: B905


def main() -> None:
    """Print a line per choice of features."""
    options = asked_for(__doc__, splits=50)
    data = load("routellm")
    both = data.take([i for i, domain in enumerate(data.queries.domains) if not (domain or "").startswith("mt")])
    kept = Kept(Path("bench-results/pairs.json"), fresh=options.fresh)
    for features, part in (("words only", words_only(both)), ("words and vectors", both)):
        rows = [kept.get(f"{features} {s}", lambda s=s, d=part: measure(d, s)) for s in range(options.splits)]
        print(f"{features:18} APGR " + "  ".join(f"{p} {spread([r[p] for r in rows], 1)}" for p in PARTS), flush=True)


if __name__ == "__main__":
    main()
