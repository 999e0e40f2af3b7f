"""Edits: ways to write the same question otherwise, each a pure function of the text and of the query's id.

What an edit keeps is what makes it meaning-preserving, and is tested: letters ignoring case, words ignoring punctuation, an
edit distance below the stated rate, or the whole question inside a sentence around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from math import floor

import numpy as np

__all__ = ["EDITS", "KEYBOARD", "Edit", "edits", "typos"]

Rewrite = Callable[[str, np.random.Generator], str]
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LONG_ENOUGH = 4  # letters of a word that stays readable with a typo inside


def _neighbours() -> dict[str, str]:
    found: dict[str, str] = {}
    for r, row in enumerate(_ROWS):
        for i, key in enumerate(row):
            beside = [row[j] for j in (i - 1, i + 1) if 0 <= j < len(row)]
            near = [_ROWS[s][j] for s in (r - 1, r + 1) if 0 <= s < len(_ROWS) for j in (i - (s > r), i + (s < r))
                    if 0 <= j < len(_ROWS[s])]  # fmt: skip
            found[key] = "".join(sorted({*beside, *near}))
    return found


KEYBOARD = _neighbours()
"""The keys beside each letter's on a QWERTY keyboard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One way to rewrite a question.

    Parameters:
        name: What reports call it.
        kind: "case", "spacing", "punctuation", "typos" or "paraphrase".
        rewrite: From a text and a generator of random numbers to the new text.
    """

    name: str
    kind: str
    rewrite: Rewrite

    def __call__(self, text: str, query_id: str, random_state: int = 0) -> str:
        """Return the rewritten text; the same query, edit and seed give the same one anywhere."""
        key = f"{random_state}:{self.name}:{query_id}".encode("utf-8", "surrogatepass")
        seed = int.from_bytes(blake2b(key, digest_size=8).digest(), "big")
        return self.rewrite(text, np.random.default_rng(seed))


def edits(typo_rate: float = 0.05) -> tuple[Edit, ...]:
    """Return all edits, with typos in at most this share of the letters (at least one letter where there is a long word)."""
    return (*EDITS, *(Edit(name=f"typos: {name}", kind="typos", rewrite=typos(way, typo_rate)) for name, way in _TYPOS))


def typos(way: Callable[[str, int, np.random.Generator], str], rate: float) -> Rewrite:
    """Return a rewriting that makes one kind of typo at ⌊rate × letters⌋ places, at least one, inside words of four or more.

    A word's first and last letter stay, and no two typos touch, so the edit distance is at most twice their number.
    """

    def rewrite(text: str, rng: np.random.Generator) -> str:
        words = re.finditer(r"[^\W\d_]+", text)
        places = [i for w in words if len(w[0]) >= _LONG_ENOUGH for i in range(w.start() + 1, w.end() - 2)]
        wanted = max(1, floor(rate * sum(map(str.isalpha, text)))) if rate > 0 else 0
        taken: list[int] = []
        for place in rng.permutation(places).tolist() if places else ():
            if len(taken) == wanted:
                break
            if all(abs(place - other) > 2 for other in taken):  # noqa: PLR2004 - a swap reaches one further
                taken.append(place)
        for place in sorted(taken, reverse=True):  # from the end, so that earlier places stay where they are
            text = way(text, place, rng)
        return text

    return rewrite


def _swap(text: str, i: int, _rng: np.random.Generator) -> str:
    return text[:i] + text[i + 1] + text[i] + text[i + 2 :]


def _drop(text: str, i: int, _rng: np.random.Generator) -> str:
    return text[:i] + text[i + 1 :]


def _double(text: str, i: int, _rng: np.random.Generator) -> str:
    return text[: i + 1] + text[i:]


def _adjacent(text: str, i: int, rng: np.random.Generator) -> str:
    keys = KEYBOARD.get(text[i].lower(), text[i])
    key = keys[int(rng.integers(len(keys)))]
    return text[:i] + (key.upper() if text[i].isupper() else key) + text[i + 1 :]


_TYPOS = (
    ("swapped letters", _swap),
    ("dropped letters", _drop),
    ("doubled letters", _double),
    ("adjacent keys", _adjacent),
)


def _around(before: str, after: str = "") -> Rewrite:
    """Return a rewriting that puts a question between two phrases."""
    return lambda text, _rng: f"{before}{text}{after}"


def _title(text: str, _rng: np.random.Generator) -> str:
    return re.sub(r"[^\W\d_]+", lambda word: word[0][0].upper() + word[0][1:], text)


def _spread(text: str, rng: np.random.Generator) -> str:
    """Double about one space in three, between words only: how far a line is indented may mean something."""
    return re.sub(r"(?<=\S) (?=\S)", lambda _space: "  " if rng.random() < 1 / 3 else " ", text)


def _no_final_mark(text: str, _rng: np.random.Generator) -> str:
    return text.rstrip().rstrip(".?!:;")


def _no_commas(text: str, _rng: np.random.Generator) -> str:
    """Leave out the commas after words; those within numbers mean something."""
    return re.sub(r"(?<=[^\W\d_]),(?=\s|$)", "", text)


EDITS = (
    Edit(name="lower case", kind="case", rewrite=lambda text, _rng: text.lower()),
    Edit(name="upper case", kind="case", rewrite=lambda text, _rng: text.upper()),
    Edit(name="title case", kind="case", rewrite=_title),
    Edit(name="space around", kind="spacing", rewrite=lambda text, _rng: f"  {text}\n"),
    Edit(name="double spaces", kind="spacing", rewrite=_spread),
    Edit(name="space at line ends", kind="spacing", rewrite=lambda text, _rng: text.replace("\n", "  \n")),
    Edit(name="no final mark", kind="punctuation", rewrite=_no_final_mark),
    Edit(name="no commas", kind="punctuation", rewrite=_no_commas),
    Edit(name="three dots", kind="punctuation", rewrite=_around("", "...")),
    Edit(name="please answer", kind="paraphrase", rewrite=_around("Please answer: ")),
    Edit(name="question and answer", kind="paraphrase", rewrite=_around("Question: ", "\nAnswer:")),
    Edit(name="polite before", kind="paraphrase", rewrite=_around("Hello! Could you please help me with this? ")),
    Edit(name="thanks after", kind="paraphrase", rewrite=_around("", "\nThank you very much!")),
    Edit(name="instruction before", kind="paraphrase", rewrite=_around("Give the answer to the following.\n\n")),
    Edit(name="instruction after", kind="paraphrase", rewrite=_around("", "\n\nGive the answer to the above.")),
)
"""Every edit without a rate."""
