"""Logic: a reasoner that checks one possibility after the other, not for ever, and a reader of the first sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import permutations, product

from pointsman.demo.skills.work import Work

__all__ = ["first_sentence", "possibilities"]

_FACT = re.compile(r"(\w+) is (taller|shorter|older|younger|faster|slower) than (\w+)\.")
_RANK = re.compile(r"Who is the (second |third |fourth )?\w+est\?")
_EXPRESSION = re.compile(r"Is the expression (.+) true or false\?")
_CLAIM = re.compile(
    r"(\w+) says: (\w+)(?: and (\w+))? (?:is|are) (a knight|a knave|of the same kind|of different kinds)\."
)
_RANKS = (None, "second ", "third ", "fourth ")
_LESS = {"shorter", "younger", "slower"}


def possibilities(text: str) -> Work | None:
    """Work out truth values, and go through islands and orders until one fits, giving up after three quarters of them."""
    if asked := _EXPRESSION.search(text):
        words = iter(re.findall(r"\w+|[()]", asked[1]))
        return Work(str(_holds(words)).lower(), ("Worked out from the inner brackets.",))
    if claims := _CLAIM.findall(text):
        return _islanders(claims)
    return _ordered(text)


def _holds(words: Iterator[str]) -> bool:
    """Read one operand: true, false, `not` and an operand, or two of them in brackets."""
    word = next(words)
    if word == "not":
        return not _holds(words)
    if word != "(":
        return word == "true"
    left, joint, right = _holds(words), next(words), _holds(words)
    next(words)
    return (left and right) if joint == "and" else (left or right)


def _islanders(claims: list[tuple[str, str, str, str]]) -> Work | None:
    people = sorted({claim[0] for claim in claims} | {claim[1] for claim in claims})
    islands = [*product((True, False), repeat=len(people))]
    for kinds in islands[: _patience(islands)]:
        knight = dict(zip(people, kinds, strict=True))
        said = [
            knight[a] == (what == "a knight") if not b else (knight[a] == knight[b]) == (what == "of the same kind")
            for _, a, b, what in claims
        ]
        if all(knight[claim[0]] == true for claim, true in zip(claims, said, strict=True)):
            names = " and ".join(name for name in people if knight[name]) or "nobody"
            tried = f"Of {len(islands)} islands, this one fits all that is said."
            return Work(
                names, (tried, *(f"{c[0]}: {'true' if t else 'false'}." for c, t in zip(claims, said, strict=True)))
            )
    return None


def _patience(ways: Sequence[object]) -> int:
    return -(-3 * len(ways) // 4)


def _ordered(text: str) -> Work | None:
    facts = [(b, a) if relation in _LESS else (a, b) for a, relation, b in _FACT.findall(text)]
    asked = _RANK.search(text)
    if not facts or asked is None:
        return None
    people = sorted({name for fact in facts for name in fact})
    orders = [*permutations(people)]
    for order in orders[: _patience(orders)]:
        if all(order.index(a) < order.index(b) for a, b in facts):
            return Work(order[_RANKS.index(asked[1])], (f"In order: {', '.join(order)}.",))
    return None


def first_sentence(text: str) -> Work | None:
    """Name whoever the first comparison puts higher; call every expression with `or` true."""
    if asked := _EXPRESSION.search(text):
        return Work("true" if " or " in asked[1] else "false")
    if fact := _FACT.search(text):
        return Work(fact[3] if fact[2] in _LESS else fact[1])
    return None
