"""Notation: binary, hexadecimal and Roman numerals, read and written; and a reader of Roman numerals who only adds."""

from __future__ import annotations

import re

from pointsman.demo.skills.work import Work

__all__ = ["adding_letters", "exact"]

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_DIGITS = (("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"), "IVXLCDM")
_TO_BINARY = re.compile(r"(?:Write|What is) (\d+) in binary")
_FROM_BINARY = re.compile(r"written ([01]+) in binary")
_FROM_ROMAN = re.compile(r"Roman numeral ([IVXLCDM]+) ")
_TO_ROMAN = re.compile(r"Write (\d+) as a Roman numeral")
_HEXADECIMAL = re.compile(r"hexadecimal numbers ([0-9A-F]+) and ([0-9A-F]+)\.")


def exact(text: str) -> Work | None:
    """Read and write binary, hexadecimal and Roman numerals."""
    if asked := _HEXADECIMAL.search(text):
        a, b = (int(number, 16) for number in asked.groups())
        return Work(f"{a + b:X}", (f"In decimal, {a} + {b} = {a + b}.",))
    if asked := _TO_ROMAN.search(text):
        return Work(_written(int(asked[1])))
    if asked := _FROM_ROMAN.search(text):
        return Work(str(_read(asked[1])))
    return _binary(text)


def adding_letters(text: str) -> Work | None:
    """Read and write binary, and read Roman numerals by adding up their letters, as if IV were VI."""
    if asked := _FROM_ROMAN.search(text):
        return Work(str(sum(_VALUES[letter] for letter in asked[1])))
    return _binary(text)


def _binary(text: str) -> Work | None:
    if asked := _TO_BINARY.search(text):
        digits, number = "", int(asked[1])
        while number:
            number, bit = divmod(number, 2)
            digits = str(bit) + digits
        return Work(digits, (f"The remainders of halving {asked[1]}, last first: {', '.join(digits)}.",))
    if asked := _FROM_BINARY.search(text):
        bits = [2**place for place, bit in enumerate(reversed(asked[1])) if bit == "1"]
        return Work(str(sum(bits)), (f"{' + '.join(map(str, reversed(bits)))} = {sum(bits)}.",))
    return None


def _read(numeral: str) -> int:
    values = [_VALUES[letter] for letter in numeral]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def _written(number: int) -> str:
    """Write a number below 4000 digit by digit, with the pattern of the ones moved up to the letters of each place."""
    patterns, letters = _DIGITS
    written = ""
    for place, digit in enumerate(reversed(str(number))):
        moved = str.maketrans("IVX", letters[2 * place : 2 * place + 3].ljust(3))
        written = patterns[int(digit)].translate(moved) + written
    return written
