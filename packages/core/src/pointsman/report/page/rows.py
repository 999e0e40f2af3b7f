"""Rows: figures as the cells of the page's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.report import Evaluation, MethodRow
from pointsman.metrics import Interval
from pointsman.report.domains import DomainRow
from pointsman.report.page.words import UNKNOWN, clean, ends, per_thousand, quality, share, signed, times_best

__all__ = ["DomainCells", "MethodCells", "Range", "baseline_rows", "domain_cells", "method_cells", "single_rows"]

_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCells:
    """One method, as text."""

    name: str
    quality: str
    cost: str
    relative: str
    difference: str
    interval: str
    aiq_gain: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """An interval as a bar: places in per cent of its width."""

    left: str
    width: str
    middle: str
    zero: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainCells:
    """One domain, as text and a bar."""

    name: str
    queries: str
    best_single: str
    router: str
    gain: str
    range: Range | None
    relative: str
    own_best: str
    chosen: str


def baseline_rows(evaluation: Evaluation) -> list[MethodCells]:
    """Return the router, its setting chosen on validation data, and what it is held against, the named models first."""
    best, rows = evaluation.best_single, [method_cells(evaluation.router, "router, as set", "router")]
    if (frugal := evaluation.router.at_best) is not None and frugal.operating_point is not None:
        rows.append(_setting(frugal, "router, cheapest setting as good on validation"))
    rows.append(method_cells(evaluation.row(f"always {best}"), f"always {best} (best single)", "best"))
    if evaluation.cheapest != best:
        rows.append(
            method_cells(evaluation.row(f"always {evaluation.cheapest}"), f"always {evaluation.cheapest} (cheapest)")
        )
    named = {
        "zero router": "Zero router, at the router’s cost",
        "random": "a random model",
        "oracle": "oracle, in hindsight",
    }
    others = (row for row in evaluation.rows[1:] if not row.name.startswith("always "))
    rows += [method_cells(row, named.get(row.name, row.name)) for row in others]
    return rows


def single_rows(evaluation: Evaluation) -> list[MethodCells]:
    """Return every single model, the best first; [] where they are in the other table already."""
    rows = [row for row in evaluation.rows if row.name.startswith("always ")]
    if len(rows) <= 2:  # noqa: PLR2004 - the best and the cheapest
        return []
    rows.sort(key=lambda row: (-(row.quality.estimate if row.quality else -1.0), row.name))
    best = f"always {evaluation.best_single}"
    return [method_cells(row, row.name.removeprefix("always "), "best" if row.name == best else "") for row in rows]


def method_cells(row: MethodRow, name: str, tone: str = "") -> MethodCells:
    """Return the cells of a method."""
    own = row.own
    return MethodCells(
        name=clean(name, _LONGEST),
        quality=quality(row.quality.estimate if row.quality else None),
        cost=per_thousand(row.cost_usd),
        relative=UNKNOWN if own is None else times_best(own.relative_cost),
        difference=UNKNOWN if own is None else signed(own.difference),
        interval=UNKNOWN if own is None or own.difference is None else ends(own.difference),
        aiq_gain=UNKNOWN if row.aiq_gain is None else f"{signed(row.aiq_gain)} ({ends(row.aiq_gain)})",
        tone=tone,
    )


def _setting(found: Comparison, name: str) -> MethodCells:
    return MethodCells(
        name=name,
        quality=quality(found.quality),
        cost=per_thousand(found.cost_usd),
        relative=times_best(found.relative_cost),
        difference=signed(found.difference),
        interval=UNKNOWN if found.difference is None else ends(found.difference),
        aiq_gain=UNKNOWN,
    )


def domain_cells(rows: Sequence[DomainRow], best_single: str) -> list[DomainCells]:
    """Return the cells of all domains; the bars share one scale."""
    known = [row.router.difference for row in rows if row.router.difference is not None]
    low = min([0.0, *(found.low for found in known)])
    high = max([0.0, *(found.high for found in known)])
    return [
        DomainCells(
            name=clean(row.domain, _LONGEST),
            queries=f"{row.queries:,}",
            best_single=quality(row.best_single),
            router=quality(row.router.quality),
            gain=signed(row.router.difference),
            range=None if row.router.difference is None else _range(row.router.difference, low, high),
            relative=times_best(row.router.relative_cost),
            own_best=_own_best(row, best_single),
            chosen=", ".join(f"{clean(name, 32)} {share(part)}" for name, part in row.chosen),
        )
        for row in rows
    ]


def _own_best(row: DomainRow, best_single: str) -> str:
    if row.own_best is None:
        return UNKNOWN
    if row.own_best == best_single:
        return "the same"
    return f"{clean(row.own_best, 32)} {quality(row.own_best_quality)}"


def _range(found: Interval, low: float, high: float) -> Range:
    def at(*values: float) -> Iterator[str]:
        for value in values:
            yield f"{100 * (value - low) / ((high - low) or 1.0):.2f}"

    left, middle, zero = at(found.low, found.estimate, 0.0)
    width = f"{100 * (found.high - found.low) / ((high - low) or 1.0):.2f}"
    return Range(left=left, width=width, middle=middle, zero=zero, text=f"{signed(found)} points ({ends(found)})")
