"""Sequence tasks: the next number of a progression, a growth, a recurrence or two of them interleaved."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from pointsman.demo.task import Kind, Puzzle

__all__ = ["SEQUENCES"]

_ASKING = (
    "What number comes next in the sequence {}?",
    "Continue the sequence {} with one number.",
    "Which number follows {}?",
)


def _asked(rng: Random, numbers: Sequence[int]) -> Puzzle:
    *shown, answer = numbers
    return Puzzle(rng.choice(_ASKING).format(", ".join(map(str, shown))), str(answer))


def arithmetic(rng: Random) -> Puzzle:
    """Ask for the next number of equal steps."""
    start, step = rng.randint(-50, 90), rng.choice([i for i in range(-15, 26) if i])
    return _asked(rng, [start + step * i for i in range(6)])


def geometric(rng: Random) -> Puzzle:
    """Ask for the next number of equal ratios."""
    start, ratio = rng.randint(2, 25), rng.randint(2, 5)
    return _asked(rng, [start * ratio**i for i in range(6)])


def quadratic(rng: Random) -> Puzzle:
    """Ask for the next number of steps that grow evenly."""
    a, b, c = rng.randint(1, 6), rng.randint(-10, 20), rng.randint(-20, 40)
    return _asked(rng, [a * i * i + b * i + c for i in range(7)])


def recurrence(rng: Random) -> Puzzle:
    """Ask for the next number where each is the sum of the two before."""
    numbers = [rng.randint(1, 15), rng.randint(3, 30)]
    for _ in range(5):
        numbers.append(numbers[-1] + numbers[-2])
    return _asked(rng, numbers)


def interleaved(rng: Random) -> Puzzle:
    """Ask for the next number of two progressions that take turns."""
    (a, p), (b, q) = ((rng.randint(0, 60), rng.randint(2, 15)) for _ in range(2))
    return _asked(rng, [a + p * (i // 2) if i % 2 == 0 else b - q * (i // 2) for i in range(9)])


SEQUENCES = Kind(name="sequences", easy=(arithmetic,), medium=(geometric, quadratic), hard=(recurrence, interleaved))
"""The next number."""
