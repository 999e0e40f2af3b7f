"""Edits: each keeps what it promises, and is the same for the same query anywhere."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.evaluation.protocols.edits import EDITS, KEYBOARD, edits

TEXTS = st.text(alphabet=string.ascii_letters + " .,?!:\n0123456789", max_size=120)
RATE = 0.1


def of_kind(kind: str) -> list:
    """Return the edits of a kind."""
    return [edit for edit in edits(RATE) if edit.kind == kind]


def distance(a: str, b: str) -> int:
    """Return the Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, row = row, [i]
        for j, y in enumerate(b, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]


@given(TEXTS)
def test_case_edits_keep_the_letters(text: str) -> None:
    """Ignoring case, nothing changes."""
    for edit in of_kind("case"):
        assert edit(text, "q").casefold() == text.casefold()


@given(TEXTS)
def test_spacing_edits_keep_the_words_and_the_indentation(text: str) -> None:
    """Between spaces stand the same words; how far a line is indented stays, but for the first."""
    for edit in of_kind("spacing"):
        found = edit(text, "q")
        assert found.split() == text.split()
        assert [len(line) - len(line.lstrip(" ")) for line in found.split("\n")[1:] if line.strip()] == [
            len(line) - len(line.lstrip(" ")) for line in text.split("\n")[1:] if line.strip()
        ]


@given(TEXTS)
def test_punctuation_edits_keep_words_and_numbers(text: str) -> None:
    """Without punctuation nothing changes, and a comma or point inside a number stays."""
    for edit in of_kind("punctuation"):
        found = edit(text, "q")
        assert re.findall(r"\w+", found) == re.findall(r"\w+", text)
        assert re.findall(r"\d[.,]\d", found) == re.findall(r"\d[.,]\d", text)


@given(TEXTS)
def test_paraphrases_hold_the_whole_question(text: str) -> None:
    """The question stands inside, untouched, once more than nothing else of it."""
    for edit in of_kind("paraphrase"):
        found = edit(text, "q")
        assert text in found
        assert len(found) > len(text)


@given(TEXTS)
def test_typos_stay_below_their_rate_and_inside_words(text: str) -> None:
    """At most two edits per typo, at most ⌊rate × letters⌋ typos (or one); no word loses its first or last letter."""
    letters = sum(map(str.isalpha, text))
    most = max(1, int(RATE * letters))
    for edit in of_kind("typos"):
        found = edit(text, "q")
        assert distance(text, found) <= 2 * most
        words, was = re.findall(r"[A-Za-z]+", found), re.findall(r"[A-Za-z]+", text)
        assert [(w[0], w[-1]) for w in words] == [(w[0], w[-1]) for w in was]
        assert [w for w in was if len(w) < 4] == [
            w for w, old in zip(words, was, strict=True) if len(old) < 4
        ]  # short words are spared
        assert re.sub(r"[A-Za-z]+", "", found) == re.sub(r"[A-Za-z]+", "", text)


def test_each_typo_is_of_its_kind() -> None:
    """Swaps keep the letters, drops lose them, doublings repeat them, adjacent keys replace them by neighbours."""
    text = "Could somebody explain quantum entanglement without equations"
    found = {edit.name: edit(text, "q") for edit in of_kind("typos")}
    count = int(RATE * sum(map(str.isalpha, text)))
    assert sorted(found["typos: swapped letters"]) == sorted(text)
    assert len(found["typos: dropped letters"]) == len(text) - count
    assert len(found["typos: doubled letters"]) == len(text) + count
    changed = [(a, b) for a, b in zip(text, found["typos: adjacent keys"], strict=True) if a != b]
    assert len(changed) == count
    assert all(b.lower() in KEYBOARD[a.lower()] for a, b in changed)


def test_neighbouring_keys_are_mutual() -> None:
    """If one key is beside another, that one is beside it; all letters have neighbours."""
    assert set(KEYBOARD) == set(string.ascii_lowercase)
    assert all(key in KEYBOARD[other] for key, others in KEYBOARD.items() for other in others)
    assert set(KEYBOARD["g"]) == set("fhtyvb")


def test_an_edit_is_pure_and_keyed_by_the_query() -> None:
    """The same query and seed give the same text; another id or seed another one."""
    text = "Explain the second law of thermodynamics to somebody patient"
    (swap, *_) = of_kind("typos")
    assert swap(text, "a") == swap(text, "a")
    assert len({swap(text, "a"), swap(text, "b"), swap(text, "a", 1)}) == 3


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_names_are_distinct_and_every_edit_does_something(edit: object) -> None:
    """Each changes a question of several lines with capitals, commas and a mark."""
    text = "First, read\nthe following carefully: what is 1,000 + 2, really?"
    assert [e.name for e in EDITS].count(edit.name) == 1
    assert edit(text, "q") != text
