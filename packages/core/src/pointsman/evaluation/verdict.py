"""Verdict: what a comparison with the best single model comes to, in words."""

from __future__ import annotations

from pointsman.evaluation.paired import Comparison
from pointsman.evaluation.report import Verdict, VerdictKind
from pointsman.evaluation.wording import gain, percent, points, rounded, span, times
from pointsman.metrics import Interval

__all__ = ["judge", "size_of", "verdict_of"]

_ORDER: tuple[VerdictKind, ...] = ("better", "saves", "equal", "trades", "undecided", "worse", "unknown")


def verdict_of(
    own: Comparison, at_best: Comparison | None, *, best_single: str, margin: float, needed: Interval | None
) -> Verdict:
    """Judge a router at its own setting, and at the one that reached the best single model's quality on validation.

    Neither setting was chosen on the test data, so the better finding of the two counts.
    """
    kind, text = judge(own, best_single=best_single, margin=margin)
    if kind == "undecided" and needed is not None:
        text += f"; about {rounded(needed.estimate)} test queries would tell a difference of {size_of(margin)}"
    text = f"The router {text}."
    if at_best is None or at_best.operating_point == own.operating_point:
        return Verdict(kind=kind, text=text)
    other, more = judge(at_best, best_single=best_single, margin=margin)
    text += f" At the cheapest setting that was as good as {best_single} on validation data, it {more}."
    return Verdict(kind=min(kind, other, key=_ORDER.index), text=text)


def judge(found: Comparison, *, best_single: str, margin: float) -> tuple[VerdictKind, str]:
    """Return the kind of a comparison, and a phrase that says so of "the router".

    Quality is equal when the interval of the difference lies above −margin.
    """
    difference, saving = found.difference, found.saving
    if difference is None:
        return "unknown", f"cannot be compared with always {best_single}: too few outcomes are known"
    cost = times(None if found.relative_cost is None else found.relative_cost.estimate)
    if difference.low > 0:
        return "better", f"is better than always {best_single}: {gain(difference)} at {cost}"
    cheaper = saving is not None and saving.low > 0
    if difference.low > -margin:
        if cheaper and saving is not None:
            saved = f"saves {percent(saving.estimate)} ({span(saving, share=True)}) of what always {best_single} costs"
            return "saves", f"{saved}, at equal quality: {gain(difference)}, within {size_of(margin)}"
        return "equal", f"is as good as always {best_single} but not cheaper: {gain(difference)} at {cost}"
    if difference.high < 0:
        kind: VerdictKind = "trades" if cheaper else "worse"
        return kind, f"is worse than always {best_single}{' and cheaper' * cheaper}: {gain(difference)} at {cost}"
    return "undecided", f"is not better than always {best_single} within noise: {gain(difference)} at {cost}"


def size_of(margin: float) -> str:
    """Write the size of a difference in quality.

    >>> size_of(0.01), size_of(0.025)
    ('1 point', '2.5 points')
    """
    size = points(margin, signed=False).removesuffix(".0")
    return f"{size} point{'' if size == '1' else 's'}"
