"""Unit conversions: between metric units, from imperial ones, and compound measures."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from random import Random

from pointsman.demo.measures import IMPERIAL, METRIC, Unit, rounded
from pointsman.demo.task import Kind, Puzzle

__all__ = ["UNIT_CONVERSION"]

_ASKING = (
    "Convert {amount} {source} to {target}.",
    "How many {target} are {amount} {source}?",
    "Express {amount} {source} in {target}.",
)
_ROUND = " Round to two decimals."


def _conversion(rng: Random, sources: Mapping[str, Unit], targets: Mapping[str, Unit], amount: Decimal) -> Puzzle:
    source = rng.choice(sorted(sources))
    dimension, size = sources[source]
    target = rng.choice(
        sorted(name for name, unit in targets.items() if unit.dimension == dimension and name != source)
    )
    text = rng.choice(_ASKING).format(amount=amount, source=source, target=target)
    return Puzzle(text + _ROUND, rounded(amount * size / targets[target].size))


def metric(rng: Random) -> Puzzle:
    """Ask for a conversion by a power of ten."""
    return _conversion(rng, METRIC, METRIC, Decimal(rng.randint(2, 900)))


def imperial(rng: Random) -> Puzzle:
    """Ask for a conversion from an imperial to a metric unit, in either direction."""
    sources, targets = rng.choice(((IMPERIAL, METRIC), (METRIC, IMPERIAL)))
    return _conversion(rng, sources, targets, Decimal(rng.randint(15, 9999)) / 10)


def temperature(rng: Random) -> Puzzle:
    """Ask for degrees Fahrenheit in degrees Celsius."""
    degrees = rng.randint(-40, 250)
    celsius = Decimal(degrees - 32) * 5 / 9
    return Puzzle(f"Convert {degrees} degrees Fahrenheit to degrees Celsius." + _ROUND, rounded(celsius))


def speed(rng: Random) -> Puzzle:
    """Ask for miles per hour in metres per second."""
    pace = rng.randint(3, 200)
    metres = pace * IMPERIAL["miles"].size / 3600
    return Puzzle(f"Convert {pace} miles per hour to metres per second." + _ROUND, rounded(metres))


def compound(rng: Random) -> Puzzle:
    """Ask for a height in feet and inches in centimetres."""
    feet, inches = rng.randint(2, 9), rng.randint(1, 11)
    total = (feet * IMPERIAL["feet"].size + inches * IMPERIAL["inches"].size) / METRIC["centimetres"].size
    return Puzzle(f"How many centimetres are {feet} feet {inches} inches?" + _ROUND, rounded(total))


UNIT_CONVERSION = Kind(name="units", easy=(metric,), medium=(imperial,), hard=(temperature, speed, compound))
"""Lengths, masses, volumes, temperatures and speeds."""
