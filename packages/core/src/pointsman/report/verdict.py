"""Verdict: in a few words, whether a router pays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pointsman.evaluation.report import Evaluation, VerdictKind
from pointsman.selection.audit import Audit

__all__ = ["Tone", "headline", "tone"]

Tone = Literal["good", "even", "bad", "open"]

_HEADLINES: Mapping[VerdictKind, str] = {
    "better": "A router pays here: better answers",
    "saves": "A router pays here: equal quality for less money",
    "equal": "A router does no harm here, and pays nothing either",
    "trades": "A router is cheaper here, and its answers are worse",
    "undecided": "These data cannot tell whether a router pays",
    "worse": "A router does not pay here",
    "unknown": "There is nothing to compare a router with",
}
_TONES: Mapping[VerdictKind, Tone] = {
    "better": "good",
    "saves": "good",
    "equal": "even",
    "trades": "even",
    "undecided": "open",
    "worse": "bad",
    "unknown": "open",
}
_ADVISED: Mapping[str, str] = {
    "router": "A router looks worth it, but none was measured",
    "single": "You don't need a router here",
    "more data": "Not enough data to tell whether a router pays",
}


def headline(audit: Audit, evaluation: Evaluation | None) -> str:
    """Return what the measured router comes to; without one, what the audit advises."""
    return _ADVISED[audit.advice.kind] if evaluation is None else _HEADLINES[evaluation.verdict.kind]


def tone(evaluation: Evaluation | None) -> Tone:
    """Return how the verdict should look: good, even, bad, or open."""
    return "open" if evaluation is None else _TONES[evaluation.verdict.kind]
