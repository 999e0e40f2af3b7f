"""Arithmetic: the calculations that a text states, worked out again."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

__all__ = ["Calculation", "calculations_in", "numbers_in"]

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_NUMBERS = re.compile(_NUMBER)
_TOKEN = re.compile(
    rf"(?P<number>{_NUMBER})|(?P<operator>[-−–+*×·÷/]|(?<![^\W_])x(?![^\W_]))|(?P<equals>=)|(?P<word>[^\W\d_]+(?:/[^\W\d_]+)*)"
    r"|(?P<percent>%)|(?P<money>[$€£])|(?P<opening>\()|(?P<closing>\))|(?P<mark><<)|(?P<unmark>>>)|(?P<other>\S)"
)
_OPERATORS = str.maketrans("−–×x·÷", "--***/")
_APPLIED: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_OPERANDS: Mapping[str, str] = {"number": "", "percent": "/100", "closing": ")"}
_UNITS, _TOKENS = 3, 40  # words that one number's unit may have, tokens that one calculation may have
_LARGEST = 1e100  # whoever writes four hundred digits means no infinity
_CLOSE = 0.005  # right to half a hundredth, or to half a per cent where the result is large
Token = tuple[str, str]  # its kind and its text


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculation:
    """A calculation that a text states.

    Parameters:
        stated: What the text says it comes to.
        value: What it comes to.
    """

    stated: float
    value: float

    @property
    def right(self) -> bool:
        """Whether the two are the same, as far as rounding goes."""
        return abs(self.stated - self.value) <= _CLOSE * (1 + abs(self.value))


def numbers_in(text: str) -> list[float]:
    """Return the numbers of a text in order, without their signs, and none above 1e100.

    >>> numbers_in("Each of the 1,200 eggs costs $0.25.")
    [1200.0, 0.25]
    """
    return [_number(found) for found in _NUMBERS.findall(text)]


def calculations_in(text: str) -> list[Calculation]:
    """Return the calculations that can be worked out, in order; units are left out, and a per cent is a hundredth.

    >>> calculations_in("4 poles * 6 lights = 24 lights")
    [Calculation(stated=24.0, value=24.0)]
    >>> [(each.stated, each.right) for each in calculations_in("20 - 20 / 4 = $<<20-20/4=16>>16.")]
    [(16.0, False), (16.0, False)]
    """
    tokens: list[Token] = [(str(found.lastgroup), found[0]) for found in _TOKEN.finditer(text)]
    found = []
    for place, (kind, _) in enumerate(tokens):
        if kind == "equals":
            value = _value_of(_before(tokens, place))
            stated = None if value is None else _after(tokens, place + 1, value)
            if value is not None and stated is not None:
                found.append(Calculation(stated=stated, value=value))
    return found


def _number(text: str) -> float:
    return min(float(text.replace(",", "")), _LARGEST)


def _before(tokens: Sequence[Token], place: int) -> str:
    """Return the calculation that ends before a place, without its units; "" where there is none."""
    parts: list[str] = []
    whole = units = 0  # how many parts, from the right, can stand alone; words since the last operator
    for kind, text in reversed(tokens[max(0, place - _TOKENS) : place]):
        complete = whole == len(parts) > 0
        if complete and kind == "operator":
            parts.append(text.translate(_OPERATORS))
            units = 0
        elif complete and kind == "opening":
            parts.append(text)
            whole += 1
        elif not complete and kind in _OPERANDS:
            parts.append(_OPERANDS[kind] or repr(_number(text)))
            whole = len(parts) if kind == "number" else whole
        elif not complete and kind == "word" and len(text) > 1 and units < _UNITS:  # one letter is an unknown
            units += 1
        elif kind != "money":
            break
    parts = parts[:whole]
    extra = parts.count("(") - parts.count(")")
    return "".join(reversed(parts)).removeprefix("(" * max(0, extra)) if {*"+-*/"} & {*parts} else ""


def _after(tokens: Sequence[Token], place: int, value: float) -> float | None:
    """Return what a calculation of this value is said to come to, past a currency and a marked calculation; None without it."""
    rest = [token for token in tokens[place : place + _TOKENS] if token[0] != "money"]
    if rest[:1] == [("mark", "<<")] and ("unmark", ">>") in rest:
        rest = rest[rest.index(("unmark", ">>")) + 1 :]
    sign = -1 if rest and rest[0][1] in "-−" else 1
    rest = rest[sign < 0 :]
    unit = next((i for i, (kind, _) in enumerate(rest[1 : 2 + _UNITS]) if kind != "word"), 0)
    kinds, texts = zip(*rest[:1], *rest[1 + unit :], *[("end", "")] * 3, strict=True)
    if kinds[0] != "number":
        return None
    stated = sign * _number(texts[0])
    if kinds[1] == "operator":  # a fraction, or the next step of the calculation
        fraction = texts[1] == "/" and kinds[2] == "number" and kinds[3] != "operator"
        return stated / (_number(texts[2]) or 1.0) if fraction else None
    return min(stated, stated / 100, key=lambda told: abs(told - value)) if kinds[1] == "percent" else stated


def _value_of(written: str) -> float | None:
    try:
        value = _value(ast.parse(written, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if isfinite(value) else None


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _APPLIED:
        return _APPLIED[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError(ast.dump(node))
