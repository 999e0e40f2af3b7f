"""What a token is here, four characters, and how many an exchange used."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["CHARACTERS", "Tokens", "estimate", "pieces"]

CHARACTERS = 4


def estimate(text: str) -> int:
    """Return the tokens `text` is taken to be when nobody counted them: a quarter of its characters, at least 1.

    >>> estimate(""), estimate("four"), estimate("fives")
    (1, 1, 2)
    """
    return max(1, math.ceil(len(text) / CHARACTERS))


def pieces(text: str) -> list[str]:
    """Cut `text` into the tokens it is streamed in; joined they are the text again.

    >>> pieces("Paris, France")
    ['Pari', 's, F', 'ranc', 'e']
    """
    return [text[start : start + CHARACTERS] for start in range(0, len(text), CHARACTERS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What one exchange used; `cached` is part of `input`, `reasoning` is part of `output`."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
