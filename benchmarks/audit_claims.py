"""What an audit claims, each claim beside what full data show of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from audit_truth import Truth

from pointsman.evaluation.paired import interval_of
from pointsman.evaluation.power import fewest_needed, queries_per_variance
from pointsman.evaluation.resampling import Resampling
from pointsman.metrics import Interval
from pointsman.selection.audit import Audit
from pointsman.selection.auditing.trial import Trial

POWER = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim: the rate at which it should hold, whether it does, and, of an interval, its estimate, width and truth."""

    name: str
    stated: float
    held: bool
    width: float = float("nan")
    estimate: float = float("nan")
    truth: float = float("nan")


def claims(report: Audit, truth: Truth, rng: np.random.Generator) -> Iterator[Claim]:
    """Yield everything that the audit of a sample claims."""
    yield from _standings(report, truth, rng)
    yield from _ceiling(report, truth)
    yield from _needed(report, truth, rng)
    yield from _swap(report, truth)
    for trial in report.trials:
        yield from _trial(trial, truth)
    yield from advice(report, truth)


def advice(report: Audit, truth: Truth | None) -> Iterator[Claim]:
    """Yield whether the advice is not wrong, counting every sample, and again only those where such advice was given.

    Without a truth, only advice that says nothing can be judged.
    """
    kind = report.advice.kind
    yield Claim(name=f"advice is {kind!r}", stated=float("nan"), held=True)
    router = kind != "router" or (truth is not None and _router_helps(report, truth))
    single = kind != "single" or (truth is not None and not _router_would_help(report, truth))
    yield Claim(name="no false 'router'", stated=report.level, held=router)
    yield Claim(name="no false 'single'", stated=report.level, held=single)
    if kind == "router":
        yield Claim(name="'router' is true where given", stated=float("nan"), held=router)
    if kind == "single":
        yield Claim(name="'single' is true where given", stated=float("nan"), held=single)


def _router_helps(report: Audit, truth: Truth) -> bool:
    """Return whether the router that was advised is better than the best single model, or as good and enough cheaper."""
    name = "text" if "reads the text" in report.advice.text else "domain"
    first, frugal = truth.first[name], truth.frugal[name]
    if first.difference.mean() > 0:
        return True
    return bool(frugal.difference.mean() > -report.margin and 1 - frugal.relative_cost >= 0.1)


def _router_would_help(report: Audit, truth: Truth) -> bool:
    """Return whether a router gains the margin over the single model that was advised, or saves a tenth at its quality."""
    column = truth.rest.models.index(report.advice.model)
    quality, cost = truth.rest.mean_quality[column], truth.rest.mean_cost_usd[column]
    for router in (*truth.first.values(), *truth.frugal.values()):
        if router.quality - quality >= report.margin:
            return True
        if router.quality - quality > 0 and 1 - router.cost / cost >= 0.1:
            return True
    return False


def _interval(name: str, found: Interval | None, truth: float, scale: float) -> Iterator[Claim]:
    """Yield whether an interval covers; the error against the rest is scaled to one against all queries."""
    if found is None:
        return
    shown = found.estimate - (found.estimate - truth) * scale
    yield Claim(
        name=name,
        stated=found.level,
        held=bool(found.low - 1e-9 <= shown <= found.high + 1e-9),
        width=found.high - found.low,
        estimate=found.estimate,
        truth=truth,
    )


def _standings(report: Audit, truth: Truth, rng: np.random.Generator) -> Iterator[Claim]:
    mean, names = truth.rest.mean_quality, truth.rest.models
    picked = report.standings[int(rng.integers(len(report.standings)))]
    for what, row in (("a model's quality", picked), ("the best single's quality", report.standings[0])):
        yield from _interval(what, row.quality, float(mean[names.index(row.model)]), truth.scale)
    held = names[int(mean.argmax())] in report.near_tied
    yield Claim(name="the best is among the tied", stated=report.level, held=held, width=len(report.near_tied))


def _ceiling(report: Audit, truth: Truth) -> Iterator[Claim]:
    if report.ceiling is None:
        return
    top = float(truth.rest.quality.max(axis=1).mean())
    yield from _interval("oracle", report.ceiling.oracle, top, truth.scale)
    yield from _interval("co-failure", report.ceiling.cofailure, 1 - top, truth.scale)
    left = top - float(truth.rest.mean_quality[truth.best])
    yield from _interval("headroom", report.ceiling.headroom, left, truth.scale)


def _needed(report: Audit, truth: Truth, rng: np.random.Generator) -> Iterator[Claim]:
    """Yield whether `needed` holds the number that full data ask for, and whether so many show the margin as often as said."""
    if len(report.standings) == 1 or report.needed is None:
        return
    first, second = (truth.rest.models.index(row.model) for row in report.standings[:2])
    differences = truth.rest.quality[:, first] - truth.rest.quality[:, second]
    yield from _interval("needed", report.needed, _asked(differences, report, report.level), 1.0)
    shifted = rng.choice(differences - differences.mean() + report.margin, size=int(report.needed.estimate))
    drawn = Resampling(group=np.arange(len(shifted)), draws=400, random_state=0)
    shown = interval_of(shifted, drawn, level=report.level, low=-2, high=2)
    yield Claim(name="needed shows the margin", stated=POWER, held=shown is not None and shown.low > 0)
    for trial in report.trials:
        if trial.needed is not None:
            asked = _asked(truth.first[trial.name].difference, report, trial.needed.level)
            yield from _interval(f"{trial.name}: needed", trial.needed, asked, 1.0)


def _asked(differences: np.ndarray, report: Audit, level: float) -> float:
    per_variance = queries_per_variance(effect=report.margin, power=POWER, level=level)
    return max(fewest_needed(effect=report.margin, level=level), per_variance * float(differences.var()))


def _swap(report: Audit, truth: Truth) -> Iterator[Claim]:
    if report.swap is None:
        yield Claim(name="swap loses < margin, saves", stated=report.level, held=True)
        return
    mean, cost = truth.rest.mean_quality, truth.rest.mean_cost_usd
    column = truth.rest.models.index(report.swap.model)
    lost = float(mean[column] - mean[truth.best])
    held = bool(lost > -report.margin and cost[column] < cost[truth.best])
    yield Claim(name="swap loses < margin, saves", stated=report.level, held=held)
    yield Claim(name="swap is true where given", stated=float("nan"), held=held)
    yield from _interval("swap: difference", report.swap.beside.difference, lost, truth.scale)
    saved = float(1 - cost[column] / cost[truth.best])
    yield from _interval("swap: saving", report.swap.beside.saving, saved, truth.scale)


def _trial(trial: Trial, truth: Truth) -> Iterator[Claim]:
    settings = (("best quality", trial.first, trial.first_in_hindsight, truth.first[trial.name]),)
    if trial.frugal is not None and trial.frugal_in_hindsight is not None:
        settings += (("frugal", trial.frugal, trial.frugal_in_hindsight, truth.frugal[trial.name]),)
    for setting, found, hindsight, router in settings:
        gain, saving = float(router.difference.mean()), 1 - router.relative_cost
        for beside, shown in (("", found), (" in hindsight", hindsight)):
            name = f"{trial.name}, {setting}{beside}"
            yield from _interval(f"{name}: gain", shown.difference, gain, truth.scale)
            yield from _interval(f"{name}: saving", shown.saving, saving, truth.scale)
