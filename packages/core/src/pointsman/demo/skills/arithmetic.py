"""Arithmetic: a recursive-descent evaluator of eight digits, a reader from left to right, and one for two digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from operator import add, mul, sub

from pointsman.demo.skills.work import Work

__all__ = ["eight_digits", "left_to_right", "two_digits"]

_EXPRESSION = re.compile(r"(?:What is|Compute|Work out|Please evaluate) ([-+×()\d\s]|plus|minus|times)+[?.]")
_TOKEN = re.compile(r"\d+|[-+×()]|plus|minus|times")
_REMAINDER = re.compile(r"remainder when (\d+) is divided by (\d+)")
_SIGNS = {"plus": "+", "minus": "-", "times": "×"}
_OPERATIONS: dict[str, Callable[[int, int], int]] = {"+": add, "-": sub, "×": mul}
_SMALL = 99
_DIGITS = 8


def _tokens(text: str) -> list[str] | None:
    if not _EXPRESSION.fullmatch(text):
        return None
    return [_SIGNS.get(token, token) for token in _TOKEN.findall(text)]


def eight_digits(text: str) -> Work | None:
    """Evaluate any expression, brackets and precedence included, and remainders; keep eight digits, like a calculator."""
    if asked := _REMAINDER.search(text):
        a, b = map(int, asked.groups())
        return Work(str(a % b), (f"{a} = {a // b} × {b} + {a % b}.",))
    tokens = _tokens(text)
    if tokens is None:
        return None
    steps: list[str] = []
    return Work(str(_sum(iter([*tokens, "end"]), steps)[0]), tuple(steps))


def _sum(tokens: Iterator[str], steps: list[str]) -> tuple[int, str]:
    """Read terms until the closing bracket or the end; return their sum and the token after them."""
    value, sign = _product(tokens, steps)
    while sign in {"+", "-"}:
        term, following = _product(tokens, steps)
        value, sign = _applied(sign, value, term, steps), following
    return value, sign


def _product(tokens: Iterator[str], steps: list[str]) -> tuple[int, str]:
    """Read factors; return their product and the token after them."""
    value, sign = _factor(tokens, steps), next(tokens)
    while sign == "×":
        value, sign = _applied(sign, value, _factor(tokens, steps), steps), next(tokens)
    return value, sign


def _factor(tokens: Iterator[str], steps: list[str]) -> int:
    first = next(tokens)
    return _sum(tokens, steps)[0] if first == "(" else int(first)


def _applied(sign: str, a: int, b: int, steps: list[str]) -> int:
    value = _shown(_OPERATIONS[sign](a, b))
    steps.append(f"{a} {sign} {b} = {value}.")
    return value


def _shown(value: int) -> int:
    """Drop what a display of eight digits has no room for."""
    return round(value, min(0, _DIGITS - len(str(abs(value)))))


def left_to_right(text: str) -> Work | None:
    """Apply each sign as it comes, as if there were no brackets and no precedence; keep eight digits."""
    tokens = _tokens(text)
    if tokens is None:
        return None
    first, *rest = (token for token in tokens if token not in {"(", ")"})
    steps: list[str] = []
    value = int(first)
    for sign, number in zip(rest[::2], rest[1::2], strict=True):
        value = _applied(sign, value, int(number), steps)
    return Work(str(value), tuple(steps))


def two_digits(text: str) -> Work | None:
    """Work out one sum, difference or product of two numbers of at most two digits."""
    match _tokens(text):
        case [a, sign, b] if sign in _OPERATIONS and int(a) <= _SMALL and int(b) <= _SMALL:
            return Work(str(_OPERATIONS[sign](int(a), int(b))))
    return None
