"""Word problems: shopping, sharing, journeys and pumps, the harder ones with numbers that do not matter."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from pointsman.demo.measures import rounded
from pointsman.demo.task import Kind, Puzzle

__all__ = ["STORIES"]

_PEOPLE = ("Mia", "Omar", "Lena", "Ravi", "Sofia", "Tom", "Yuki", "Noah")
_THINGS = ("notebooks", "lamps", "pens", "chairs", "mugs", "tickets", "plants", "scarves")


def shopping(rng: Random) -> Puzzle:
    """Ask for the price of several things of one kind."""
    n, price = rng.randint(2, 12), rng.randint(2, 40)
    who, what = rng.choice(_PEOPLE), rng.choice(_THINGS)
    return Puzzle(f"{who} buys {n} {what} at ${price} each. How many dollars is that in total?", str(n * price))


def sharing(rng: Random) -> Puzzle:
    """Ask how many are left."""
    n, (who, other) = rng.randint(10, 90), rng.sample(_PEOPLE, 2)
    given, what = rng.randint(2, n - 1), rng.choice(_THINGS)
    text = f"{who} has {n} {what} and gives {given} of them to {other}. How many {what} does {who} have left?"
    return Puzzle(text, str(n - given))


def change(rng: Random) -> Puzzle:
    """Ask for the change after buying two kinds of things."""
    (n, p), (m, q) = ((rng.randint(2, 9), rng.randint(2, 20)) for _ in range(2))
    who, (one, two) = rng.choice(_PEOPLE), rng.sample(_THINGS, 2)
    bill = rng.choice([note for note in (100, 200, 500) if note > n * p + m * q])
    bought = f"{who} buys {n} {one} at ${p} each and {m} {two} at ${q} each"
    return Puzzle(f"{bought}, and pays with a ${bill} note. How many dollars of change?", str(bill - n * p - m * q))


def journey(rng: Random) -> Puzzle:
    """Ask for the length of a journey in two stretches."""
    v, w, g, h = rng.randint(40, 160), rng.randint(40, 160), rng.randint(2, 6), rng.randint(2, 6)
    text = f"A train travels at {v} km/h for {g} hours and then at {w} km/h for {h} hours. How many kilometres in all?"
    return Puzzle(text, str(v * g + w * h))


def discount(rng: Random) -> Puzzle:
    """Ask for a price after a discount and a delivery charge, among numbers that do not matter."""
    n, price, off, fee = rng.randint(2, 9), rng.randint(10, 90), 5 * rng.randint(1, 8), rng.randint(3, 12)
    (who, other), what = rng.sample(_PEOPLE, 2), rng.choice(_THINGS)
    paid = Decimal(n * price) * (100 - off) / 100 + fee
    text = (
        f"{who}, who is {rng.randint(18, 70)} years old, buys {n} {what} at ${price} each for {other}. The shop takes "
        f"{off}% off and then adds ${fee} for delivery. How many dollars is that in total?"
    )
    return Puzzle(text, rounded(paid))


def pumps(rng: Random) -> Puzzle:
    """Ask how long two pumps need together."""
    a, b = rng.randint(4, 60), rng.randint(4, 60)
    text = (
        f"A tank holds {rng.randint(2, 90)}00 litres. One pump fills it in {a} minutes, another in {b} minutes. "
        "How many minutes do they need together? Round to two decimals."
    )
    return Puzzle(text, rounded(Decimal(a * b) / (a + b)))


STORIES = Kind(name="stories", easy=(shopping, sharing), medium=(change, journey), hard=(discount, pumps))
"""Small word problems."""
