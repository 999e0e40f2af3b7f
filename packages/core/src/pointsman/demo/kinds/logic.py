"""Logic tasks: orderings, truth values, and the island of knights and knaves."""

from __future__ import annotations

from itertools import pairwise, product
from random import Random

from pointsman.demo.task import Kind, Puzzle

__all__ = ["LOGIC"]

_NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "June", "Kit", "Lea")
_RELATIONS = (("taller", "shorter", "tallest"), ("older", "younger", "oldest"), ("faster", "slower", "fastest"))
_RANKS = ("second ", "third ", "fourth ")


def _ordering(rng: Random, people: list[str], rank: int) -> Puzzle:
    more, less, most = rng.choice(_RELATIONS)
    facts = [rng.choice((f"{a} is {more} than {b}.", f"{b} is {less} than {a}.")) for a, b in pairwise(people)]
    rng.shuffle(facts)
    return Puzzle(f"{' '.join(facts)} Who is the {('', *_RANKS)[rank]}{most}?", people[rank])


def tallest_of_three(rng: Random) -> Puzzle:
    """Ask who of three comes first."""
    return _ordering(rng, rng.sample(_NAMES, 3), 0)


def rank_of_five(rng: Random) -> Puzzle:
    """Ask who of five comes second, third or fourth."""
    return _ordering(rng, rng.sample(_NAMES, 5), rng.randint(1, 3))


def truth_value(rng: Random) -> Puzzle:
    """Ask whether an expression of truth values holds."""
    expression, value = _clause(rng, 3)
    return Puzzle(f"Is the expression {expression} true or false?", str(value).lower())


def _clause(rng: Random, depth: int) -> tuple[str, bool]:
    if depth == 0:
        value = rng.choice((True, False))
        return str(value).lower(), value
    (left, a), (right, b) = _clause(rng, depth - 1), _clause(rng, depth - rng.randint(1, depth))
    word, value = rng.choice((("and", a and b), ("or", a or b)))
    if rng.random() < 1 / 3:
        return f"not ({left} {word} {right})", not value
    return f"({left} {word} {right})", value


def knights_and_knaves(rng: Random) -> Puzzle:
    """Ask who on the island always tells the truth."""
    people = sorted(rng.sample(_NAMES, 3))
    worlds: list[tuple[bool, ...]] = []
    while len(worlds) != 1:
        claims = [_claim(rng, people, speaker) for speaker in range(3)]
        worlds = [world for world in product((True, False), repeat=3) if all(_fits(world, *claim) for claim in claims)]
    said = " ".join(_said(people, *claim) for claim in claims)
    knights = " and ".join(name for name, knight in zip(people, worlds[0], strict=True) if knight) or "nobody"
    rules = "On an island, knights always tell the truth and knaves always lie."
    return Puzzle(f"{rules} {said} Who are the knights? Name them in alphabetical order, or say nobody.", knights)


def _fits(knight: tuple[bool, ...], speaker: int, a: int, b: int, same: bool) -> bool:  # noqa: FBT001 - the claim itself
    """Tell whether a claim is true just when its speaker is a knight."""
    alike = knight[a] if a == b else knight[a] == knight[b]
    return knight[speaker] == (alike == same)


def _claim(rng: Random, people: list[str], speaker: int) -> tuple[int, int, int, bool]:
    """Return (speaker, a, b, same): the claim that a and b are of the same kind, or not; with a = b, that a is a knight."""
    a, b = rng.choices([i for i in range(len(people)) if i != speaker], k=2)
    return speaker, a, b, rng.choice((True, False))


def _said(people: list[str], speaker: int, a: int, b: int, same: bool) -> str:  # noqa: FBT001 - the claim itself
    if a == b:
        return f"{people[speaker]} says: {people[a]} is a {'knight' if same else 'knave'}."
    return f"{people[speaker]} says: {people[a]} and {people[b]} are {'of the same kind' if same else 'of different kinds'}."


LOGIC = Kind(name="logic", easy=(tallest_of_three,), medium=(rank_of_five, truth_value), hard=(knights_and_knaves,))
"""Conclusions from what is said."""
