"""Lexical features: what they see, and that they see each text alone."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data import Queries
from pointsman.data.statistics import text_statistics
from pointsman.errors import ConfigError, DataError
from pointsman.features.embedding import Embedding
from pointsman.features.lexical import Lexical
from pointsman.features.union import Union
from pointsman.types import Query

MATHS = ["Compute the integral of x squared", "Solve the equation x + 2 = 5", "What is the derivative of sin x"]
POETRY = ["Write a poem about autumn leaves", "Compose a sonnet about the sea", "Write a short poem about love"]
TEXTS = (MATHS + POETRY) * 4


def lexical() -> Lexical:
    """Return features fitted on two kinds of tasks."""
    return Lexical(components=4, bits=12, min_texts=1).fit(Queries.from_texts(TEXTS))


def test_similar_texts_are_near() -> None:
    """An unseen text is nearer to its own kind than to the other."""
    features = lexical()
    rows = features.transform(Queries.from_texts(["Find the derivative of x squared", *MATHS, *POETRY]))[:, :4]
    near = rows[1:] @ rows[0]
    assert near[:3].max() > near[3:].max()


def test_a_row_does_not_depend_on_its_batch() -> None:
    """A text has the same features alone and in company, to the last bit."""
    features = lexical()
    together = features.transform(Queries.from_texts(TEXTS))
    for i in (0, 3, 5):
        assert np.array_equal(features.transform(Queries.from_texts([TEXTS[i]]))[0], together[i])


def test_fitting_and_transforming_at_once_is_the_same() -> None:
    """`fit_transform` returns what `transform` returns after `fit`."""
    queries = Queries.from_texts(TEXTS)
    features = Lexical(components=4)
    assert np.array_equal(features.fit_transform(queries), features.transform(queries))


def test_case_is_ignored() -> None:
    """Upper case changes nothing."""
    features = lexical()
    lower, upper = features.transform(Queries.from_texts(["solve the equation", "SOLVE THE EQUATION"]))
    assert np.array_equal(lower, upper)


def test_a_long_text_is_read_at_both_ends() -> None:
    """Only the two halves of `max_chars` at the ends of a text count."""
    features = Lexical(components=4, max_chars=40).fit(Queries.from_texts(TEXTS))
    start, end = "Solve the equation x", "derivative of sin xy"
    rows = features.transform(Queries.from_texts([start + "poem " * 100 + end, start + "leaf " * 100 + end]))
    assert np.array_equal(rows[0, :4], rows[1, :4])


@pytest.mark.parametrize("texts", [["one text"], [""], ["", "", ""], ["a"] * 5])
def test_tiny_training_sets_are_fine(texts: list[str]) -> None:
    """However little there is to learn from, features come out finite."""
    features = Lexical().fit(Queries.from_texts(texts))
    assert np.isfinite(features.transform(Queries.from_texts(["something else", ""]))).all()


def test_no_text_at_all_is_an_error() -> None:
    """Fitting on nothing says so."""
    with pytest.raises(DataError, match="at least one text"):
        Lexical().fit(Queries.from_texts([]))


def test_statistics_count_what_they_say() -> None:
    """The six numbers are those of the docstring."""
    row = text_statistics(["  ab 12  (x)\nc\n"])[0]
    assert row == pytest.approx([np.log1p(11), np.log1p(4), 2 / 12, np.log1p(1), 0, np.log1p(1)])


def test_embeddings_come_at_unit_length() -> None:
    """Vectors are scaled to length 1, a zero vector stays zero."""
    queries = Queries.from_texts(["a", "b"], embeddings=np.array([[3.0, 4.0], [0.0, 0.0]]))
    rows = Embedding().fit(queries).transform(queries)
    assert rows.tolist() == [[0.6000000000000001, 0.8], [0.0, 0.0]]


def test_missing_or_foreign_embeddings_are_errors() -> None:
    """Queries without vectors, or with vectors of another size, are refused in words."""
    fitted = Embedding().fit(Queries.from_texts(["a"], embeddings=np.ones((1, 3))))
    with pytest.raises(DataError, match="no embeddings"):
        fitted.transform(Queries.from_texts(["a"]))
    with pytest.raises(DataError, match="2 dimensions; the ones fitted on have 3"):
        fitted.transform(Queries.from_texts(["a"], embeddings=np.ones((1, 2))))


def test_a_union_puts_weighted_parts_side_by_side() -> None:
    """The columns are those of the parts, each times its weight."""
    queries = Queries.from_texts(TEXTS, embeddings=np.ones((len(TEXTS), 2)))
    union = Union(parts=(Embedding(), Lexical(components=4)), weights=(2.0, 0.5)).fit(queries)
    alone = Lexical(components=4).fit(queries).transform(queries)
    assert np.allclose(union.transform(queries), np.hstack([np.full((len(TEXTS), 2), 2 * 0.5**0.5), alone / 2]))
    with pytest.raises(ConfigError, match="1 factors for 2 parts"):
        Union(parts=(Embedding(), Lexical()), weights=(1.0,))


def test_effects_name_the_words_that_pull() -> None:
    """Along the direction from poetry to mathematics, mathematical words pull forwards and poetic ones back."""
    features = lexical()
    maths, poetry = (features.transform(Queries.from_texts(texts)).mean(axis=0) for texts in (MATHS, POETRY))
    effects = features.effects(Query(text="Solve a poem, solve the Sea"), maths - poetry)
    assert list(effects) == ["solve", "a", "poem", "the", "sea"]
    assert effects["solve"] > 0 > effects["poem"]
    assert features.effects(Query(text=""), maths) == {}


def test_effects_of_a_union_are_those_of_its_parts() -> None:
    """A part's words pull along the part's own columns, times its weight."""
    queries = Queries.from_texts(TEXTS, embeddings=np.ones((len(TEXTS), 2)))
    words = Lexical(components=4)
    union = Union(parts=(Embedding(), words), weights=(1.0, 0.5)).fit(queries)
    query = Query(text="solve a poem", embedding=np.ones(2))
    direction = np.arange(12.0)
    alone = words.clone().fit(queries).effects(query, direction[2:])
    assert union.effects(query, direction) == pytest.approx({word: pull / 2 for word, pull in alone.items()})
