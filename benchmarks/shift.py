"""AutoRouter away from home: domains never met, questions asked otherwise, attacks, and outcomes that no query can tell.

python benchmarks/shift.py [--fresh] [SET ...]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from kept import Kept, asked_for
from protocol import Split, load, words_only

from pointsman.data import Queries, RoutingDataset
from pointsman.estimators.base import Estimates, Estimator
from pointsman.estimators.choice import first_choice
from pointsman.evaluation.protocols import controls, perturbations
from pointsman.evaluation.protocols.edits import edits
from pointsman.metrics import area, bootstrap_interval, hull, mean_interval, model_points
from pointsman.policies.utility import Utility
from pointsman.selection.auto import AutoRouter, AutoState
from pointsman.types import Context

SETS = ("mmlu_pro", "llmrouter_nim")
ASKED = 500  # validation queries on which the steadiest setting is chosen
ENOUGH = 0.6  # share of the gain that it must realise


def main() -> None:
    """Print what each protocol finds on each set."""
    options = asked_for(__doc__, sets=SETS)
    for name in options.sets:
        data, kept = load(name), Kept(Path(f"bench-results/shift-{name}.json"), fresh=options.fresh)
        words = words_only(data)
        found = kept.get("steady", lambda w=words: steady(Split.of(w, 0)))
        print(
            f"{name}, words, steadiest setting: {found['flips']:.1%} of decisions flip over {found['edits']} edits;",
            end=" ",
        )
        print(f"it gains {found['gain']:+.2f} points over the Zero router at its cost, AIQ gains {found['aiq']:+.2f}")
        print("  " + ", ".join(f"{edit} {share:.1%}" for edit, share in found["each"].items()))
        print(f"  attacks: {kept.get('attacks', lambda w=words, f=found: attacks(w, f['weight']))}", flush=True)
        for features, part in (("words", words), ("vectors", data)):
            print(f"{name}, {features}, leave one domain out at quality first, points:", end=" ")
            print(kept.get(f"lodo {features}", lambda p=part: domains(p)), flush=True)
        print(
            f"{name}, controls, AIQ over the Zero router, points: {kept.get('controls', lambda d=data: spoilt(d))}",
            flush=True,
        )


def domains(data: RoutingDataset) -> dict[str, Any]:
    """Return the mean difference to the best single model at quality first, over queries and over domains left out."""
    labels = np.array([domain or "" for domain in data.queries.domains])
    each, everything = {}, []
    for name in np.unique(labels).tolist():
        known, held = data.take(np.flatnonzero(labels != name)), data.take(np.flatnonzero(labels == name))
        router = AutoRouter().fit(known)
        chosen = router.decide_many(held.queries, Context(operating_point=0.0)).names
        columns = [data.models.index(model) for model in chosen]
        best = held.quality[:, data.models.index(known.best_single)]
        ahead = 100 * (held.quality[np.arange(len(held)), columns] - best)
        everything.extend(ahead.tolist())
        each[name] = round(float(ahead.mean()), 2)
    over = bootstrap_interval(everything)
    domains_over = mean_interval(list(each.values()))
    return {
        "over queries": f"{over.estimate:+.2f} [{over.low:+.2f}, {over.high:+.2f}]",
        "over domains": f"{domains_over.estimate:+.2f} [{domains_over.low:+.2f}, {domains_over.high:+.2f}]",
        "each": each,
    }


def spoilt(data: RoutingDataset) -> dict[str, Any]:
    """Return the AIQ gain as the data are, with outcomes shuffled and with queries of random words."""
    found = controls(AutoRouter(), data, repeats=5).to_dict()
    return {key: _points(found[key]["aiq_gain"]) for key in ("real", "shuffled", "random")}


def attacks(data: RoutingDataset, weight: float) -> dict[str, dict[str, float]]:
    """Return the share of queries that go to the dearest model under each attack, alone, under a cap and under a ration."""
    found = perturbations(AutoRouter(policy=Utility(cost_weight=weight)), data)
    shares = {
        attack.name: {
            "dear": round(attack.dear_share, 3),
            "capped": round(attack.dear_share_capped or 0, 3),
            "rationed": round(attack.dear_share_rationed or 0, 3),
        }
        for attack in found.attacks
    }
    return {"none": {"dear": round(found.dear_share, 3)}} | shares


def steady(split: Split) -> dict[str, Any]:
    """Choose, on validation queries, the setting that flips least of those that gain enough; measure it on the test part."""
    estimator = AutoRouter().fit(split.train).fitted(AutoState).estimator
    some = split.val.take(np.random.default_rng(0).permutation(len(split.val))[:ASKED])
    weights = [0.0, *(np.logspace(-3, 3, 25) / split.val.cost_usd.mean() * 0.1).tolist()]
    on_val = estimator.predict(split.val.queries)
    needed = ENOUGH * 100 * _aiq(split.val, split.train, on_val, weights)
    asked, rewritten = estimator.predict(some.queries), _rewritten(estimator, some)
    allowed = [w for w in weights if _gain(split.val, split.train, on_val, w) >= needed]
    weight = min(allowed, key=lambda w: np.mean(list(_flips(asked, rewritten, w).values())))
    test = estimator.predict(split.test.queries)
    each = _flips(test, _rewritten(estimator, split.test), weight)
    return {
        "weight": weight,
        "edits": len(each),
        "flips": float(np.mean(list(each.values()))),
        "each": each,
        "gain": _gain(split.test, split.val, test, weight),
        "aiq": 100 * _aiq(split.test, split.val, test, weights),
    }


def _rewritten(estimator: Estimator, part: RoutingDataset) -> dict[str, Estimates]:
    pairs = list(zip(part.queries.texts, part.queries.ids, strict=True))
    return {
        edit.name: estimator.predict(Queries.from_texts([edit(*pair) for pair in pairs], ids=part.queries.ids))
        for edit in edits()
    }


def _picks(found: Estimates, weight: float) -> np.ndarray:
    return first_choice(Utility().scores(found, weight), found.cost_usd)


def _flips(asked: Estimates, rewritten: dict[str, Estimates], weight: float) -> dict[str, float]:
    before = _picks(asked, weight)
    return {name: float((_picks(found, weight) != before).mean()) for name, found in rewritten.items()}


def _point(part: RoutingDataset, found: Estimates, weight: float) -> tuple[float, float]:
    part, rows = part.only(found.models), np.arange(len(part))
    picks = _picks(found, weight)
    return float(part.cost_usd[rows, picks].mean()), float(part.quality[rows, picks].mean())


def _zero(part: RoutingDataset, other: RoutingDataset) -> np.ndarray:
    """Return the Zero router's points on a part, those on the hull of another, by cost."""
    points = model_points(part.cost_usd, part.quality)[hull(model_points(other.cost_usd, other.quality))]
    return points[np.argsort(points[:, 0])]


def _gain(part: RoutingDataset, other: RoutingDataset, found: Estimates, weight: float) -> float:
    """Return how far a setting is above the Zero router at the same cost, in points."""
    cost, quality = _point(part, found, weight)
    return 100 * (quality - float(np.interp(cost, *_zero(part, other).T)))


def _aiq(part: RoutingDataset, other: RoutingDataset, found: Estimates, weights: list[float]) -> float:
    zero = _zero(part, other)
    mine = np.array([_point(part, found, weight) for weight in weights] + [tuple(zero[0])])
    mine = mine[hull(mine)]
    low, high = zero[0, 0], zero[-1, 0]
    return (area(mine[:, 0], mine[:, 1], low, high) or 0) - (area(zero[:, 0], zero[:, 1], low, high) or 0)


def _points(found: dict[str, float] | None) -> str:
    if found is None:
        return "unknown"
    return f"{100 * found['estimate']:+.2f} [{100 * found['low']:+.2f}, {100 * found['high']:+.2f}]"


if __name__ == "__main__":
    main()
