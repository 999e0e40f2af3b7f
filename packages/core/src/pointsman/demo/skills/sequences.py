"""Sequences: a tester of four kinds of rule, and one who repeats the last step."""

from __future__ import annotations

import re
from itertools import pairwise

from pointsman.demo.skills.work import Work

__all__ = ["last_step", "one_rule"]

_SHOWN = re.compile(r"(?:sequence|follows) ((?:-?\d+, )+-?\d+)")


def _numbers(text: str) -> list[int] | None:
    asked = _SHOWN.search(text)
    return None if asked is None else [int(number) for number in asked[1].split(", ")]


def one_rule(text: str) -> Work | None:
    """Try equal steps, equal ratios, sums of the two before and evenly growing steps; else repeat the last step."""
    numbers = _numbers(text)
    if numbers is None:
        return None
    steps = [b - a for a, b in pairwise(numbers)]
    if len(set(steps)) == 1:
        return Work(str(numbers[-1] + steps[-1]), (f"The steps are all {steps[0]}.",))
    if numbers[0] and all(b * numbers[0] == a * numbers[1] for a, b in pairwise(numbers)):
        ratio = numbers[1] // numbers[0]
        return Work(str(numbers[-1] * ratio), (f"Each is {ratio} times the one before.",))
    if all(c == a + b for a, b, c in zip(numbers, numbers[1:], numbers[2:], strict=False)):
        return Work(str(numbers[-1] + numbers[-2]), ("Each is the sum of the two before.",))
    growth = {b - a for a, b in pairwise(steps)}
    if len(growth) == 1:
        return Work(str(numbers[-1] + steps[-1] + growth.pop()), (f"The steps are {', '.join(map(str, steps))}.",))
    return last_step(text)


def last_step(text: str) -> Work | None:
    """Repeat the last step, whatever the others were."""
    numbers = _numbers(text)
    return None if numbers is None else Work(str(2 * numbers[-1] - numbers[-2]))
