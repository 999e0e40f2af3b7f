"""Toy data: small, complete, learnable, the same everywhere, and changed in one thing only where a change is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from pointsman.testing.alterations import (
    InterruptedRead,
    breaking,
    renamed,
    shuffled,
    tied,
    unpriced,
    with_holes,
)
from pointsman.testing.toys import QUERIES, UNUSUAL, embed, toy, toy_pool


def test_the_models_differ_in_price_and_skill() -> None:
    """Each model is dearer and better than the one before, and no model is best at everything for its price."""
    data = toy()
    quality = dict(zip(data.models, data.mean_quality, strict=True))
    cost = dict(zip(data.models, data.mean_cost_usd, strict=True))
    assert quality["small"] < quality["medium"] < quality["large"] < 1
    assert cost["small"] < cost["medium"] < cost["large"]
    assert (data.quality[:, data.models.index("medium")] > data.quality[:, data.models.index("large")]).any()


def test_toy_data_are_complete() -> None:
    """Every cell is observed, every query has a vector, and most have a domain."""
    data = toy()
    assert not np.isnan(data.quality).any()
    assert not np.isnan(data.cost_usd).any()
    assert data.queries.embeddings is not None
    assert data.queries.domains.count(None) == len(data) // 5
    assert data.pool is not None
    assert set(data.pool) == set(toy_pool()) == set(data.models)


def test_fewer_rows_are_the_first_ones() -> None:
    """`toy(n)` is the beginning of `toy()`."""
    assert toy(8).queries.texts == toy().queries.texts[:8]


def test_vectors_depend_on_words_alone() -> None:
    """Equal words make equal vectors of at most unit length; half a surrogate pair is no obstacle."""
    assert embed("b a") == embed("a b") != embed("a c")
    for query in (*QUERIES, *UNUSUAL):
        assert np.linalg.norm(embed(query.text)) <= 1 + 1e-12


def test_shared_queries_cannot_be_written_to() -> None:
    """The vectors of the shared queries are read-only, so that one test cannot spoil another."""
    assert QUERIES[0].embedding is not None
    with pytest.raises(ValueError, match="read-only"):
        QUERIES[0].embedding[0] = 1.0


def test_shuffling_changes_the_order_only() -> None:
    """In canonical order, shuffled data are the same to the last bit."""
    found = shuffled(toy(), seed=3)
    assert found.models != toy().models
    assert found.queries.texts != toy().queries.texts
    np.testing.assert_array_equal(found.canonical().quality, toy().canonical().quality)


def test_renaming_changes_names_only() -> None:
    """Columns stay where they are, under other names, in the pool too."""
    found = renamed(toy(), {"large": "c", "medium": "b", "small": "a"})
    assert found.models == ("c", "b", "a")
    assert found.pool is not None
    assert found.pool["a"].price == toy_pool()["small"].price
    np.testing.assert_array_equal(found.quality, toy().quality)


def test_holes_leave_every_model_observed() -> None:
    """A quarter of the qualities and another of the costs are missing, of every model some are left."""
    found = with_holes(toy())
    assert np.isnan(found.quality).mean() == pytest.approx(0.25, abs=0.05)
    assert np.isnan(found.cost_usd).mean() == pytest.approx(0.25, abs=0.05)
    assert np.isfinite(found.mean_quality).all()


def test_unpriced_models_have_no_cost_at_all() -> None:
    """Neither an outcome nor the pool tells the price of the model; the others keep theirs."""
    found = unpriced(toy(), "medium")
    assert np.isnan(found.mean_cost_usd).tolist() == [False, True, False]
    assert found.pool is not None
    assert [spec.price is None for spec in found.pool.values()] == [False, True, False]


def test_tied_models_differ_in_cost_only() -> None:
    """All qualities and latencies are equal, the costs are not."""
    found = tied(toy())
    assert (found.quality == 1).all()
    assert found.latency_s is not None
    assert (found.latency_s == 1).all()
    assert found.cheapest == "small"


def test_breaking_data_break_when_they_are_told() -> None:
    """Content can be read as often as allowed, and every read is logged; the original is not touched."""
    reads: list[str] = []
    data = breaking(toy(), reads, 3)
    assert data.quality.shape == (40, 3)
    assert len(data.queries.texts) == 40
    assert reads == ["quality", "queries", "texts"]
    with pytest.raises(InterruptedRead, match="the data broke"):
        data.canonical()
