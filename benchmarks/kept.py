"""Kept figures: what a benchmark has measured so far, split by split, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pointsman.data.dataset import RoutingDataset
from pointsman.metrics import mean_interval

__all__ = ["Kept", "asked_for", "spread", "states"]


def asked_for(about: str | None, *, sets: Sequence[str] = (), splits: int | None = None) -> argparse.Namespace:
    """Return what the command line asks for: `fresh`, the `sets` where there is a choice of them, and how many `splits`."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    if sets:
        parser.add_argument("sets", nargs="*", default=list(sets))
    if splits is not None:
        parser.add_argument("--splits", type=int, default=splits)
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured before")
    return parser.parse_args()


class Kept:
    """A JSON file of results by key; `get` measures what is not in it yet and writes it down at once."""

    def __init__(self, path: Path, *, fresh: bool) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.results: dict[str, Any] = {} if fresh or not path.exists() else json.loads(path.read_text())

    def get(self, key: str, measure: Callable[[], Any]) -> Any:
        """Return the result of this key."""
        if key not in self.results:
            self.results[key] = measure()
            self.path.write_text(json.dumps(self.results))
        return self.results[key]


def spread(values: list[float], factor: float = 100) -> str:
    """Return the mean over splits with its 95 % interval, times a factor."""
    found = mean_interval([factor * value for value in values])
    return f"{found.estimate:+.3g} [{found.low:+.3g}, {found.high:+.3g}]"


def states(data: RoutingDataset) -> str:
    """Return the size of a set in words."""
    return f"{len(data):,} × {len(data.models)}"
