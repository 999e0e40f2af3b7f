"""Word problems: a reader of whole stories, and a guesser who multiplies the numbers in pairs."""

from __future__ import annotations

import re
from decimal import Decimal

from pointsman.demo.measures import rounded
from pointsman.demo.skills.work import Work

__all__ = ["multiply_in_pairs", "read_closely"]

_BOUGHT = re.compile(r"(\d+) \w+ at \$(\d+) each")
_GIVEN = re.compile(r"has (\d+) \w+ and gives (\d+) of them")
_BILL = re.compile(r"pays with a \$(\d+) note")
_DISCOUNT = re.compile(r"(\d+)% off and then adds \$(\d+)")
_STRETCH = re.compile(r"at (\d+) km/h for (\d+) hours")
_PUMPS = re.compile(r"in (\d+) minutes, another in (\d+) minutes")
_NUMBER = re.compile(r"\d+")


def read_closely(text: str) -> Work | None:
    """Find what is bought, given, driven or pumped, and leave the other numbers alone."""
    if asked := _PUMPS.search(text):
        a, b = map(int, asked.groups())
        return Work(rounded(Decimal(a * b) / (a + b)), (f"Each minute they fill 1/{a} + 1/{b} of the tank.",))
    if asked := _GIVEN.search(text):
        n, given = map(int, asked.groups())
        return Work(str(n - given), (f"{n} - {given} = {n - given}.",))
    pairs = _BOUGHT.findall(text) or _STRETCH.findall(text)
    if not pairs:
        return None
    total = Decimal(sum(int(a) * int(b) for a, b in pairs))
    steps = [f"{' + '.join(f'{a} × {b}' for a, b in pairs)} = {total}."]
    if paid := _BILL.search(text):
        steps.append(f"{paid[1]} - {total} = {int(paid[1]) - total}.")
        total = int(paid[1]) - total
    if reduced := _DISCOUNT.search(text):
        total = total * (100 - int(reduced[1])) / 100 + int(reduced[2])
        steps.append(f"Less {reduced[1]}%, plus {reduced[2]}, that is {rounded(total)}.")
    return Work(rounded(total), tuple(steps))


def multiply_in_pairs(text: str) -> Work | None:
    """Multiply the story's numbers two by two and add up; subtract instead where something is given away."""
    if asked := _GIVEN.search(text):
        return Work(str(int(asked[1]) - int(asked[2])))
    if not (_BOUGHT.search(text) or _STRETCH.search(text) or _PUMPS.search(text)):
        return None
    numbers = [int(number) for number in _NUMBER.findall(text)]
    return Work(str(sum(a * b for a, b in zip(numbers[::2], numbers[1::2], strict=False))))
