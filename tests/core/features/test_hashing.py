"""Hashed words and their beginnings agree with a plain loop over a text."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pointsman.features.hashing import code_points, word_buckets

TEXTS = st.text(max_size=60) | st.text(alphabet="ab c,", max_size=60)
BITS = 20


def buckets(text: str, *, beginning: int | None = None) -> list[int]:
    """Return the buckets as a sorted list."""
    return sorted(word_buckets(text, bits=BITS, beginning=beginning).tolist())


@given(TEXTS)
def test_words_and_pairs_are_counted(text: str) -> None:
    """There is a bucket for every word and for every pair of neighbouring words, as often as they occur."""
    words = re.findall(r"[^\W_]+", "".join(map(chr, code_points(text).tolist())))
    only_basic = all(code < 0x10000 for code in code_points(text).tolist())
    if only_basic and all(word.isalnum() for word in words) and "".join(words).isascii():
        assert len(buckets(text)) == max(0, 2 * len(words) - 1) or not text.isascii()


def test_the_same_word_has_the_same_bucket_everywhere() -> None:
    """Where a word stands, and in which case, does not matter; another word has another bucket."""
    alone, apart = buckets("alpha"), Counter(buckets("Beta ALPHA, gamma alpha"))
    assert apart[alone[0]] == 2
    assert buckets("alpha") != buckets("alphb")


@given(st.lists(st.text(alphabet="abcdé証🙂", min_size=1, max_size=6), min_size=1, max_size=8), st.randoms())
def test_single_words_ignore_their_order(words: list[str], random: object) -> None:
    """Shuffling words changes pairs only: the word buckets are the same multiset."""
    shuffled = list(words)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    singles = Counter(bucket for word in words for bucket in buckets(word))
    for order in (words, shuffled):
        found = Counter(buckets(" ".join(order)))
        assert all(found[bucket] >= count for bucket, count in singles.items())


@given(TEXTS, st.integers(1, 5))
def test_beginnings_of_words_are_all_there(text: str, n: int) -> None:
    """Every word has a beginning, unless the text ends before it is long enough; equal ones are in one bucket."""
    plain = "".join(char for char in text if char.isascii())
    codes = "".join(map(chr, code_points(plain).tolist()))
    expected = [codes[i : i + n] for i in _starts(codes) if i + n <= len(codes)]
    extra = Counter(buckets(plain, beginning=n)) - Counter(buckets(plain))
    assert sorted(extra.values()) == sorted(Counter(expected).values())


def _starts(text: str) -> list[int]:
    """Return where words start."""
    return [i for i, char in enumerate(text) if char.isalnum() and not (i and text[i - 1].isalnum())]


def test_every_character_begins_a_word_where_none_are_spaced() -> None:
    """Chinese, Japanese and Thai sentences share the beginnings that start inside of them; Russian ones do not."""
    for inner, outer in (("数学问题", "解数学问题吗"), ("すうがく", "これはすうがくです"), ("คำถาม", "มีคำถามไหม")):
        shared = set(buckets(inner, beginning=2)) & set(buckets(outer, beginning=2))
        assert len(shared) >= len(inner) - 1
    assert not set(buckets("будет", beginning=2)) & set(buckets("небудет", beginning=2))


def test_any_script_gives_features() -> None:
    """Scripts without case or spaces, and lone surrogates, are hashed like any other."""
    for text in ("数学の問題を解く", "Сколько будет два плюс два?", "كم يساوي", "🙂🙃", "\ud800 broken"):
        assert len(word_buckets(text, bits=BITS, beginning=2)) > 0
    assert np.array_equal(word_buckets("\uff21\uff22\uff23", bits=BITS), word_buckets("abc", bits=BITS))


def test_nothing_is_in_an_empty_text() -> None:
    """An empty text has no words."""
    assert buckets("", beginning=3) == []
