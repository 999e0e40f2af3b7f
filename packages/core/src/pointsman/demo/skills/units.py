"""Units of measure: an exact converter, one with the factors people remember, and one that knows powers of ten."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from pointsman.demo.measures import METRIC, UNITS, Unit, rounded
from pointsman.demo.skills.work import Work

__all__ = ["exact", "from_memory"]

_CONVERT = re.compile(r"(?:Convert|Express) ([\d.]+) (\w+) (?:to|in) (\w+)\.")
_HOW_MANY = re.compile(r"How many (\w+) are ([\d.]+) (\w+)\?")
_FAHRENHEIT = re.compile(r"(-?\d+) degrees Fahrenheit to degrees Celsius")
_SPEED = re.compile(r"(\d+) miles per hour to metres per second")
_HEIGHT = re.compile(r"How many centimetres are (\d+) feet (\d+) inches")

_REMEMBERED = MappingProxyType(
    dict(METRIC)
    | {
        name: Unit(UNITS[name].dimension, Decimal(size))
        for name, size in {
            "miles": "1600", "feet": "0.3", "inches": "0.025", "yards": "0.9", "pounds": "0.45", "ounces": "0.03",
            "stone": "6", "gallons": "4", "pints": "0.5", "quarts": "1",
        }.items()
    }
)  # fmt: skip


def exact(text: str) -> Work | None:
    """Convert any measure with the exact factors, temperatures, speeds and compound heights included."""
    if asked := _FAHRENHEIT.search(text):
        degrees = int(asked[1])
        return Work(rounded(Decimal(degrees - 32) * 5 / 9), (f"Celsius = ({degrees} - 32) × 5 / 9.",))
    if asked := _SPEED.search(text):
        metres = int(asked[1]) * UNITS["miles"].size
        return Work(rounded(metres / 3600), (f"{asked[1]} miles are {metres} metres.", "An hour has 3600 seconds."))
    if asked := _HEIGHT.search(text):
        inches = 12 * int(asked[1]) + int(asked[2])
        return Work(rounded(inches * Decimal("2.54")), (f"That is {inches} inches.", "An inch is 2.54 centimetres."))
    return _converted(text, UNITS)


def from_memory(text: str) -> Work | None:
    """Convert with the rough factors people remember: a mile of 1.6 km, a pound of 450 g, Celsius as half of F less 30."""
    if asked := _FAHRENHEIT.search(text):
        return Work(rounded(Decimal(int(asked[1]) - 30) / 2))
    return _converted(text, _REMEMBERED)


def _converted(text: str, units: Mapping[str, Unit]) -> Work | None:
    if asked := _CONVERT.search(text):
        amount, source, target = asked.groups()
    elif asked := _HOW_MANY.search(text):
        target, amount, source = asked.groups()
    else:
        return None
    if source not in units or target not in units:
        return None
    factor = units[source].size / units[target].size
    value = rounded(Decimal(amount) * units[source].size / units[target].size)
    return Work(value, (f"1 {source} = {factor:.6g} {target}.", f"{amount} × {factor:.6g} = {value}."))
