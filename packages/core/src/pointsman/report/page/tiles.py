"""Tiles: the key figures, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.report import Evaluation
from pointsman.metrics import Interval
from pointsman.report.page.words import UNKNOWN, clean, ends, quality, share, signed
from pointsman.report.report import Report

__all__ = ["Tile", "tiles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure: what it is of, the figure, and what to know of it; `tone` is "good", "bad" or nothing."""

    label: str
    value: str
    detail: str
    tone: str = ""


def tiles(report: Report) -> list[Tile]:
    """Return the figures an engineer asks for first."""
    evaluation = report.evaluation
    return [*_audited(report)] if evaluation is None else [*_measured(report, evaluation)]


def _measured(report: Report, evaluation: Evaluation) -> Iterator[Tile]:
    row, best = evaluation.router, clean(evaluation.best_single, 40)
    own = row.own
    difference, cost = (None, None) if own is None else (own.difference, own.relative_cost)
    yield Tile(
        label=f"Quality beside always {best}",
        value=_points(difference),
        detail=_interval(difference),
        tone=_tone(difference, 0.0),
    )
    yield Tile(
        label=f"Cost beside always {best}",
        value=UNKNOWN if cost is None else share(cost.estimate),
        detail="no cost is known" if cost is None else f"{_level(cost)} {ends(cost, as_share=True)}",
        tone=_tone(None if cost is None else _minus(cost), -1.0),
    )
    yield from _frugal(row.at_best)
    if row.aiq_gain is not None:
        yield Tile(
            label="Mean height of its curve over mixing single models blindly (AIQ)",
            value=_points(row.aiq_gain),
            detail=_interval(row.aiq_gain),
            tone=_tone(row.aiq_gain, 0.0),
        )
    oracle = evaluation.row("oracle")
    yield Tile(
        label="Of the way from the best single model to the oracle",
        value=share(row.captured),
        detail=f"the oracle, which knows every outcome, has {quality(oracle.quality.estimate if oracle.quality else None)}",
    )
    facts = report.provenance
    yield Tile(
        label="Test queries",
        value=f"{evaluation.queries:,}",
        detail=f"of {facts.queries:,} queries, {facts.models} models",
    )


def _frugal(found: Comparison | None) -> Iterator[Tile]:
    if found is not None and found.relative_cost is not None:
        yield Tile(
            label="Cost at the cheapest setting that was as good on validation data",
            value=share(found.relative_cost.estimate),
            detail=f"quality there {_points(found.difference)}, {_interval(found.difference)}",
        )


def _audited(report: Report) -> Iterator[Tile]:
    first = report.audit.standings[0]
    yield Tile(
        label="Best single model so far",
        value=clean(first.model, 40),
        detail=f"quality {quality(first.quality.estimate if first.quality else None)}",
    )
    if report.audit.ceiling is not None:
        found = report.audit.ceiling.headroom
        yield Tile(label="The most that choosing could gain", value=_points(found), detail=_interval(found))
    yield Tile(
        label="Different queries", value=f"{report.provenance.groups:,}", detail=f"{report.provenance.models} models"
    )


def _points(found: Interval | None) -> str:
    return UNKNOWN if found is None else f"{signed(found)} points"


def _level(found: Interval) -> str:
    return f"{100 * found.level:g} % interval"


def _interval(found: Interval | None) -> str:
    return "interval unknown" if found is None else f"{_level(found)} {ends(found)}"


def _minus(found: Interval) -> Interval:
    return Interval(estimate=-found.estimate, low=-found.high, high=-found.low, level=found.level)


def _tone(found: Interval | None, even: float) -> str:
    """Return "good" or "bad" where the interval lies wholly on one side."""
    if found is None or found.low <= even <= found.high:
        return ""
    return "good" if found.low > even else "bad"
