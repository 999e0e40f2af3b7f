"""Wording: figures as a sentence has them; quality counts in points, a hundredth of the scale each."""

from __future__ import annotations

from pointsman.metrics import Interval

__all__ = ["dollars", "gain", "percent", "points", "rounded", "span", "times"]


def points(quality: float, *, signed: bool = True) -> str:
    """Write a quality, or a difference of two, in points.

    >>> points(0.0184), points(-0.005), points(0.7, signed=False)
    ('+1.8', '−0.5', '70.0')
    """
    value = round(100 * quality, 1) + 0.0  # never minus zero
    return f"{value:{'+' if signed else ''}.1f}".replace("-", "−")


def percent(share: float) -> str:
    """Write a share as a whole percentage.

    >>> percent(0.4321), percent(-0.05)
    ('43 %', '−5 %')
    """
    return f"{round(100 * share)} %".replace("-", "−")


def span(interval: Interval, *, share: bool = False) -> str:
    """Write the ends of an interval, of points or of a share.

    >>> span(Interval(estimate=0.02, low=0.004, high=0.031, level=0.95))
    '95 % interval +0.4 to +3.1'
    """
    ends = [percent(end) if share else points(end) for end in (interval.low, interval.high)]
    return f"{100 * interval.level:g} % interval {ends[0]} to {ends[1]}"


def gain(interval: Interval) -> str:
    """Write a difference in quality with its interval.

    >>> gain(Interval(estimate=0.02, low=0.004, high=0.031, level=0.95))
    '+2.0 points (95 % interval +0.4 to +3.1)'
    """
    return f"{points(interval.estimate)} points ({span(interval)})"


def times(ratio: float | None) -> str:
    """Write what something costs beside another.

    >>> times(0.4), times(2.5), times(None)
    ('40 % of its cost', '2.5 times its cost', 'an unknown cost')
    """
    if ratio is None:
        return "an unknown cost"
    return f"{percent(ratio)} of its cost" if ratio < 1.995 else f"{ratio:.2g} times its cost"  # noqa: PLR2004 - rounds to 2


def dollars(usd: float | None) -> str:
    """Write an amount of money.

    >>> dollars(0.00123), dollars(None)
    ('$0.00123', 'unknown')
    """
    return "unknown" if usd is None else f"${usd:.3g}"


def rounded(count: float) -> str:
    """Write a count to two digits, for it is an estimate.

    >>> rounded(7687), rounded(43)
    ('7,700', '43')
    """
    whole = round(count)
    return f"{round(whole, 2 - len(str(whole))):,}"
