"""Notation tasks: whole numbers in binary, hexadecimal and Roman numerals."""

from __future__ import annotations

from random import Random

from pointsman.demo.task import Kind, Puzzle

__all__ = ["NOTATION"]

_ROMAN = {
    1000: "M", 900: "CM", 500: "D", 400: "CD", 100: "C", 90: "XC", 50: "L", 40: "XL", 10: "X", 9: "IX", 5: "V", 4: "IV", 1: "I",
}  # fmt: skip


def _roman(number: int) -> str:
    written = ""
    for value, letters in _ROMAN.items():
        count, number = divmod(number, value)
        written += letters * count
    return written


def to_binary(rng: Random) -> Puzzle:
    """Ask for a small number in binary."""
    number = rng.randint(5, 255)
    asking = rng.choice(("Write {} in binary.", "What is {} in binary?"))
    return Puzzle(asking.format(number), f"{number:b}")


def from_binary(rng: Random) -> Puzzle:
    """Ask for the decimal value of a binary number."""
    number = rng.randint(33, 1023)
    return Puzzle(f"Which decimal number is written {number:b} in binary?", str(number))


def from_roman(rng: Random) -> Puzzle:
    """Ask for the decimal value of a Roman numeral."""
    number = rng.randint(20, 2999)
    return Puzzle(f"Which number does the Roman numeral {_roman(number)} stand for?", str(number))


def to_roman(rng: Random) -> Puzzle:
    """Ask for a Roman numeral."""
    number = rng.randint(40, 2999)
    return Puzzle(f"Write {number} as a Roman numeral.", _roman(number))


def hexadecimal_sum(rng: Random) -> Puzzle:
    """Ask for a sum of two hexadecimal numbers, in hexadecimal."""
    a, b = rng.randint(300, 60_000), rng.randint(300, 60_000)
    return Puzzle(
        f"Add the hexadecimal numbers {a:X} and {b:X}. Give the sum in hexadecimal.",
        f"{a + b:X}",
    )


NOTATION = Kind(name="notation", easy=(to_binary,), medium=(from_binary, from_roman), hard=(to_roman, hexadecimal_sum))
"""Whole numbers from one way of writing them to another."""
