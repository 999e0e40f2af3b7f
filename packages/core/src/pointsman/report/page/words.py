"""Words: figures and foreign text as the page writes them; what is unknown is a dash."""

from __future__ import annotations

import unicodedata
from math import isfinite

from pointsman.evaluation.wording import points
from pointsman.metrics import Interval

__all__ = ["clean", "ends", "money", "per_thousand", "quality", "share", "signed", "times_best"]

UNKNOWN = "–"
_LONGEST = 320
_THIN = "\N{NO-BREAK SPACE}"
_REPLACED = "\N{REPLACEMENT CHARACTER}"


def clean(text: str, longest: int = _LONGEST) -> str:
    r"""Return foreign text in one line, cut where it is too long, without anything that does not show or changes direction.

    >>> clean("a\x00 b\n\n c"), clean("one two three", 8), clean("\ud83e")
    ('a b c', 'one two…', '\ufffd')
    """
    shown = "".join(_shown(letter) for letter in text[: 20 * longest])
    line = " ".join(shown.split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    while cut and unicodedata.combining(line[len(cut)]):  # a letter keeps its accents
        cut = cut[:-1]
    return f"{cut.rstrip()}…"


def _shown(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind == "Cs":  # half of a pair, which no file can hold
        return _REPLACED
    if kind in {"Cc", "Cf", "Co", "Cn"} and letter not in "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}":
        return " " if kind == "Cc" else ""
    return letter


def quality(value: float | None) -> str:
    """Write a quality in points.

    >>> quality(0.7155), quality(None)
    ('71.5', '–')
    """
    return UNKNOWN if value is None or not isfinite(value) else points(value, signed=False)


def signed(found: Interval | None) -> str:
    """Write a difference in points."""
    return UNKNOWN if found is None else points(found.estimate)


def ends(found: Interval | None, *, as_share: bool = False) -> str:
    """Write the ends of an interval, of points or of a share.

    >>> ends(Interval(estimate=0.02, low=0.004, high=0.031, level=0.95))
    '+0.4 to +3.1'
    """
    if found is None:
        return "interval unknown"
    if as_share:
        return f"{share(found.low)} to {share(found.high)}"
    return f"{points(found.low)} to {points(found.high)}"


def share(value: float | None) -> str:
    """Write a share as a percentage.

    >>> [share(value).replace("\N{NO-BREAK SPACE}", " ") for value in (0.4321, 0.004, 0.0, None)]
    ['43 %', '0.4 %', '0 %', '–']
    """
    if value is None or not isfinite(value):
        return UNKNOWN
    if 0 < value < 0.0005:  # noqa: PLR2004 - little is not nothing
        return f"< 0.1{_THIN}%"
    digits = 1 if 0 < abs(value) < 0.0095 else 0  # noqa: PLR2004 - what would be rounded to nothing
    return f"{100 * value:.{digits}f}{_THIN}%".replace("-", "−")


def times_best(found: Interval | None) -> str:
    """Write a cost beside that of the best single model."""
    return UNKNOWN if found is None else f"{share(found.estimate)}"


def money(usd: float | None) -> str:
    """Write an amount of money without an exponent.

    >>> money(0.0000456), money(1.5), money(0.0), money(None)
    ('$0.0000456', '$1.50', '$0', '–')
    """
    if usd is None or not isfinite(usd):
        return UNKNOWN
    if usd == 0:
        return "$0"
    if abs(usd) >= 1:
        return f"${usd:,.2f}"
    rounded = float(f"{usd:.3g}")
    text = f"{rounded:.12f}".rstrip("0")
    return f"${text}" if not text.endswith(".") else f"${text}0"


def per_thousand(usd: float | None) -> str:
    """Write a mean cost per query as that of a thousand queries."""
    return money(None if usd is None else 1000 * usd)
