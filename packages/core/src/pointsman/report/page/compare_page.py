"""The comparison's page: several routers' curves in one plane, and their figures in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.report import Evaluation
from pointsman.report.page.glossary import GLOSSARY
from pointsman.report.page.plane import plane
from pointsman.report.page.rows import baseline_rows, single_rows
from pointsman.report.page.template import check_extra, filled_in, picture
from pointsman.report.page.words import UNKNOWN, clean, ends, quality, signed, times_best

__all__ = ["compare_page"]

_LONG = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """One router, as text."""

    name: str
    verdict: str
    aiq: str
    aiq_gain: str
    aiq_interval: str
    own: str
    own_interval: str
    own_cost: str
    frugal: str
    frugal_cost: str


def compare_page(evaluations: Mapping[str, Evaluation], *, source: str | None = None) -> str:
    """Return one HTML page about routers that were measured on the same queries, by name.

    Raises:
        MissingExtraError: Without jinja2 or matplotlib.
    """
    check_extra()
    first = next(iter(evaluations.values()))
    ordered = sorted(evaluations.items(), key=lambda item: -_height(item[1]))
    notes = dict.fromkeys(note for evaluation in evaluations.values() for note in evaluation.notes)
    return filled_in(
        "compare.html.j2",
        title="Routers side by side",
        source=None if source is None else clean(source, 80),
        size=f"{first.queries:,} test queries × {len(first.models)} models",
        best=clean(first.best_single, 60),
        plane=picture(plane(dict(ordered))),
        caption=_caption(first),
        rows=[_cells(name, evaluation) for name, evaluation in ordered],
        baselines=[row for row in baseline_rows(first) if not row.name.startswith("router")],
        singles=single_rows(first),
        verdicts=[(clean(name, 80), clean(evaluation.verdict.text, _LONG)) for name, evaluation in ordered],
        notes=[clean(note, _LONG) for note in notes],
        glossary=GLOSSARY,
    )


def _height(evaluation: Evaluation) -> float:
    """Return what routers are ordered by: AIQ, or quality where costs are unknown."""
    row = evaluation.router
    if row.aiq is not None:
        return row.aiq
    return row.quality.estimate if row.quality is not None else -1.0


def _caption(first: Evaluation) -> str:
    return (
        "Up is better, left is cheaper. Each line joins what a router reaches at the settings chosen on validation data; its "
        "large dot is the router as it is set. The dashed line mixes single models blindly (Zero router). All are measured on "
        f"the same queries; bars are {100 * first.level:g} % intervals of the difference to {clean(first.best_single, 60)}."
    )


def _cells(name: str, evaluation: Evaluation) -> _Cells:
    row = evaluation.router
    own, frugal = row.own, row.at_best
    difference = None if own is None else own.difference
    return _Cells(
        name=clean(name, 80),
        verdict=evaluation.verdict.kind,
        aiq=quality(row.aiq),
        aiq_gain=signed(row.aiq_gain),
        aiq_interval="" if row.aiq_gain is None else ends(row.aiq_gain),
        own=signed(difference),
        own_interval="" if difference is None else ends(difference),
        own_cost=UNKNOWN if own is None else times_best(own.relative_cost),
        frugal=_difference(frugal),
        frugal_cost=UNKNOWN if frugal is None else times_best(frugal.relative_cost),
    )


def _difference(found: Comparison | None) -> str:
    return (
        UNKNOWN
        if found is None or found.difference is None
        else f"{signed(found.difference)} ({ends(found.difference)})"
    )
