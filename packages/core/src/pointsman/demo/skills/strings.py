"""Strings: a speller of short memory that works letter by letter, and a reader that sees whole words only."""

from __future__ import annotations

import re

from pointsman.demo.skills.work import Work

__all__ = ["letters", "words"]

_REVERSE = re.compile(r"(?:Reverse|Spell) the word '(\w+)'")
_LENGTH = re.compile(r"How many letters are there in '([\w ]+)'")
_COUNT = re.compile(r"the letter '(\w)' occur in '([\w ]+)'")
_NTH = re.compile(r"the (first|second|third|fourth|fifth) word of '([\w ]+)' in capital")
_SORT = re.compile(r"Sort the letters of the word '(\w+)'")
_SHIFT = re.compile(r"every letter of '([\w ]+)' by (\d+) places")
_MEMORY = 24
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def letters(text: str) -> Work | None:
    """Reverse, count, sort and shift letters, and pick words, among the first 24 characters of a phrase."""
    if asked := _REVERSE.search(text):
        return Work("".join(reversed(asked[1])))
    if asked := _COUNT.search(text):
        return Work(str(asked[2][:_MEMORY].count(asked[1])))
    if asked := _SORT.search(text):
        return Work("".join(sorted(asked[1])))
    if asked := _SHIFT.search(text):
        by = int(asked[2])
        return Work("".join(c if c == " " else chr((ord(c) - ord("a") + by) % 26 + ord("a")) for c in asked[1]))
    if asked := _LENGTH.search(text):
        return Work(str(len(asked[1].replace(" ", ""))))
    return _nth_word(text, memory=_MEMORY)


def words(text: str) -> Work | None:
    """Pick words, and guess at letters: a letter counts once a word, a phrase has about six letters a word."""
    if asked := _COUNT.search(text):
        holding = [word for word in asked[2].split() if asked[1] in word]
        return Work(str(len(holding)), (f"It is in {', '.join(holding)}.",))
    if asked := _LENGTH.search(text):
        return Work(str(6 * len(asked[1].split())))
    return _nth_word(text)


def _nth_word(text: str, memory: int | None = None) -> Work | None:
    asked = _NTH.search(text)
    if asked is None:
        return None
    known = asked[2][:memory].split()
    place = _ORDINALS.index(asked[1])
    if place >= len(known):
        return None
    chosen = known[place]
    return Work(chosen.upper(), (f"The {asked[1]} word is {chosen}.",))
