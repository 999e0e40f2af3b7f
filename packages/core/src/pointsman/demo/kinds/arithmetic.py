"""Arithmetic tasks: sums of two numbers, chains with precedence, brackets, remainders."""

from __future__ import annotations

from math import prod
from random import Random

from pointsman.demo.task import Kind, Puzzle

__all__ = ["ARITHMETIC"]

_ASKING = ("What is {}?", "Compute {}.", "Work out {}.", "Please evaluate {}.")


def _asked(rng: Random, expression: str, value: int) -> Puzzle:
    return Puzzle(rng.choice(_ASKING).format(expression), str(value))


def two_numbers(rng: Random) -> Puzzle:
    """Ask for one sum, difference or product of numbers under a hundred."""
    a, b = rng.randint(2, 99), rng.randint(2, 99)
    sign, value = rng.choice(
        [("+", a + b), ("plus", a + b), ("-", a - b), ("minus", a - b), ("×", a * b), ("times", a * b)]
    )
    return _asked(rng, f"{a} {sign} {b}", value)


def chain(rng: Random) -> Puzzle:
    """Ask for a sum of products, in which multiplication binds first."""
    terms = [[rng.randint(2, 60) for _ in range(rng.choice((1, 1, 2)))] for _ in range(rng.randint(3, 4))]
    signs = [1, *(rng.choice((1, -1)) for _ in terms[1:])]
    value = sum(sign * prod(term) for sign, term in zip(signs, terms, strict=True))
    written = [("+ " if sign > 0 else "- ") + " × ".join(map(str, t)) for sign, t in zip(signs, terms, strict=True)]
    return _asked(rng, " ".join(written).removeprefix("+ "), value)


def brackets(rng: Random) -> Puzzle:
    """Ask for a product of bracketed sums of larger numbers."""
    a, b, c, d = (rng.randint(100, 9999) for _ in range(4))
    e = rng.randint(2, 99)
    return _asked(rng, f"({a} + {b}) × ({c} - {d}) + {e} × {a}", (a + b) * (c - d) + e * a)


def remainder(rng: Random) -> Puzzle:
    """Ask for the remainder of a division."""
    a, b = rng.randint(10_000, 999_999), rng.randint(7, 97)
    return Puzzle(f"What is the remainder when {a} is divided by {b}?", str(a % b))


ARITHMETIC = Kind(name="arithmetic", easy=(two_numbers,), medium=(chain,), hard=(brackets, remainder))
"""Sums, chains, brackets and remainders of whole numbers."""
