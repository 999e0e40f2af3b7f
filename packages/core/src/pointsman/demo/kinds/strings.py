"""String tasks: letters and words counted, picked, sorted, reversed, shifted."""

from __future__ import annotations

from random import Random
from string import ascii_lowercase

from pointsman.demo.task import Kind, Puzzle

__all__ = ["STRINGS"]

_WORDS = (
    "signal", "lever", "platform", "carriage", "whistle", "lantern", "tunnel", "viaduct", "station", "engine",
    "timetable", "conductor", "freight", "crossing", "harbour", "meadow", "orchard", "compass", "balcony",
    "library", "thunder", "velvet", "copper", "marble", "ribbon", "saddle", "pepper", "window", "garden",
)  # fmt: skip
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def reverse(rng: Random) -> Puzzle:
    """Ask for a word spelt backwards."""
    word = rng.choice(_WORDS) + rng.choice(("", "s", "less", "like"))
    return Puzzle(rng.choice(("Reverse the word '{}'.", "Spell the word '{}' backwards.")).format(word), word[::-1])


def word_length(rng: Random) -> Puzzle:
    """Ask how many letters a phrase has."""
    phrase = " ".join(rng.sample(_WORDS, rng.randint(1, 2)))
    return Puzzle(f"How many letters are there in '{phrase}'?", str(sum(letter.isalpha() for letter in phrase)))


def letter_count(rng: Random) -> Puzzle:
    """Ask how often a letter stands in a phrase."""
    phrase = " ".join(rng.sample(_WORDS, rng.randint(3, 5)))
    letter = rng.choice(sorted(set(phrase) - {" "}))
    return Puzzle(f"How many times does the letter '{letter}' occur in '{phrase}'?", str(phrase.count(letter)))


def nth_word(rng: Random) -> Puzzle:
    """Ask for one word of a phrase, in capitals."""
    words, nth = rng.sample(_WORDS, 6), rng.randrange(5)
    return Puzzle(f"Write the {_ORDINALS[nth]} word of '{' '.join(words)}' in capital letters.", words[nth].upper())


def sorted_letters(rng: Random) -> Puzzle:
    """Ask for the letters of a word in alphabetical order."""
    word = rng.choice(_WORDS) + rng.choice(_WORDS)
    return Puzzle(f"Sort the letters of the word '{word}' alphabetically.", "".join(sorted(word)))


def shift(rng: Random) -> Puzzle:
    """Ask for a word with every letter moved along the alphabet."""
    word, by = " ".join(rng.sample(_WORDS, 2)), rng.randint(2, 20)
    moved = word.translate(str.maketrans(ascii_lowercase, ascii_lowercase[by:] + ascii_lowercase[:by]))
    return Puzzle(f"Shift every letter of '{word}' by {by} places along the alphabet.", moved)


STRINGS = Kind(
    name="strings", easy=(reverse, word_length), medium=(letter_count, nth_word), hard=(sorted_letters, shift)
)
"""Work on letters and words."""
