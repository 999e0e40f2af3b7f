"""Queries in columns: a sequence of queries, built from queries or from columns."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.data import Queries
from pointsman.errors import DataError
from pointsman.types import Query


def query(text: str, *vector: float) -> Query:
    """Return a query, with an embedding where numbers are given."""
    return Query(text=text, id=f"id-{text}", domain="d", embedding=np.array(vector) if vector else None)


def test_columns_and_queries_are_two_views_of_the_same() -> None:
    """What goes in as queries comes out as equal queries, one by one and in slices."""
    given = [query("a", 1, 2), query("b", 3, 4), query("c", 5, 6)]
    queries = Queries.of(given)
    assert list(queries) == given
    assert queries[1] == given[1]
    assert queries.embeddings is not None
    assert queries.embeddings.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert queries[-1].embedding is not None
    assert queries[-1].embedding.tolist() == [5, 6]
    assert queries[1:].texts == ("b", "c")
    assert queries[::-1].ids == ("id-c", "id-b", "id-a")
    assert Queries.of(queries) is queries


def test_one_query_is_a_sequence_of_one() -> None:
    """With its embedding as a row, or with none."""
    one = Queries.of(query("a", 1, 2))
    assert (len(one), one.domains) == (1, ("d",))
    assert one.embeddings is not None
    assert one.embeddings.shape == (1, 2)
    assert Queries.of(query("a")).embeddings is None


def test_embeddings_are_for_all_or_for_none() -> None:
    """Some with and some without cannot be a matrix."""
    assert Queries.of([query("a"), query("b")]).embeddings is None
    with pytest.raises(DataError, match="1 of 2 queries have no embedding; give all or none"):
        Queries.of([query("a", 1), query("b")])


def test_columns_must_be_of_one_length() -> None:
    """The error says which is not."""
    with pytest.raises(DataError, match=r"Queries\.ids has 1 rows, but there are 2 texts"):
        Queries.from_texts(["a", "b"], ids=["x"])
    with pytest.raises(DataError, match=r"Queries\.embeddings has 1 rows"):
        Queries.from_texts(["a", "b"], embeddings=np.zeros((1, 3)))


def test_texts_alone_are_numbered() -> None:
    """Their places are their identifiers, nothing is known of their domains, and half precision becomes full."""
    queries = Queries.from_texts(["a", "b"], embeddings=np.zeros((2, 3), dtype=np.float16))
    assert (queries.ids, queries.domains) == (("0", "1"), (None, None))
    assert queries.embeddings is not None
    assert queries.embeddings.dtype == np.float64


def test_rows_are_taken_in_the_order_asked_for() -> None:
    """Repeats included."""
    taken = Queries.of([query("a", 1), query("b", 2)]).take([1, 0, 1])
    assert taken.texts == ("b", "a", "b")
    assert taken.embeddings is not None
    assert taken.embeddings.tolist() == [[2], [1], [2]]
