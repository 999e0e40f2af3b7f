"""How well the cost of a call is foreseen: averages, a regression of costs, and priced tokens, on real outcome data.

python benchmarks/usage.py [--splits 5] [SET ...]

Prices are read off the data, whose costs are list prices times tokens. Errors are means over queries and models.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from protocol import load
from rich.console import Console
from rich.table import Table

from pointsman.data.dataset import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.estimators.base import Estimator
from pointsman.estimators.constant import Constant
from pointsman.estimators.linear import Linear
from pointsman.estimators.usage import TokenUsage
from pointsman.models import ModelPool, ModelSpec, Price

SETS = ["mmlu_pro", "math_vision", "alpaca_eval2", "mot_samples"]
ROWS: tuple[tuple[str, Estimator], ...] = (
    ("mean cost", Constant()),
    ("regression of costs", Linear()),
    ("priced tokens", TokenUsage(estimator=Constant())),
)
HEADINGS = ("set", "method", "RMS log error", "mean |log error|", "cost explained", "predicted / realised")


def main() -> None:
    """Print a row per set and method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--splits", type=int, default=5)
    options = parser.parse_args()
    shown = Table(*HEADINGS)
    for name in options.sets:
        data = priced(load(name))
        parts = [grouped_split(data, (0.7, 0.3), random_state=seed) for seed in range(options.splits)]
        for row, estimator in ROWS:
            figures = np.mean([errors(estimator, train, test) for train, test in parts], axis=0)
            shown.add_row(name, row, *(f"{figure:.3f}" for figure in figures))
    Console(width=110).print(shown)


def priced(data: RoutingDataset) -> RoutingDataset:
    """Give every model the price that its recorded costs and tokens imply, and the costs that it makes of them."""
    if data.input_tokens is None or data.output_tokens is None:
        raise SystemExit("There are no tokens in this set.")
    specs, costs = [], []
    for j, name in enumerate(data.models):
        tokens = np.column_stack([data.input_tokens[:, j], data.output_tokens[:, j]])
        seen = np.isfinite(tokens).all(axis=1) & np.isfinite(data.cost_usd[:, j])
        rates = np.maximum(np.linalg.lstsq(tokens[seen], data.cost_usd[seen, j])[0], 0)
        specs.append(ModelSpec(name=name, price=Price(input_per_mtok=1e6 * rates[0], output_per_mtok=1e6 * rates[1])))
        costs.append(tokens @ rates)
    return replace(data, cost_usd=np.column_stack(costs), pool=ModelPool(specs))


def errors(estimator: Estimator, train: RoutingDataset, test: RoutingDataset) -> tuple[float, ...]:
    """Return the figures of one method on one split; the share explained and the ratio are averaged over models."""
    found, actual = estimator.clone().fit(train).predict(test.queries).cost_usd, test.cost_usd
    found, seen = np.where(np.isfinite(actual), found, np.nan), actual > 0
    log = np.log(found[seen] / actual[seen])
    rest = np.nanmean((found - actual) ** 2, axis=0) / np.nanvar(actual, axis=0)
    ratio = np.nanmean(found, axis=0) / np.nanmean(actual, axis=0)
    return float(np.sqrt((log**2).mean())), float(np.abs(log).mean()), float(1 - rest.mean()), float(ratio.mean())


if __name__ == "__main__":
    main()
