"""Made: what a router consists of, what was tried for it, and how far it trusts itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.evaluation.wording import points
from pointsman.report.composition import Composition
from pointsman.report.page.words import UNKNOWN, clean, share
from pointsman.selection.choosing.findings import Findings, Tried

__all__ = ["Made", "TriedCells", "made"]

_LONGEST, _NAME = 400, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedCells:
    """One way to answer, as text; `tone` marks the one that was chosen."""

    name: str
    gain: str
    interval: str
    relative: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A router's parts as the page shows them.

    Parameters:
        said: What it says itself, in a form that is not known here; None where it says nothing.
        sentences: What an AutoRouter found, a sentence or two each; with `caption` and `tried`, the table of what it tried.
        parts: Every parameter and its value.
    """

    said: str | None
    sentences: tuple[str, ...]
    caption: str
    tried: tuple[TriedCells, ...]
    parts: tuple[tuple[str, str], ...]


def made(of: Composition) -> Made:
    """Return what there is to show of a router's parts."""
    parts = tuple((clean(path), clean(value)) for path, value in of.parts)
    if isinstance(of.found, Findings):
        tried = tuple(_cells(row, "" if place else "router") for place, row in enumerate(of.found.tried))
        return Made(
            said=None, sentences=tuple(_sentences(of.found)), caption=_caption(of.found), tried=tried, parts=parts
        )
    said = None if of.findings is None else "\n".join(clean(line, _LONGEST) for line in of.findings.splitlines())
    return Made(said=said, sentences=(), caption="", tried=(), parts=parts)


def _sentences(found: Findings) -> Iterator[str]:
    incumbent = clean(found.incumbent, _NAME)
    yield clean(found.verdict, _LONGEST)
    shares = ", ".join(f"{name} {part:.2f}" for name, part in found.shares.items())
    yield (
        f"It adds up what several estimators say of each model’s difference to {incumbent}, the best single model, with the "
        f"weights {shares}."
    )
    yield _trust(found)
    yield (
        f"A query unlike those that were learnt from stays with {incumbent} where quality comes first."
        if found.familiarity
        else "There are too few kinds of queries to tell a familiar one from a new one, so all count as familiar."
    )
    if found.pruned:
        gone = ", ".join(f"{clean(name, _NAME)} (by {clean(by, _NAME)})" for name, by in found.pruned.items())
        yield f"Left out, as another model is better and hardly ever dearer: {gone}."
    yield f"What chooses is {clean(found.policy)}."


def _trust(found: Findings) -> str:
    seen = (
        f"On held-out queries the differences that came true were {found.slope:.2f} times as large as those predicted "
        f"(standard error {found.error:.2f})"
    )
    if not found.acts:
        return f"{seen}; that may be nothing, so the trust is 0 and no query is treated differently for what it says."
    return f"{seen}; less two errors, the trust is {found.trust:.2f}: {share(found.trust)} of each predicted difference counts."


def _caption(found: Findings) -> str:
    return (
        f"What was tried on the {found.queries:,} training queries, each while held out; gain, in points, and × cost are "
        f"beside always {clean(found.incumbent, _NAME)}."
    )


def _cells(row: Tried, tone: str) -> TriedCells:
    interval = UNKNOWN if row.low is None or row.high is None else f"{points(row.low)} to {points(row.high)}"
    return TriedCells(
        name=clean(row.name, _NAME),
        gain=UNKNOWN if row.difference is None else points(row.difference),
        interval=interval,
        relative=UNKNOWN if row.relative_cost is None else share(row.relative_cost),
        tone=tone,
    )
