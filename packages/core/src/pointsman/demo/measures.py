"""Units of measure: what each is worth in the base unit of its dimension, exactly."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["IMPERIAL", "METRIC", "UNITS", "Unit", "rounded"]


class Unit(NamedTuple):
    """A unit's dimension and its size in the dimension's base unit."""

    dimension: str
    size: Decimal


def _units(dimension: str, **sizes: str) -> dict[str, Unit]:
    return {name: Unit(dimension, Decimal(size)) for name, size in sizes.items()}


METRIC = MappingProxyType(
    _units("length", metres="1", kilometres="1000", centimetres="0.01", millimetres="0.001")
    | _units("mass", kilograms="1", grams="0.001", tonnes="1000")
    | _units("volume", litres="1", millilitres="0.001", hectolitres="100")
)
IMPERIAL = MappingProxyType(
    _units("length", miles="1609.344", feet="0.3048", inches="0.0254", yards="0.9144")
    | _units("mass", pounds="0.45359237", ounces="0.028349523125", stone="6.35029318")
    | _units("volume", gallons="3.785411784", pints="0.473176473", quarts="0.946352946")
)
UNITS = MappingProxyType(METRIC | IMPERIAL)


def rounded(value: Decimal) -> str:
    """Write a number with at most two decimals, halves away from zero.

    >>> rounded(Decimal("2.345")), rounded(Decimal("70"))
    ('2.35', '70')
    """
    short = value.quantize(Decimal("0.01"), ROUND_HALF_UP).normalize()
    return f"{short:f}"
