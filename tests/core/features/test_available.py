"""What queries are told apart by: vectors where they come along, and words, however spaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.artifacts import load, save
from pointsman.data import Queries
from pointsman.data.statistics import text_statistics
from pointsman.errors import ConfigError, DataError
from pointsman.features.available import Available
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical, LexicalState

TEXTS = ["solve the equation", "write a poem (short)", "x = 2\n+ 3", "translate the houses"] * 3
WORDS = Lexical(components=4, bits=10, min_texts=1)


def queries(size: int | None = None) -> Queries:
    """Return queries, with vectors of this size if any."""
    vectors = None if size is None else np.random.default_rng(0).standard_normal((len(TEXTS), size))
    return Queries.from_texts(TEXTS, embeddings=vectors)


def test_words_alone_where_there_are_no_vectors() -> None:
    """Without vectors the rows are those of the words."""
    found = Available(words=WORDS).fit_transform(queries())
    assert np.array_equal(found, WORDS.clone().fit_transform(queries()))


def test_vectors_and_words_where_there_are_both() -> None:
    """With vectors these come first, of unit length, then the words."""
    both = queries(5)
    found = Available(words=WORDS).fit_transform(both)
    assert np.array_equal(found[:, :5], Embedding().fit_transform(both))
    assert np.array_equal(found[:, 5:], WORDS.clone().fit_transform(both))


@pytest.mark.parametrize("size", [None, 5], ids=["words", "both"])
def test_fitting_and_transforming_at_once_is_the_same(size: int | None) -> None:
    """`fit_transform` returns what `transform` returns after `fit`, and leaves the words it was given unfitted."""
    features = Available(words=WORDS)
    assert np.array_equal(
        features.fit_transform(queries(size)), features.clone().fit(queries(size)).transform(queries(size))
    )
    assert WORDS.state_ is None


def test_vectors_that_were_learnt_from_are_needed() -> None:
    """A query without the vector that training had is refused; a vector that training had not is no obstacle."""
    with pytest.raises(DataError, match="no embeddings"):
        Available(words=WORDS).fit(queries(5)).transform(queries())
    learnt = Available(words=WORDS).fit(queries())
    assert np.array_equal(learnt.transform(queries(5)), learnt.transform(queries()))


def test_effects_are_those_of_the_words() -> None:
    """Along a direction of the words the words pull, whether or not vectors stand before them."""
    alone, both = Available(words=WORDS).fit(queries()), Available(words=WORDS).fit(queries(5))
    direction = np.arange(10.0)
    query = queries(5)[0]
    assert alone.effects(query, direction).keys() == {"solve", "the", "equation"}
    assert both.effects(query, np.concatenate([np.ones(5), direction])) == alone.effects(query, direction)


def test_vectors_are_taken_as_given_only_when_asked() -> None:
    """Lengths are left alone with "given" and scaled to 1 with "unit"; nothing else is known."""
    both = queries(5)
    assert both.embeddings is not None
    given_, unit = (Embedding(length=length).fit_transform(both) for length in ("given", "unit"))  # type: ignore[arg-type]
    assert np.array_equal(given_, both.embeddings)
    assert np.linalg.norm(unit, axis=1) == pytest.approx(np.ones(len(TEXTS)))
    with pytest.raises(ConfigError, match=r"Embedding\.length"):
        Embedding(length="long")  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(["sort", "(a)", "12", "=", "ß"]), min_size=1, max_size=8), st.integers(1, 9))
def test_spacing_says_nothing(words: list[str], wide: int) -> None:
    """Runs of spaces count as one, and surrounding ones not at all, for words and statistics alike."""
    plain, spaced = " ".join(words), " " * wide + (" " * wide).join(words) + "\t" * wide
    assert np.array_equal(*(text_statistics([text])[0] for text in (plain, spaced)))
    rows = WORDS.clone().fit(queries()).transform(Queries.from_texts([plain, spaced]))
    assert np.array_equal(rows[0], rows[1])


def test_lines_still_count() -> None:
    """A line break between words is counted, around the text it is not."""
    assert text_statistics(["a\nb", "a b", "\na b\n"])[:, 3].tolist() == [np.log(2), 0.0, 0.0]


def test_a_byte_a_number_is_near_enough(tmp_path: Path) -> None:
    """The projection is kept in bytes, each bucket in steps of its own that span its range, and survives a file."""
    state = WORDS.clone().fit(queries()).fitted(LexicalState)
    assert state.projection.dtype == np.int8
    assert state.table.dtype == np.float32
    used = state.steps > 0
    assert (np.abs(state.projection[used].astype(int)).max(axis=1) == 127).all()
    assert not state.projection[~used].any()
    features = WORDS.clone().fit(queries())
    back = load(save(features, tmp_path / "words.zip"))
    assert isinstance(back, Lexical)
    assert np.array_equal(back.transform(queries()), features.transform(queries()))
