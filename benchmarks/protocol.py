"""The fixed benchmark protocol: load a set, split it by text 60/20/20, and score estimates on the test part.

A setting is a cost weight λ, its choice argmax quality − λ·cost (`Utility`). The settings on the cost–quality hull of the
validation part are kept; their test points, joined in order of cost, are the curve. AIQ is the curve's mean height between the
mean test costs of the cheapest and the best single model (chosen on train + validation).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pointsman.data import RoutingDataset
from pointsman.data.splits import grouped_split
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.choice import first_choice
from pointsman.metrics import cheapest_setting, choice_points, frontier_score, model_points, peak_setting
from pointsman.policies.utility import Utility

SETTINGS = np.r_[0, np.logspace(-3, 5, 160)] * 1e-2


def data_folder() -> Path:
    """Return where the outcome data are: $POINTSMAN_DATA, or `shared/data` beside the repository."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("POINTSMAN_DATA", default))
    if not folder.is_dir():
        raise SystemExit(f"There are no outcome data at {folder}; set POINTSMAN_DATA.")
    return folder


def load(name: str) -> RoutingDataset:
    """Read a set; a missing cost becomes the model's mean, as the protocol wants it."""
    data = RoutingDataset.read(data_folder() / name)
    data = data.only(tuple(sorted(data.models)))
    data.cost_usd[...] = np.where(np.isnan(data.cost_usd), data.mean_cost_usd, data.cost_usd)
    return data


def reference(name: str) -> dict[str, list[dict[str, float]]]:
    """Return the per-split figures of the simple methods that are to be reached, by method; {} when there are none."""
    path = data_folder().parent / "reference" / f"{name}.json"
    return json.loads(path.read_text())["results"] if path.exists() else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One split of a set."""

    train: RoutingDataset
    val: RoutingDataset
    test: RoutingDataset

    @classmethod
    def of(cls, data: RoutingDataset, seed: int) -> Split:
        """Split a set with a seed."""
        train, val, test = grouped_split(data, (0.6, 0.2, 0.2), random_state=seed)
        return cls(train=train, val=val, test=test)

    @property
    def best(self) -> int:
        """The best single model on train + validation."""
        return int(np.r_[self.train.quality, self.val.quality].mean(axis=0).argmax())


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Test figures of one method on one split, in units of quality and shares of the best single model's cost."""

    aiq: float
    peak: float
    cost: float
    dq: float


def score_estimator(estimator: Estimator, split: Split) -> Score:
    """Fit on the training part and score on the others."""
    fitted = estimator.clone().fit(split.train)
    return score(split, fitted.predict(split.val.queries), fitted.predict(split.test.queries))


def score(split: Split, on_val: Estimates, on_test: Estimates) -> Score:
    """Score estimates of all models, or of some of them, for the validation and the test part."""
    val = split.val
    weights = SETTINGS / val.cost_usd.mean()
    weights[0] = 0
    cheapest = int(val.cost_usd.mean(axis=0).argmin())
    curves = []
    for part, found in ((val, on_val), (split.test, on_test)):
        columns = np.array([part.models.index(name) for name in found.models])
        scores = (Utility().scores(found, weight) for weight in weights)
        picks = [columns[first_choice(each, found.cost_usd)] for each in scores]
        curves.append(choice_points([*picks, np.full(len(part), cheapest)], part.cost_usd, part.quality))
    return _figures(split, *curves)


def score_zero(split: Split) -> Score:
    """Score the Zero router, whose settings are the single models."""
    return _figures(split, *(model_points(part.cost_usd, part.quality) for part in (split.val, split.test)))


def _figures(split: Split, val: np.ndarray, test: np.ndarray) -> Score:
    best = split.best
    low, high = split.test.cost_usd.mean(axis=0).min(), split.test.cost_usd[:, best].mean()
    own = split.test.quality[:, best].mean()
    top = peak_setting(val)
    enough = cheapest_setting(val, split.val.quality[:, best].mean())
    enough = top if enough is None else enough
    aiq = frontier_score(val, test, low, high)
    return Score(
        aiq=float("nan") if aiq is None else aiq,
        peak=test[top, 1] / own - 1,
        cost=test[enough, 0] / high,
        dq=test[enough, 1] - own,
    )


def words_only(data: RoutingDataset) -> RoutingDataset:
    """Return the data without their vectors."""
    return replace(data, queries=replace(data.queries, embeddings=None))


def at(split: Split, found: Estimates, weight: float) -> tuple[float, float]:
    """Return cost relative to the best single model's, and quality less that model's, on the test part at a cost weight."""
    test, rows = split.test.only(found.models), np.arange(len(split.test))
    picks = first_choice(Utility().scores(found, weight), found.cost_usd)
    cost, quality = (float(matrix[rows, picks].mean()) for matrix in (test.cost_usd, test.quality))
    best = split.best
    return cost / split.test.cost_usd[:, best].mean(), quality - split.test.quality[:, best].mean()
