"""Cascade routing beside the best pure router, plain cascades, boosted trees over all answers, and the oracle.

python benchmarks/cascade.py [--splits 10] [--fresh] [--kept FILE] [SET ...]

Every row is scored by the protocol of `benchmarks/protocol.py`: settings on the hull of the validation part, figures on
the test part. `math_vision`, `mot_gsm` and `mot_date` (samples of cheap and dear prompts, see `answers.py`) are the other
sets, `gsm8k` and `gsm8k_whole` (solutions of a weak and a strong model, see `gsm8k.py`), and `alpaca_eval2`, whose free
texts are judged and can only be read. An answer that is on record as
none is an empty one here. The estimates of `Stacked`, which most rows read, are kept beside the figures.

Where the texts of answers are on record, cascade routing and plain cascades that read them are further rows (`texts.py`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from answers import boosted, clairvoyant, with_answers
from cascade_tables import honesty, ranked, table
from kept import Kept, states
from protocol import SETTINGS, Score, Split, _figures, score, score_zero
from rich.console import Console
from texts import between, plain, said_in, taught

from pointsman.data import RoutingDataset
from pointsman.data.equivalence import coded
from pointsman.estimators.answer_posterior import AnswerPosterior
from pointsman.estimators.base import Estimates
from pointsman.estimators.choice import first_choice
from pointsman.estimators.stacked import Stacked
from pointsman.metrics import auroc
from pointsman.routers.stepping.curated import curated
from pointsman.routers.stepping.learning import Lesson, rightly
from pointsman.routers.stepping.reader import READINGS
from pointsman.routers.stepping.said import Said
from pointsman.routers.stepping.walking import Walk

READ = ("mmlu_pro", "gsm8k", "gsm8k_whole", "alpaca_eval2")  # sets of which answers' texts are on record
THRESHOLDS = (0.0, *np.linspace(0.3, 0.97, 16).tolist())
CHAIN, POOL = 4, 5
Points = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Estimates for one split: of the training rows, in canonical order and held out, and of the two others."""

    split: Split
    train: Estimates
    val: Estimates
    test: Estimates


def main() -> None:
    """Measure what is not measured yet, and print a table per set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sets",
        nargs="*",
        default=["mot_gsm", "mot_date", "gsm8k", "gsm8k_whole", "alpaca_eval2", "mmlu_pro", "math_vision"],
    )
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--kept", type=Path, default=Path("bench-results/cascade.json"))
    options = parser.parse_args()
    kept = Kept(options.kept, fresh=options.fresh)
    for name in options.sets:
        data = with_answers(name)
        for seed in range(options.splits):
            measures = {f"{name}/{seed}": measured if data.answers is not None else chosen_once}
            if name in READ:
                measures[f"{name}+texts/{seed}"] = read
            if measures.keys() - kept.results.keys():
                held = estimated(Split.of(data, seed), options.kept.parent / f"cascade-estimates/{name}-{seed}.npz")
                for key, measure in measures.items():
                    kept.get(key, lambda held=held, measure=measure: measure(held))
        rows = [
            kept.results[f"{name}/{seed}"] | kept.results.get(f"{name}+texts/{seed}", {})
            for seed in range(options.splits)
        ]
        Console(width=150).print(table(f"{name}: {states(data)}", rows))
        for suffix in ("", ", texts") if name in READ else ("",):
            Console(width=150).print(honesty(rows, suffix), honesty(rows, suffix, " first"), sep="\n")
        if name in READ:
            Console(width=150).print(ranked(rows))


def estimated(split: Split, path: Path) -> Held:
    """Return the estimates of a split, from the file if they are there."""
    train = split.train.canonical()
    split = Split(train=train, val=split.val, test=split.test)
    if not path.exists():
        stacked = Stacked()
        found = (stacked.fit_crossed(train), *(stacked.predict(part.queries) for part in (split.val, split.test)))
        arrays = {f"{what}{i}": getattr(each, what) for i, each in enumerate(found) for what in ("quality", "cost_usd")}
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **arrays)
    with np.load(path) as kept:
        made = [
            Estimates(models=train.models, quality=kept[f"quality{i}"], cost_usd=kept[f"cost_usd{i}"]) for i in range(3)
        ]
    return Held(split=split, train=made[0], val=made[1], test=made[2])


def chosen_once(held: Held) -> dict[str, Any]:
    """Return the figures of the rows that see no answer, on one split."""
    return {
        "Zero router": asdict(score_zero(held.split)),
        "pure router": asdict(score(held.split, held.val, held.test)) | _capped(held.split, *_routed(held)),
    }


def measured(held: Held) -> dict[str, Any]:
    """Return the figures of every row on one split, and the confidences of cascade routing's answers on the test part."""
    split = held.split
    low, high = split.test.cost_usd.mean(axis=0).min(), split.test.cost_usd[:, split.best].mean()
    lesson = Lesson.of(split.train, held.train, "normalised", 3)
    parts = (split.val, held.val), (split.test, held.test)
    weights = lesson.lookahead.grid
    said = [said_in(lesson, part, found) for part, found in parts]
    walked = [_walked(lesson, weights, part, found, each) for (part, found), each in zip(parts, said, strict=True)]
    curves = [points for points, _ in walked]
    setting = int(np.abs(curves[0][:, 0] - split.val.cost_usd[:, split.best].mean()).argmin())
    answers = boosted(held.split, (held.train, held.val, held.test), range(len(split.train.models)))
    nine = np.argsort(-split.train.mean_quality)[:9]
    figures: dict[str, Any] = chosen_once(held) | {
        "plain cascades": _scored(split, *_chains(held)),
        "cascade routing": _scored(split, *curves) | _own(lesson, held, said[1]),
        "all answers": float(answers.chosen.mean() - split.test.quality[:, split.best].mean()),
        "nine answers": float(
            boosted(split, (held.train, held.val, held.test), nine).chosen.mean()
            - split.test.quality[:, split.best].mean()
        ),
        "clairvoyant": _scored(split, *clairvoyant(split, answers)),
        "oracle": float(split.test.quality.max(axis=1).mean() - split.test.quality[:, split.best].mean()),
        "models": [split.train.models[j] for j in lesson.columns],
        "range": [float(low), float(high)],
    }
    return figures | _told(walked[1][1], setting)


def read(held: Held) -> dict[str, Any]:
    """Return the figures of the rows that read texts, and what cascade routing then says of the answers it accepts."""
    split, lesson = held.split, taught(held.split.train, held.train)
    parts, price = ((split.val, held.val), (split.test, held.test)), split.train.mean_cost_usd
    said = [said_in(lesson, part, found) for part, found in parts]
    weights = between(lesson.lookahead.grid)
    walked = [_walked(lesson, weights, part, found, each) for (part, found), each in zip(parts, said, strict=True)]
    chains = [plain(lesson, price, part, found, each) for (part, found), each in zip(parts, said, strict=True)]
    curves = [points for points, _ in walked]
    setting = int(np.abs(curves[0][:, 0] - split.val.cost_usd[:, split.best].mean()).argmin())
    return {
        "plain, last text": _scored(split, chains[0][0], chains[1][0]),
        "plain, all texts": _scored(split, chains[0][1], chains[1][1]),
        "cascade routing, texts": _scored(split, *curves) | _own(lesson, held, said[1]),
        "models": [split.train.models[j] for j in lesson.columns],
        "AUROC": _rank(lesson, held, said[1]),
    } | _told(walked[1][1], setting, ", texts")


def _rank(lesson: Lesson, held: Held, said: Said) -> dict[str, list[float]]:
    """Return the AUROC of what is expected of each model's answers on the test part, before and after reading them."""
    ranks = {}
    for i, j in enumerate(lesson.columns):
        right = held.split.test.quality[:, j] > 0.5
        before, after = auroc(held.test.quality[:, j], right), auroc(said.worth[:, i], right)
        if before is not None and after is not None:
            ranks[held.split.train.models[j]] = [before, after]
    return ranks


def _told(sure: list[Points], setting: int, suffix: str = "") -> dict[str, list[float]]:
    """Return the confidences beside what was right, at the best model's cost and where nothing counts but quality."""
    told = {"confidence": sure[setting], "confidence first": sure[0]}
    return {
        name.replace("confidence", what) + suffix: np.round(values, 4).tolist()
        for name, pair in told.items()
        for what, values in zip(("confidence", "right"), pair, strict=True)
    }


def _own(lesson: Lesson, held: Held, said: Said) -> dict[str, float]:
    """Return cost and quality beside the best single model's at the price on cost that the cascade set for itself."""
    test, best = held.split.test, held.split.best
    ((paid, quality),), _ = _walked(lesson, np.array([lesson.cost_weight]), test, held.test, said)
    price, theirs = (float(matrix[:, best].mean()) for matrix in (test.cost_usd, test.quality))
    return {"own cost": float(paid) / price, "own dq": float(quality) - theirs}


def _scored(split: Split, val: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Return the figures of a row; the cheapest model alone is always a setting, whether a cascade knows it or not."""
    cheapest = int(split.val.cost_usd.mean(axis=0).argmin())
    val, test = (
        np.r_[points, [[part.cost_usd[:, cheapest].mean(), part.quality[:, cheapest].mean()]]]
        for points, part in ((val, split.val), (test, split.test))
    )
    figures: Score = _figures(split, val, test)
    return asdict(figures) | _capped(split, val, test)


def _capped(split: Split, val: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Return the quality gained over the best single model at the best setting that was not dearer on validation."""
    inside = np.flatnonzero(val[:, 0] <= split.val.cost_usd[:, split.best].mean())
    top = inside[val[inside, 1].argmax()]
    return {"capped": float(test[top, 1] - split.test.quality[:, split.best].mean())}


def _routed(held: Held) -> Points:
    weights = np.r_[0, SETTINGS[1:] / held.split.val.cost_usd.mean()]
    curves = []
    for part, found in ((held.split.val, held.val), (held.split.test, held.test)):
        rows = np.arange(len(part))
        picks = [first_choice(found.quality - weight * found.cost_usd, found.cost_usd) for weight in weights]
        curves.append(np.array([(part.cost_usd[rows, p].mean(), part.quality[rows, p].mean()) for p in picks]))
    return curves[0], curves[1]


def _walked(
    lesson: Lesson, weights: np.ndarray, part: RoutingDataset, found: Estimates, said: Said
) -> tuple[np.ndarray, list[Points]]:
    """Return the points of cascade routing at these weights, and confidences beside what was right."""
    columns, rows = list(lesson.columns), np.arange(len(part))
    points, sure = [], []
    for weight in weights.tolist():
        walk = Walk(
            posterior=lesson.posterior,
            lookahead=lesson.lookahead,
            quality=found.quality[:, columns],
            spending=found.cost_usd[:, columns],
            weight=weight,
            readings=() if lesson.reader is None else READINGS,
        )
        ended = walk.through(said, np.ones(said.codes.shape, dtype=np.bool_))
        quality = part.quality[:, columns][rows, ended.model]
        points.append(((part.cost_usd[:, columns] * ended.asked).sum(axis=1).mean(), quality.mean()))
        sure.append((lesson.honesty.told(ended.confidence, weight), quality))
    return np.array(points), sure


def _chains(held: Held) -> Points:
    """Return the points of plain cascades: up to four models in order of cost, a threshold on how likely the vote is right.

    The vote knows how good each model is and which agree too easily, but not the query. Every chain of the five models whose
    votes settle most competes, at every threshold.
    """
    split, train = held.split, held.split.train
    means = np.tile(train.mean_quality, (len(train), 1))
    codes = coded(_texts(train), "normalised")
    right = rightly(codes, train.quality)
    columns = curated(means, train.quality, train.mean_cost_usd, codes, right, POOL)
    posterior = AnswerPosterior.fit(means[:, columns], codes[:, columns], right[:, columns])
    order = sorted(range(len(columns)), key=lambda j: train.mean_cost_usd[columns[j]])
    curves = []
    for part in (split.val, split.test):
        codes = coded(_texts(part)[:, columns], "normalised")
        quality = np.tile(train.mean_quality[columns], (len(part), 1))
        points = [
            point
            for size in range(1, CHAIN + 1)
            for chain in combinations(order, size)
            for point in _chain(chain, posterior, quality, codes, part, columns)
        ]
        curves.append(np.array(points))
    return curves[0], curves[1]


def _texts(part: RoutingDataset) -> np.ndarray:
    return np.empty(part.quality.shape, dtype=object) if part.answers is None else part.answers


def _chain(
    chain: tuple[int, ...],
    posterior: AnswerPosterior,
    quality: np.ndarray,
    codes: np.ndarray,
    part: RoutingDataset,
    columns: list[int],
) -> Iterator[tuple[float, float]]:
    """Yield the point of one chain at each threshold."""
    rows = np.arange(len(part))
    right = rightly(codes, part.quality[:, columns])
    beliefs = [posterior.read(sum(1 << j for j in chain[: i + 1]), quality, codes) for i in range(len(chain))]
    paid = np.cumsum(part.cost_usd[:, np.array(columns)[list(chain)]], axis=1)
    came = [
        np.where(b.code >= 0, right[rows, b.code], part.quality[:, columns[chain[i]]]) for i, b in enumerate(beliefs)
    ]
    sure = np.stack([belief.probability for belief in beliefs], axis=1)
    for threshold in THRESHOLDS if len(chain) > 1 else (0.0,):
        enough = sure >= threshold
        enough[:, -1] = True
        stop = enough.argmax(axis=1)
        yield float(paid[rows, stop].mean()), float(np.stack(came, axis=1)[rows, stop].mean())


if __name__ == "__main__":
    main()
