"""Recorded answers: sets whose models' answers are on record, and what boosted trees make of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from gsm8k import gsm8k
from protocol import Split, data_folder, load

from pointsman.data import RoutingDataset
from pointsman.data.equivalence import coded
from pointsman.estimators.base import Estimates
from pointsman.estimators.conditional_logit import logit

__all__ = ["Boosted", "boosted", "clairvoyant", "with_answers"]


def with_answers(name: str) -> RoutingDataset:
    """Read a set; an answer that is on record as none becomes an empty one. Whole responses may stand in for answers."""
    data = (
        _mot(name.removeprefix("mot_")) if name.startswith("mot_") else gsm8k(name) if "gsm8k" in name else load(name)
    )
    if data.answers is None:
        if data.responses is None:
            raise SystemExit(f"The set {name} has neither answers nor responses.")
        return data
    texts = np.array([["" if text is None else text for text in row] for row in data.answers.tolist()], dtype=object)
    return replace(data, answers=texts)


def _mot(task: str) -> RoutingDataset:
    """Return the questions of a task ("date" or "gsm") with one sample of each GPT-4 prompt and three of each cheap one.

    Date questions on one situation are a group. On "gsm" only those questions count that the cheap model was asked.
    """
    import pyarrow.parquet as pq

    folder, whole = data_folder() / "mot_samples", load("mot_samples")
    fields = ["query_id", "family", "strategy", "temperature", "sample_idx", "answer", "correct"]
    cells: dict[str, dict[str, tuple[float, str]]] = {}
    for sample in pq.read_table(folder / "samples.parquet", columns=fields).to_pylist():
        last = 0 if sample["family"] == "gpt-4" else 2
        if f"-{task}-" in sample["query_id"] and sample["temperature"] == "default" and sample["sample_idx"] <= last:
            arm = f"{sample['family']}|{sample['strategy']}#{sample['sample_idx']}"
            cells.setdefault(arm, {})[sample["query_id"]] = (float(sample["correct"] or 0.0), sample["answer"] or "")
    rows = [i for i, query in enumerate(whole.queries.ids) if all(query in told for told in cells.values())]
    queries, arms = whole.queries.take(np.array(rows)), tuple(sorted(cells))
    stems = [text.rsplit(".", 1)[0] if task == "date" else text for text in queries.texts]
    return RoutingDataset(
        queries=queries,
        models=arms,
        quality=np.array([[cells[arm][query][0] for arm in arms] for query in queries.ids]),
        cost_usd=whole.cost_usd[np.ix_(rows, [whole.models.index(arm.split("#")[0]) for arm in arms])],
        answers=np.array([[cells[arm][query][1] for arm in arms] for query in queries.ids], dtype=object),
        groups=np.array([stems.index(stem) for stem in stems]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosted:
    """Boosted trees' posterior of every model's answer, shape (n, m) for validation and test; NaN where there is none.

    `chosen` is the quality of the likeliest answer on the test part, shape (n,).
    """

    val: np.ndarray
    test: np.ndarray
    chosen: np.ndarray


def boosted(split: Split, found: Sequence[Estimates], models: Iterable[int]) -> Boosted:
    """Fit boosted trees on every candidate answer of these models, all of which are paid."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    columns = list(models)
    parts = [
        _candidates(part, each, columns) for part, each in zip((split.train, split.val, split.test), found, strict=True)
    ]
    rows, right = parts[0][0], parts[0][1]
    trees = HistGradientBoostingClassifier(
        learning_rate=0.08, max_iter=100, max_leaf_nodes=15, min_samples_leaf=40, l2_regularization=5.0, random_state=0
    ).fit(rows, right)
    posteriors = []
    for part, (features, _, row, code, codes) in zip((split.val, split.test), parts[1:], strict=True):
        table = np.full((len(part), len(columns)), np.nan)
        table[row, code] = trees.predict_proba(features)[:, 1]
        spoken = np.where(codes >= 0, np.take_along_axis(table, np.maximum(codes, 0), axis=1), np.nan)
        posteriors.append(spoken)
    best = np.nan_to_num(posteriors[1], nan=-1.0).argmax(axis=1)
    chosen = split.test.quality[:, columns][np.arange(len(split.test)), best]
    return Boosted(val=posteriors[0], test=posteriors[1], chosen=chosen)


def _candidates(part: RoutingDataset, found: Estimates, columns: list[int]) -> tuple[np.ndarray, ...]:
    """Return what describes each candidate answer, whether it is right, its row and code, and all codes."""
    texts = np.empty(part.quality.shape, dtype=object) if part.answers is None else part.answers
    codes, quality = coded(texts[:, columns], "normalised"), part.quality[:, columns]
    row, code = np.nonzero(codes == np.arange(len(columns)))
    support = codes[row] == code[:, None]
    expected, odds = found.quality[:, columns][row], logit(found.quality[:, columns][row])
    mass = (support * expected).sum(axis=1)
    whole = ((codes[row] >= 0) * expected).sum(axis=1)
    alike = np.array([(codes == j).astype(float) @ np.ones(len(columns)) for j in range(len(columns))]).T
    others = np.where(np.arange(len(columns)) == code[:, None], 0.0, alike[row]).max(axis=1)
    plain = [
        support.sum(axis=1),
        (support * odds).sum(axis=1),
        mass,
        mass / np.maximum(whole, 1e-9),
        others,
        expected.max(axis=1),
    ]
    features = np.concatenate([np.stack(plain, axis=1), support, odds], axis=1)
    return features, quality[row, code] > 0.5, row, code, codes


def clairvoyant(split: Split, answers: Boosted) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of who knows all answers beforehand and pays but for the one he gives: a bound on any cascade."""
    grid = np.r_[0.0, np.geomspace(0.002, 60, 40) / split.train.mean_cost_usd.max()]
    curves = []
    for part, posterior in ((split.val, answers.val), (split.test, answers.test)):
        known, rows = np.nan_to_num(posterior, nan=0.0), np.arange(len(part))
        picks = [(known - weight * split.train.mean_cost_usd).argmax(axis=1) for weight in grid]
        curves.append(np.array([(part.cost_usd[rows, p].mean(), part.quality[rows, p].mean()) for p in picks]))
    return curves[0], curves[1]
